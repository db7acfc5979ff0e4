import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.vision.rules import erase_rules

NUMBER = "2047315"


def rule(page, pitch=56, level=150, thickness=1, is_squared=False):
    """Rule a page as exercise books are; lines of digits 40 px high at 150 stand on it."""
    for y in range(190 % pitch, page.shape[0], pitch):
        cv2.line(page, (0, y), (page.shape[1], y), level, thickness, cv2.LINE_AA)
    if is_squared:
        for x in range(pitch // 2, page.shape[1], pitch):
            cv2.line(page, (x, 0), (x, page.shape[0]), level, thickness, cv2.LINE_AA)


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize(("level", "thickness"), [(190, 1), (150, 1), (150, 2), (90, 2)])
def test_ruled_paper_is_read(level, thickness, hand, reader, make_paper, write):
    page = make_paper()
    rule(page, level=level, thickness=thickness)
    write(page, NUMBER, 60, 150, hand=hand)
    assert reader.read(page).lines == [NUMBER]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("pitch", [20, 28, 56])
def test_squared_paper_is_read(pitch, hand, reader, make_paper, write):
    page = make_paper()
    rule(page, pitch, level=175, is_squared=True)
    write(page, NUMBER, 60, 150, hand=hand)
    assert reader.read(page).lines == [NUMBER]


@pytest.mark.parametrize("seed", [2, 5, 11])
def test_squared_paper_from_the_side_is_not_full_of_ones(seed, reader, make_paper, write):
    rng = np.random.default_rng(seed)
    page = make_paper()
    level, pitch = rng.integers(120, 200), rng.integers(14, 30)
    rule(page, int(pitch), level=int(level), is_squared=True)
    write(page, "20473", 250, 200)
    corners = np.array([[0, 0], [640, 0], [640, 480], [0, 480]], np.float32)
    moved = corners + rng.uniform(-90, 90, (4, 2)).astype(np.float32)
    view = cv2.getPerspectiveTransform(corners, moved)
    page = cv2.warpPerspective(page, view, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    noisy = np.clip(page + rng.normal(0, 6, page.shape), 0, 255).astype(np.uint8)
    assert len(reader.read(noisy).digits) <= 8


@pytest.mark.parametrize("is_squared", [False, True])
@pytest.mark.parametrize("level", [190, 150, 60])
def test_ruling_alone_holds_nothing(level, is_squared, reader, make_paper):
    page = make_paper()
    rule(page, 28, level=level, is_squared=is_squared)
    assert reader.read(page).lines == []


@pytest.mark.parametrize("hand", range(3))
def test_ruled_page_that_is_turned_is_read(hand, reader, make_paper, write):
    page = make_paper()
    rule(page)
    write(page, NUMBER, 100, 150, hand=hand)
    turned = cv2.getRotationMatrix2D((320, 240), -5, 1)
    page = cv2.warpAffine(page, turned, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    assert reader.read(page).lines == [NUMBER]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("gap", [8, 2, -1])
def test_underline_is_left_out(gap, hand, reader, make_paper, write):
    """The line is drawn with the same pen, as far below the digits as `gap` says."""
    page = make_paper()
    boxes = write(page, NUMBER, 100, 150, hand=hand)
    right = boxes[-1][0] + boxes[-1][2]
    cv2.line(page, (92, 192 + gap), (right + 10, 195 + gap), 40, 4, cv2.LINE_AA)
    assert reader.read(page).lines == [NUMBER]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("text", ["68", "25", "8644"])
@pytest.mark.parametrize("gap", [3, 0, -1])
def test_thick_underline_is_no_part_of_the_digits(gap, text, hand, reader, make_paper, write):
    """It is too thick for a rule; blurred, it runs into what it stands under."""
    page = make_paper()
    write(page, NUMBER, 100, 100)
    boxes = write(page, text, 100, 200, hand=hand)
    top = max(y + h for _, y, _, h in boxes) + gap
    cv2.rectangle(page, (92, top), (boxes[-1][0] + boxes[-1][2] + 8, top + 5), 40, -1)
    assert reader.read(cv2.GaussianBlur(page, (0, 0), 1.2)).lines == [NUMBER, text]


@pytest.mark.parametrize("width", [52, 58])
def test_wide_two_keeps_its_foot(width, reader, make_paper, write):
    """The foot is as long and as straight as a line that a digit stands on."""
    page = make_paper()
    write(page, NUMBER, 100, 100)
    stroke = [(8, 9), (14, 1), (26, 1), (30, 10), (26, 18), (8, 38)]
    for points in (stroke, [(0, 39), (width - 4, 39)]):
        place = np.int32(points) + np.int32((110, 200))
        cv2.polylines(page, [place], False, 40, 4, cv2.LINE_AA)
    assert reader.read(page).lines == [NUMBER, "2"]


@pytest.mark.parametrize("hand", range(10))
@pytest.mark.parametrize("thickness", [2, 4])
@pytest.mark.parametrize(
    ("text", "gap"),
    # Closer, the 4917 of some hands runs into the frame (docs/reading.md).
    [("68", 3), ("25", 3), ("4917", 5), ("68", 8), ("25", 8), ("4917", 8)],
)
def test_close_frame_leaves_the_digits(gap, thickness, text, hand, reader, make_paper, write):
    """A 1 within it is no side of it, though it ends where the frame is."""
    page = make_paper()
    write(page, NUMBER, 100, 100)
    boxes = write(page, text, 120, 220, hand=hand)
    top, bottom = min(box[1] for box in boxes), max(box[1] + box[3] for box in boxes)
    left, right = boxes[0][0], boxes[-1][0] + boxes[-1][2]
    corners = (left - gap, top - gap), (right + gap, bottom + gap)
    cv2.rectangle(page, *corners, 40, thickness)
    assert reader.read(cv2.GaussianBlur(page, (0, 0), 1.2)).lines == [NUMBER, text]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("tilt", [0, 3])
def test_cell_around_one_digit_is_left_out_where_blur_joins_them(
    tilt, hand, reader, make_paper, write
):
    page = make_paper()
    write(page, NUMBER, 100, 100)
    ((x, y, w, h),) = write(page, "3", 110, 200, hand=hand)
    left, top, right, bottom = x - 9, y - 9, x + w + 9, y + h + 9
    cell = [(left, top + tilt), (right, top), (right, bottom - tilt), (left, bottom)]
    cv2.polylines(page, [np.array(cell)], True, 40, 5, cv2.LINE_AA)
    assert reader.read(cv2.GaussianBlur(page, (0, 0), 2.0)).lines == [NUMBER, "3"]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("margin", [6, 14, 40])
def test_frame_around_a_number_is_left_out(margin, hand, reader, make_paper, write):
    page = make_paper()
    boxes = write(page, NUMBER, 100, 150, hand=hand)
    right = boxes[-1][0] + boxes[-1][2]
    corner, other = (100 - margin, 150 - margin), (right + margin, 192 + margin)
    cv2.rectangle(page, corner, other, 50, 3)
    assert reader.read(page).lines == [NUMBER]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("blur", [1.0, 1.5])
@pytest.mark.parametrize("margin", [6, 8])
def test_digits_that_fill_a_frame_are_not_taken_for_its_sides(
    margin, blur, hand, reader, make_paper, write
):
    page = make_paper()
    boxes = write(page, NUMBER, 100, 200, height=30, hand=hand)
    right, bottom = boxes[-1][0] + boxes[-1][2], max(top + high for _, top, _, high in boxes)
    top = min(box[1] for box in boxes)
    cv2.rectangle(page, (90, top - margin), (right + 10, bottom + margin), 60, 3)
    assert reader.read(cv2.GaussianBlur(page, (0, 0), blur)).lines == [NUMBER]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize(("level", "thickness"), [(110, 2), (40, 2), (40, 1)])
def test_printed_cells_are_left_out(level, thickness, hand, reader, make_paper, write):
    page = make_paper()
    for index in range(8):
        cell = (60 + 70 * index, 140), (130 + 70 * index, 200)
        cv2.rectangle(page, *cell, level, thickness)
    for index, digit in enumerate("20473"):
        write(page, digit, 70 + 70 * index, 151, height=38, hand=hand + index)
    assert "".join(reader.read(page).lines).replace(" ", "") == "20473"


def test_empty_table_holds_nothing(reader, make_paper):
    page = make_paper()
    for index in range(6):
        cv2.rectangle(page, (60 + 80 * index, 100), (140 + 80 * index, 160), 60, 2)
        cv2.rectangle(page, (60 + 80 * index, 160), (140 + 80 * index, 220), 60, 2)
    assert reader.read(page).lines == []


@pytest.mark.parametrize("level", [60, 150])
@pytest.mark.parametrize("hand", range(3))
def test_neighbours_in_two_cells_are_two_numbers(level, hand, reader, make_paper, write):
    """Where there is no table they are one, so near do they stand."""
    for is_table, line in ((False, "7345"), (True, "7 345")):
        page = make_paper()
        for left in (60, 200, 340) if is_table else ():
            for top in (100, 160):
                cv2.rectangle(page, (left, top), (left + 140, top + 60), level, 2)
        write(page, "7", 150, 114, height=34, hand=hand)
        write(page, "345", 212, 114, height=34, hand=hand)
        assert reader.read(page).lines == [line]


def test_number_across_one_rule_is_one_number(reader, make_paper, write):
    page = make_paper()
    write(page, "7", 150, 114, height=34)
    write(page, "345", 212, 114, height=34)
    cv2.line(page, (200, 0), (200, 479), 150, 2)
    assert reader.read(page).lines == ["7345"]


def test_erased_rules_leave_the_strokes_that_cross_them():
    ink = np.zeros((200, 400), np.uint8)
    cv2.line(ink, (100, 60), (100, 140), 220, 5)
    cv2.line(ink, (0, 100), (399, 100), 120, 2)
    erased = erase_rules(ink).contrast
    assert not erased[:, :90].any()
    assert not erased[:, 110:].any()
    assert (erased[62:139, 100] > 100).all()


def draw_level_rules(tops):
    ink = np.zeros((200, 1600), np.uint8)
    for y in tops:
        cv2.line(ink, (30, y), (1570, y), 120, 2, cv2.LINE_AA)
    return ink


@pytest.mark.parametrize("lean", [-18, -12, 0, 12, 18])
def test_sides_of_cells_are_erased_where_they_lean(lean):
    """By as many pixels, over 100: in perspective, those at the left and at the right differ."""
    ink = draw_level_rules((50, 150))
    for x in range(60, 1560, 100):
        cv2.line(ink, (x, 50), (x + lean, 150), 120, 2, cv2.LINE_AA)
    assert not erase_rules(ink).contrast[58:142].any()


def test_sides_of_cells_are_erased_where_strokes_touch_them():
    ink = draw_level_rules((50, 150))
    for x in range(60, 1560, 100):
        cv2.line(ink, (x, 50), (x, 150), 120, 2, cv2.LINE_AA)
    for x in range(60, 1560, 200):
        cv2.ellipse(ink, (x + 26, 100), (24, 30), 0, 0, 360, 120, 5, cv2.LINE_AA)
    erased = erase_rules(ink).contrast
    assert not erased[58:142, 155::200].any()
    for x in range(60, 1560, 200):
        assert not erased[58:66, x - 4 : x + 5].any()
        assert erased[98:103, x + 46 : x + 54].any()


def test_strokes_that_end_at_two_rules_are_no_sides_where_they_bend():
    ink = draw_level_rules((50, 150))
    for x in range(60, 1560, 100):
        cv2.ellipse(ink, (x, 100), (30, 50), 0, 0, 360, 120, 3, cv2.LINE_AA)
    erased = erase_rules(ink).contrast
    assert np.count_nonzero(erased[58:142]) > 0.8 * np.count_nonzero(ink[58:142])


def test_digits_alone_are_no_rules(write):
    page = np.full((200, 400), 255, np.uint8)
    write(page, "7 1", 40, 60, height=60)
    assert erase_rules(255 - page) is None
