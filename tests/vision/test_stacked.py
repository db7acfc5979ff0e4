"""Digits of two lines that touch one another."""

import pytest

pytest.importorskip("cv2")

import cv2
import numpy as np

HIGH = 60
UPPER, LOWER = "283712", "099584"
TAIL = UPPER.index("7")


@pytest.fixture
def write_touching(make_paper, write):
    """Return a function that writes two lines; the tail of the 7 runs into the one below."""

    def write_lines(hand):
        page = make_paper()
        upper = write(page, UPPER, 100, 100, height=HIGH, hand=hand)
        lower = write(page, LOWER, 100, 100 + round(1.4 * HIGH), height=HIGH, hand=hand)
        x, y, wide, high = upper[TAIL]
        foot = x + int(np.nonzero(page[y + high - 2, x : x + wide] < 128)[0].mean())
        # To the digit that is closest to being under it.
        left, top, width, _ = min(lower, key=lambda box: abs(box[0] + box[2] / 2 - foot))
        head = left + int(np.nonzero(page[top + 1, left : left + width] < 128)[0].mean())
        cv2.line(page, (foot, y + high - 2), (head, top + 1), (40,), 5, cv2.LINE_AA)
        return page

    return write_lines


def test_tail_that_touches_the_line_below_costs_neither_its_digit(
    reader, write_touching, monkeypatch
):
    def count_right():
        lines = [line for hand in range(8) for line in reader.read(write_touching(hand)).lines]
        return lines.count(UPPER) + lines.count(LOWER)

    right = count_right()
    monkeypatch.setattr("edge_mnist.vision.ink_reader.propose_stacked", lambda wholes: {})
    assert right >= max(11, count_right() + 8)


@pytest.mark.parametrize("digit", "2356890")
def test_large_digit_beside_two_lines_is_one(digit, reader, make_paper, write):
    page = make_paper()
    write(page, digit, 60, 100, height=110)
    write(page, "4825", 240, 95, height=50)
    write(page, "3069", 240, 165, height=50, hand=1)
    (large,) = [found for found in reader.read(page).digits if found.box[3] > 90]
    assert large.digit == int(digit)
