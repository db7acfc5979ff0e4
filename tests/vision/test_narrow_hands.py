"""Hands that write digits far narrower than MNIST's."""

import pytest

pytest.importorskip("cv2")

import cv2

NUMBERS = ["7263527", "2974285"]
SHARE = 0.42  # of their usual width


@pytest.fixture(scope="module")
def draw_narrow_page(make_paper, write):
    """Return a function that draws the numbers made narrow, and gives the digits' boxes."""

    def draw(hand, thicker=0, gap=0.5, size=1):
        page = make_paper(240, 1600)
        boxes = [
            box
            for row, number in enumerate(NUMBERS)
            for box in write(
                page, number, 40, 40 + 100 * row, 60, gap=gap, hand=hand + 3 * row, thicker=thicker
            )
        ]
        across = size * SHARE
        page = cv2.resize(page, None, fx=across, fy=size, interpolation=cv2.INTER_AREA)
        return page, [(across * x, size * y, across * w, size * h) for x, y, w, h in boxes]

    return draw


@pytest.mark.parametrize("thicker", [0, 9], ids=["thin", "thick"])
def test_sevens_and_twos_of_a_narrow_hand_are_no_ones(
    thicker, draw_narrow_page, reader, monkeypatch
):
    pages = [draw_narrow_page(hand, thicker)[0] for hand in range(12)]

    def count_right():
        return sum(line in NUMBERS for page in pages for line in reader.read(page).lines)

    right = count_right()
    assert right >= 22  # of 24
    monkeypatch.setattr("edge_mnist.vision.reader.look_wider", lambda rows: None)
    assert count_right() < right


@pytest.mark.parametrize("size", [1, 3], ids=["as it is", "in more pixels than are looked at"])
@pytest.mark.parametrize("hand", range(3))
def test_digits_of_a_narrow_hand_are_where_they_stand(
    hand, size, draw_narrow_page, reader, overlaps
):
    page, boxes = draw_narrow_page(hand, size=size)
    reading = reader.read(page)
    assert reading.lines == NUMBERS
    assert min(overlaps(reading, boxes)) > 0.6


@pytest.mark.parametrize("hand", range(3))
def test_number_of_a_narrow_hand_with_wide_gaps_is_one(hand, draw_narrow_page, reader):
    """Gaps of 1.2 heights, which are 1.9 when they are made wider."""
    page, _ = draw_narrow_page(hand, gap=1.2 / SHARE)
    assert all(" " not in line for line in reader.read(page).lines)


@pytest.mark.parametrize("hand", range(3))
def test_wide_number_beside_those_of_a_narrow_hand_is_read(
    hand, draw_narrow_page, make_paper, write, reader
):
    narrow, _ = draw_narrow_page(hand)
    page = make_paper(narrow.shape[0] + 120, narrow.shape[1])
    page[: narrow.shape[0]] = narrow
    write(page, "50369", 60, narrow.shape[0] + 20, 60, hand=hand)
    assert reader.read(page).lines == [*NUMBERS, "50369"]
