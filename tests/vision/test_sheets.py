"""Sheets of paper on a desk, with print on them; print alone."""

import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

PRINT = ("Total amount received by", "Please return this note", "Signature of the holder")


@pytest.fixture(scope="module")
def desk():
    """A desk with much grain, uint8 [600, 800]."""
    rng = np.random.default_rng(3)
    grain = cv2.resize(rng.normal(100, 20, (150, 20)), (800, 600), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(grain), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def draw_sheet(make_paper, write):
    """Return a function that draws a sheet with numbers and print, and gives the digits' boxes."""

    def draw(numbers, width=380, height=440, hand=0):
        sheet = make_paper(height, width, level=225)
        boxes = []
        for row, number in enumerate(numbers):
            boxes += write(sheet, number, 50, 40 + 85 * row, height=44, hand=hand + row)
        for row, text in enumerate(PRINT):
            place = (16, height - 20 - 26 * row)
            cv2.putText(sheet, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 60, 1, cv2.LINE_AA)
        return sheet, boxes

    return draw


def lay(desk, sheet, corners):
    """Return the desk with a sheet on it, and what takes places on the sheet to the photograph."""
    height, width = sheet.shape
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    view = cv2.getPerspectiveTransform(flat, np.array(corners, np.float32))
    size = desk.shape[::-1]
    seen = cv2.warpPerspective(sheet, view, size, flags=cv2.INTER_AREA)
    cover = cv2.warpPerspective(np.ones_like(sheet), view, size)
    return np.where(cover > 0, seen, desk), view


@pytest.mark.parametrize("hand", range(3))
def test_digits_of_a_sheet_are_where_they_stand_in_the_photograph(
    hand, desk, draw_sheet, reader, overlaps
):
    sheet, boxes = draw_sheet(["4073", "91582"], hand=hand)
    photo, view = lay(desk, sheet, [(150, 70), (560, 100), (600, 540), (130, 520)])
    reading = reader.read(photo)
    assert reading.lines == ["4073", "91582"]
    placed = []
    for x, y, width, height in boxes:
        ends = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
        placed.append(cv2.boundingRect(cv2.perspectiveTransform(np.float32([ends]), view)))
    assert min(overlaps(reading, placed)) > 0.6


@pytest.mark.parametrize("hand", range(3))
def test_numbers_of_two_sheets_are_read(hand, desk, draw_sheet, reader):
    left, _ = draw_sheet(["4073", "9158", "2264", "3790"], hand=hand)
    right, _ = draw_sheet(["8125", "6047"], width=300, height=300, hand=hand + 4)
    photo, _ = lay(desk, left, [(30, 60), (410, 50), (420, 490), (40, 500)])
    photo, _ = lay(photo, right, [(460, 100), (770, 110), (765, 410), (455, 405)])
    texts = [number.text for number in reader.read(photo).numbers]
    assert len({"4073", "9158", "2264", "3790"} & set(texts)) >= 3
    assert len({"8125", "6047"} & set(texts)) >= 1


@pytest.fixture(scope="module")
def draw_small_sheet(make_paper, write):
    """Return a function that draws a sheet with numbers of 22 pixels, and print."""

    def draw(numbers, width, height, hand=0):
        sheet = make_paper(height, width, level=225)
        for row, number in enumerate(numbers):
            write(sheet, number, 60, 60 + 70 * row, height=22, hand=hand + row)
        for row, text in enumerate(PRINT):
            place = (width // 2, 80 + 70 * row)
            cv2.putText(sheet, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, 60, 1)
        return sheet

    return draw


@pytest.mark.parametrize("hand", range(3))
def test_small_number_beside_a_sheet_is_read(hand, make_paper, draw_small_sheet, write, reader):
    sheet = draw_small_sheet(["40735", "91582", "60374"], 900, 700, hand)
    mat = make_paper(1350, 1800, level=120)
    for row, number in enumerate(["7264", "8509"]):
        write(mat, number, 1200, 500 + 100 * row, height=18, hand=hand + row)
    photo, _ = lay(mat, sheet, [(100, 200), (1010, 180), (1020, 900), (90, 880)])
    texts = {number.text for number in reader.read(photo).numbers}
    assert len({"7264", "8509"} & texts) >= 1


@pytest.mark.parametrize(
    ("font", "scale", "thickness"),
    [(cv2.FONT_HERSHEY_COMPLEX, 0.7, 1), (cv2.FONT_HERSHEY_DUPLEX, 0.7, 2)],
    ids=["letters apart", "letters that touch"],
)
def test_lines_of_print_are_not_cut(font, scale, thickness, make_paper, reader, monkeypatch):
    """It would take ten times as long."""

    def fail(*_):
        raise AssertionError("a letter was cut")

    monkeypatch.setattr("edge_mnist.vision.ink_reader.propose_parts", fail)
    page = make_paper()
    for row in range(8):
        words = f"{PRINT[row % 3]} {PRINT[(row + 1) % 3]}"
        cv2.putText(page, words, (16, 50 + 50 * row), font, scale, 50, thickness, cv2.LINE_AA)
    assert reader.read(page).lines == []


@pytest.mark.parametrize("hand", range(6))
def test_number_of_touching_pairs_is_no_print(hand, make_paper, write, reader):
    page = make_paper(width=1000)
    left = 40
    for pair in range(6):
        boxes = write(
            page,
            f"{(hand + pair) % 10}{(hand + 3 * pair + 2) % 10}",
            left,
            200,
            gap=-0.1,
            hand=hand + pair,
        )
        left = boxes[-1][0] + boxes[-1][2] + 10
    assert len("".join(reader.read(page).lines)) >= 10
