import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

# The body of a 5 in 30x50 pixels, and its bar.
BODY = [(4, 0), (2, 20), (10, 18), (20, 20), (27, 29), (26, 40), (17, 48), (7, 48), (0, 43)]
BAR = [(4, 0), (28, 0)]


def draw_five(page, left, top, gap):
    """A 5 whose bar stands off its body: gap pixels to the right and above."""
    for stroke, shift in ((BODY, (0, 0)), (BAR, (gap + 6 if gap else 0, -gap))):
        points = np.array(stroke) + np.array((left, top)) + shift
        cv2.polylines(page, [points.astype(np.int32)], False, 40, 5, cv2.LINE_AA)


@pytest.mark.parametrize("gap", [0, 2, 4])
def test_five_is_read_with_its_bar_though_that_stands_off(gap, reader, make_paper, write):
    page = make_paper()
    write(page, "20", 100, 200, height=50)
    draw_five(page, 220, 203, gap)
    write(page, "73", 280, 200, height=50)
    if gap:
        pieces = cv2.connectedComponents((page < 130).astype(np.uint8))[0] - 1
        assert pieces == 6
    reading = reader.read(page)
    assert reading.lines == ["20573"]
    _, top, width, height = reading.digits[2].box
    assert top <= 203 - gap
    assert height >= 48 + gap
    assert width >= 28


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("break_px", [2, 3])
def test_broken_digits_among_others_stay_whole(break_px, hand, reader, make_paper, write):
    """As a dry pen or a crease in the paper breaks them."""
    page = make_paper()
    paper = page.copy()
    boxes = write(page, "2350698", 60, 200, height=50, hand=hand)
    for (x, y, w, h), share in zip(boxes[1::2], (0.35, 0.5, 0.65), strict=True):
        rows = slice(y + round(share * h), y + round(share * h) + break_px)
        page[rows, x - 4 : x + w + 4] = paper[rows, x - 4 : x + w + 4]
    reading = reader.read(page)
    assert reading.lines == ["2350698"]
    for found, (_, _, _, height) in zip(reading.digits, boxes, strict=True):
        assert found.box[3] >= 0.9 * height


def test_specks_are_left_out(reader, make_paper, write):
    page = make_paper()
    write(page, "20473", 100, 200)
    rng = np.random.default_rng(0)
    for x, y in zip(rng.integers(10, 630, 150), rng.integers(10, 470, 150), strict=True):
        if not 190 < y < 250:
            cv2.circle(page, (int(x), int(y)), int(rng.integers(0, 3)), 60, -1)
    assert reader.read(page).lines == ["20473"]


def test_specks_between_digits_change_nothing(reader, make_paper, write):
    page = make_paper()
    boxes = write(page, "20473", 100, 200, gap=0.5)
    for x, _, w, _ in boxes:
        cv2.circle(page, (x + w + 10, 225), 2, 60, -1)
    assert reader.read(page).lines == ["20473"]


def test_stain_is_left_out(reader, make_paper, write):
    page = make_paper()
    write(page, "20473", 100, 300)
    stain = np.zeros(page.shape, np.float32)
    cv2.ellipse(stain, (420, 120), (90, 60), 20, 0, 360, 0.35, -1)
    page = np.rint(page * (1 - cv2.GaussianBlur(stain, (0, 0), 3))).astype(np.uint8)
    assert reader.read(page).lines == ["20473"]


@pytest.mark.parametrize("level", [150, 110, 60])
def test_hand_at_the_border_is_left_out(level, reader, make_paper, write):
    page = make_paper()
    write(page, "20473", 100, 120)
    cv2.ellipse(page, (470, 470), (120, 110), 0, 0, 360, level, -1)
    for x, y in ((360, 330), (420, 290), (480, 285), (545, 320)):
        cv2.line(page, ((x + 470) // 2, 430), (x, y), level, 38)
    soft = cv2.GaussianBlur(page, (0, 0), 1.5)
    page[240:] = soft[240:]
    assert reader.read(page).lines == ["20473"]


@pytest.mark.parametrize("hand", range(3))
def test_digit_that_the_border_cuts_is_left_out(hand, reader, make_paper, write):
    page = make_paper()
    boxes = write(page, "20473", 100, 200, hand=hand)
    x, _, w, _ = boxes[-1]
    assert reader.read(np.ascontiguousarray(page[:, : x + w // 2])).lines == ["2047"]


@pytest.mark.parametrize("hand", range(3))
def test_dark_desk_around_the_page_is_left_out(hand, reader, make_paper, write):
    page = make_paper()
    write(page, "20473", 200, 200, hand=hand)
    desk = np.random.default_rng(2).normal(70, 3, page.shape).astype(np.uint8)
    corners = np.array([(60, 50), (600, 30), (585, 440), (75, 450)])
    is_page = cv2.fillConvexPoly(np.zeros_like(page), corners, 1)
    frame = np.where(is_page, page, desk).astype(np.uint8)
    assert reader.read(frame).lines == ["20473"]


@pytest.mark.parametrize("hand", range(4))
@pytest.mark.parametrize("tilt", [1, 2, 3])
def test_stroke_that_leaves_the_frame_among_rules_is_no_digit(
    tilt, hand, reader, make_paper, write
):
    page = make_paper()
    write(page, "825", 260, 190, hand=hand)
    fall = round(660 * np.tan(np.radians(tilt)))
    for row in range(110, 480, 50):
        cv2.line(page, (-10, row), (650, row + fall), 100, 2, cv2.LINE_AA)
    # A rule through a digit can make another of it, whatever else is in the frame.
    (number,) = reader.read(page).lines
    assert len(number) >= 2
    cv2.line(page, (-2, 180), (4, 290), 60, 8, cv2.LINE_AA)
    assert reader.read(page).lines == [number]
