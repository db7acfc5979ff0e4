import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.vision.windows import lighten_windows

PLATE, DARK, LIGHT = 190, 35, 225


@pytest.fixture(scope="module")
def draw_counter(make_paper, write):
    """Return a function that draws a light plate with bright digits in dark windows."""

    def draw(text, is_parted, left=80, top=180, height=60, inset=14, hand=0):
        plate = make_paper(level=PLATE)
        pitch, high = round(1.3 * height), height + 2 * inset
        right = left + pitch * len(text)
        cv2.rectangle(plate, (left, top), (right, top + high), DARK, -1)
        for x in range(left, right + 1, pitch) if is_parted else ():
            plate[top : top + high + 1, x - 3 : x + 3] = PLATE
        for index, digit in enumerate(text):
            x = left + pitch * index + 14
            write(plate, digit, x, top + inset, height, LIGHT, hand=hand + index)
        return plate

    return draw


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("is_parted", [True, False])
def test_bright_digits_in_dark_windows_are_one_number(is_parted, hand, reader, draw_counter):
    assert reader.read(draw_counter("205736", is_parted, hand=hand)).lines == ["205736"]


@pytest.mark.parametrize("hand", range(3))
def test_windows_and_dark_writing_on_one_plate_are_both_read(hand, reader, draw_counter, write):
    plate = draw_counter("205736", True, hand=hand)
    write(plate, "4382", 200, 60, hand=hand)
    write(plate, "927", 300, 380, hand=hand)
    assert reader.read(plate).lines == ["4382", "205736", "927"]


@pytest.mark.parametrize("turn_deg", [-6, 6])
@pytest.mark.parametrize("is_parted", [True, False])
def test_windows_are_read_where_they_are_turned(turn_deg, is_parted, reader, draw_counter):
    plate = draw_counter("205736", is_parted)
    turn = cv2.getRotationMatrix2D((320, 240), turn_deg, 1)
    plate = cv2.warpAffine(plate, turn, plate.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    assert reader.read(plate).lines == ["205736"]


def test_windows_are_read_in_uneven_light(reader, draw_counter):
    light = np.linspace(0.4, 1.0, 640)
    plate = np.rint(draw_counter("205736", True) * light).astype(np.uint8)
    assert reader.read(plate).lines == ["205736"]


def test_boxes_are_where_the_digits_stand(reader, draw_counter, write, make_paper, overlaps):
    boxes = [
        write(make_paper(), digit, 94 + 78 * index, 194, 60, hand=index)[0]
        for index, digit in enumerate("205736")
    ]
    reading = reader.read(draw_counter("205736", True))
    assert min(overlaps(reading, boxes)) > 0.6


def test_digit_that_touches_its_side_is_no_part_of_the_plate(draw_counter):
    plate = draw_counter("0", True, height=60)
    plate[200:206, 80:110] = LIGHT
    lightened = lighten_windows(plate)
    assert (lightened[202, 88:108] < 80).all()
    assert (lightened[180:260, 70:76] > 150).all()


def test_what_has_no_windows_stays_as_it_is(make_paper, write):
    plain, board = make_paper(), make_paper(level=40)
    write(plain, "20573", 60, 100, height=80, thicker=7)
    write(plain, "1111", 60, 250, height=90, thicker=11)
    write(board, "205736", 60, 200, level=220)
    framed = make_paper()
    write(framed, "20573", 120, 200)
    cv2.rectangle(framed, (100, 180), (400, 260), 40, 5)
    filled = make_paper()
    cv2.rectangle(filled, (100, 180), (400, 260), 40, -1)
    for picture in (plain, board, framed, filled):
        assert lighten_windows(picture) is picture
