import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.cutting import propose_parts

PAIRS = ("35", "04", "27", "58", "66", "82", "90", "43", "50", "26", "38", "05")


def write_touching(write, page, text, left, top, height, hand):
    """Move digits together until they are one piece of ink."""
    for gap in np.arange(0.0, -0.8, -0.025):
        attempt = page.copy()
        boxes = write(attempt, text, left, top, height, gap=gap, hand=hand)
        if cv2.connectedComponents((attempt < 165).astype(np.uint8))[0] == 2:
            page[:] = attempt
            return boxes
    raise AssertionError("the digits do not touch")


@pytest.mark.parametrize("hand", range(3))
def test_touching_digits_are_both_read(hand, reader, make_paper, write):
    """Where two strokes run into one another, nobody can tell in every case."""
    wrong = {}
    for pair in PAIRS:
        page = make_paper()
        write_touching(write, page, pair, 200, 200, 60, hand)
        lines = reader.read(page).lines
        if lines != [pair]:
            wrong[pair] = lines
    assert len(wrong) <= 2, wrong


def test_touching_digits_in_a_number_are_read_where_they_stand(reader, make_paper, write):
    page = make_paper()
    boxes = write_touching(write, page, "35", 200, 200, 50, 0)
    write(page, "72", 100, 200, 50)
    right = boxes[-1][0] + boxes[-1][2]
    write(page, "8", right + 15, 200, 50)
    reading = reader.read(page)
    assert reading.lines == ["72358"]
    for found, (x, _, w, _) in zip(reading.digits[2:4], boxes, strict=True):
        assert abs(found.box[0] - x) <= 10
        assert abs(found.box[0] + found.box[2] - x - w) <= 10


def test_three_touching_digits_are_read(reader, make_paper, write):
    page = make_paper()
    write_touching(write, page, "350", 200, 200, 60, 1)
    assert reader.read(page).lines == ["350"]


@pytest.mark.parametrize("hand", range(6))
def test_wide_digits_stay_whole(hand, reader, make_paper, write):
    """Twos, fours, zeros and sevens are wide, and some have a place where they might be cut."""
    page = make_paper()
    write(page, "24072407", 40, 200, hand=hand)
    assert reader.read(page).lines == ["24072407"]


def make_blob(share):
    height, width = share.shape
    return Blob((30, 20, width, height), share > 0, 200.0)


def test_parts_lie_between_the_cuts():
    """Two rings side by side, joined by a thin stroke."""
    share = np.zeros((60, 100), np.float32)
    for x in (22, 76):
        cv2.ellipse(share, (x, 30), (20, 27), 0, 0, 360, 1, 5)
    cv2.line(share, (44, 30), (54, 30), 1, 2)
    for last, parts in propose_parts(make_blob(share), share):
        # One of the cuts parts the rings.
        cuts = [cut for cut in range(1, last) if {(0, cut), (cut, last)} <= parts.keys()]
        cut = min(cuts, key=lambda cut: abs(parts[0, cut].right - 79))
        first, second = parts[0, cut], parts[cut, last]
        assert first.left <= 31
        assert abs(first.right - 79) <= 5
        assert abs(second.left - first.right) <= 2
        for part in parts.values():
            assert part.mask.shape == (part.height, part.width)
            assert part.mask.any(axis=0)[[0, -1]].all()
            assert part.mask.any(axis=1)[[0, -1]].all()


def test_narrow_blob_has_no_parts():
    share = np.zeros((60, 20), np.float32)
    cv2.line(share, (10, 3), (10, 56), 1, 6)
    assert propose_parts(make_blob(share), share) == []
