import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.text_lines import find_lines


def turn(page, degrees):
    """Turn a page clockwise around its middle."""
    height, width = page.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    return cv2.warpAffine(page, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def turn_box(page, box, degrees):
    """The box around what is written in a box, once the page was turned."""
    x, y, w, h = box
    alone = np.full_like(page, 255)
    alone[y : y + h, x : x + w] = page[y : y + h, x : x + w]
    return cv2.boundingRect((turn(alone, degrees) < 128).astype(np.uint8))


@pytest.mark.parametrize("hand", range(3))
def test_rows_are_read_from_top_to_bottom(hand, reader, make_paper, write):
    page = make_paper()
    write(page, "71935", 300, 320, hand=hand)
    write(page, "204", 350, 60, hand=hand)
    write(page, "8816", 60, 190, hand=hand)
    assert reader.read(page).lines == ["204", "8816", "71935"]


@pytest.mark.parametrize("hand", range(3))
def test_rows_may_be_close_together(hand, reader, make_paper, write):
    rows = ["2047315", "9981604", "5512307", "8364072"]
    page = make_paper()
    for index, row in enumerate(rows):
        write(page, row, 60, 60 + 56 * index, hand=hand + index)
    assert reader.read(page).lines == rows


def test_rows_of_other_sizes_are_read(reader, make_paper, write):
    page = make_paper()
    write(page, "204", 60, 40, height=100)
    write(page, "73158", 60, 180, height=20)
    write(page, "9916", 60, 250, height=50)
    assert reader.read(page).lines == ["204", "73158", "9916"]


@pytest.mark.parametrize("hand", range(3))
def test_numbers_in_a_row_are_parted_by_a_space(hand, reader, make_paper, write):
    page = make_paper()
    write(page, "204 73 15", 40, 100, hand=hand)
    write(page, "9 916", 40, 240, hand=hand)
    reading = reader.read(page)
    assert reading.lines == ["204 73 15", "9 916"]
    assert [number.text for number in reading.numbers] == ["204", "73", "15", "9", "916"]


def test_digits_of_a_number_may_stand_up_and_down(reader, make_paper, write):
    page = make_paper()
    left = 60
    for index, digit in enumerate("20473158"):
        (box,) = write(page, digit, left, 200 + (-1) ** index * 4, height=36 + 4 * (index % 3))
        left += box[2] + 14
    assert reader.read(page).lines == ["20473158"]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("degrees", [-12, -8, -2, 4, 8, 12])
def test_turned_line_is_read(degrees, hand, reader, make_paper, write, overlaps):
    page = make_paper(noise=0)
    boxes = write(page, "2047315", 100, 220, hand=hand)
    truth = [turn_box(page, box, degrees) for box in boxes]
    reading = reader.read(turn(page, degrees))
    assert reading.lines == ["2047315"]
    assert min(overlaps(reading, truth)) > 0.5


@pytest.mark.parametrize("degrees", [-8, 8])
def test_turned_lines_stay_in_order(degrees, reader, make_paper, write):
    page = make_paper(600, 800)
    rows = ["20473", "99816", "55123"]
    for index, row in enumerate(rows):
        write(page, row, 250, 190 + 80 * index, hand=index)
    assert reader.read(turn(page, degrees)).lines == rows


def place(*corners):
    """Blobs of 24x40 pixels with their left upper corners at these places."""
    return [Blob((x, y, 24, 40), np.ones((40, 24), bool), 200.0) for x, y in corners]


def test_no_blobs_make_no_line():
    assert find_lines([]) == ([], 0.0)


def test_lines_are_ordered_whatever_the_order_of_their_blobs():
    rows, slope = find_lines(place((140, 200), (100, 80), (60, 200), (60, 80), (100, 200)))
    assert rows == [[3, 1], [2, 4, 0]]
    assert slope == pytest.approx(0)


@pytest.mark.parametrize("slope", [-0.15, 0.1, 0.2])
def test_slope_is_what_lines_fall_for_a_pixel_to_the_right(slope):
    blobs = place(*[(60 + 40 * i, round(200 + slope * 40 * i)) for i in range(8)])
    rows, found = find_lines(blobs)
    assert rows == [list(range(8))]
    assert found == pytest.approx(slope, abs=0.02)
