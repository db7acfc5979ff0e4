"""Hands that write digits far narrower than MNIST's."""

import pytest

pytest.importorskip("cv2")

import cv2

NUMBERS = ["7263527", "2974285"]


@pytest.fixture(scope="module")
def narrow_page(make_paper, write):
    """Return a function that draws the numbers made narrow, and gives the digits' boxes."""

    def draw(hand, thicker, share=0.42):
        page = make_paper(240, 900)
        boxes = [
            box
            for row, number in enumerate(NUMBERS)
            for box in write(
                page, number, 40, 40 + 100 * row, 60, gap=0.5, hand=hand + 3 * row, thicker=thicker
            )
        ]
        narrow = cv2.resize(page, None, fx=share, fy=1, interpolation=cv2.INTER_AREA)
        return narrow, [(share * x, y, share * width, height) for x, y, width, height in boxes]

    return draw


@pytest.mark.parametrize("thicker", [0, 9], ids=["thin", "thick"])
def test_sevens_and_twos_of_a_narrow_hand_are_no_ones(thicker, narrow_page, reader):
    pages = [narrow_page(hand, thicker)[0] for hand in range(12)]
    read = [line for page in pages for line in reader.read(page).lines]
    assert sum(line in NUMBERS for line in read) >= 22  # of 24


@pytest.mark.parametrize("hand", range(3))
def test_digits_of_a_narrow_hand_are_where_they_stand(hand, narrow_page, reader, overlaps):
    page, boxes = narrow_page(hand, thicker=0)
    reading = reader.read(page)
    assert reading.lines == NUMBERS
    assert min(overlaps(reading, boxes)) > 0.6
