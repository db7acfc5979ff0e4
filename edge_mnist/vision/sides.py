"""Short straight lines that lead from one rule to another: the sides of frames and cells.

All is told for level lines; for upright ones, masks are transposed.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.vision.components import Mask, find_components

# How far pieces of a line may stand apart, in pixels.
MAX_BREAK = 3
# No rule is thicker, as a share of the frame's longer side.
MAX_THICKNESS_SHARE = 0.025
# The sides of a frame are shorter; they end at level rules. In perspective they lean by at most so
# much, each by its own angle: then they are this many times as long as thick, and so straight that
# the spread around a line is at most this many times that of their thickness.
MIN_SIDE = 9
MAX_LEAN = math.tan(math.radians(14.0))
MIN_LEANING_SLENDERNESS = 10.0
MAX_BEND = 1.5
# Where there are so many, another one is looked for in runs of this share of their length.
MIN_SIDES = 3
SIDE_RUN_SHARE = 0.6
# The soft edge of a rule is at most so wide, in pixels.
MAX_SOFT_EDGE = 7


def find_sides(mask: Mask, ends: Mask) -> Mask:
    """Return the pixels of level lines that lead from one upright rule to another.

    Args:
        mask: uint8 [height, width] of 0 and 1.
        ends: The upright rules, of the same shape.
    """
    beside = cv2.subtract(mask, ends).astype(np.uint8, copy=False)
    # Only where ink leads there: a digit may fill a frame but for a thin line of paper.
    near, ink = ends, mask | ends
    for _ in range(MAX_SOFT_EDGE):
        near = cv2.dilate(near, np.ones((3, 3), np.uint8)).astype(np.uint8, copy=False) & ink
    sides, lengths = _choose_sides(find_runs(beside, MIN_SIDE), near)
    if len(lengths) >= MIN_SIDES:
        # What touches one of them has no runs that are as long.
        length = round(SIDE_RUN_SHARE * float(np.median(lengths)))
        runs = find_runs(beside, max(MIN_SIDE, length))
        sides |= _choose_sides(runs, near)[0]
    return sides


def _choose_sides(runs: Mask, near: Mask) -> tuple[Mask, NDArray[np.int32]]:
    """Return the runs of pixels that make sides, and the length of each side.

    Args:
        runs: uint8 [height, width] of 0 and 1.
        near: What is close to the rules that sides lead to, of the same shape.
    """
    labels, stats = find_components(link(runs))
    x, y, w, h, area = stats.T
    is_upright = (
        (h <= 1.5 * MAX_THICKNESS_SHARE * max(runs.shape)) & (w >= 2 * h) & (area >= 0.5 * w * h)
    )
    thickness = area / np.maximum(w, 1)
    is_leaning = (h - thickness <= MAX_LEAN * w) & (w >= MIN_LEANING_SLENDERNESS * thickness)
    is_side = is_upright | is_leaning
    is_side[0] = False
    for label in np.flatnonzero(is_side):
        rows = slice(y[label], y[label] + h[label])
        left, right = x[label], x[label] + w[label]
        is_side[label] = (
            near[rows, left : left + 3].any()
            and near[rows, right - 3 : right].any()
            and (is_upright[label] or _is_straight(labels[rows, left:right] == label))
        )
    return (is_side[labels] & (runs > 0)).astype(np.uint8), w[is_side]


def _is_straight(line: NDArray[np.bool_]) -> bool:
    """Tell whether ink, longer than high, spreads no further around a line than in its columns."""
    across, along = np.nonzero(line)
    bend = np.polyval(np.polyfit(along, across, 1), along) - across
    thickness = line.sum(axis=0).mean()
    return bool(12 * np.mean(bend**2) <= (MAX_BEND * thickness) ** 2)


def link(runs: Mask) -> Mask:
    """Return runs with what links them to the next rows, where a line that leans goes on."""
    return cv2.dilate(runs, np.ones((3, MAX_BREAK), np.uint8)).astype(np.uint8, copy=False)


def find_runs(mask: Mask, length: int) -> Mask:
    """Return the pixels of level runs of at least such a length; gaps of a pixel do not count."""
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    runs = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    return runs.astype(np.uint8, copy=False)
