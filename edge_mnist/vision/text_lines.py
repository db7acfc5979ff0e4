"""Which blobs stand in a line."""

import math
from statistics import median

import numpy as np
from numpy.typing import NDArray

from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.grouping import group

# Neighbours in a line are at most this much higher than one another.
MAX_HEIGHT_RATIO = 2.2
# How far apart they may stand, in heights of the larger.
MAX_GAP = 3.0
# How much higher or lower the next one may stand, in heights, and how steep lines may be.
MAX_STEP = 0.4
MAX_SLOPE = math.tan(math.radians(16))
# How far the slope of one line may be from that of the others, where the page is seen askew.
SLOPE_SPREAD = math.tan(math.radians(3))
# Pieces of a line that stand far apart are as level as this, in heights.
MAX_ROW_STEP = 0.35


def find_lines(blobs: list[Blob]) -> tuple[list[list[int]], float]:
    """Group blobs into lines of text.

    Returns:
        The lines from top to bottom, each the indices of its blobs from left to right; and the
        lines' slope: how many pixels they fall for one to the right.
    """
    if not blobs:
        return [], 0.0
    boxes = np.array([blob.box for blob in blobs], np.float64)
    near = _Neighbourhood(boxes)
    slope = _estimate_slope(boxes, near.link(0.0, MAX_SLOPE))
    chains = group(len(blobs), near.link(slope, SLOPE_SPREAD))
    center, level = near.center.tolist(), (near.middle - slope * near.center).tolist()
    rows = _merge_rows(chains, level, [blob.height for blob in blobs])
    return [sorted(row, key=center.__getitem__) for row in rows], slope


class _Neighbourhood:
    """How boxes stand to each other."""

    def __init__(self, boxes: NDArray[np.float64]) -> None:
        """Compare each with each.

        Args:
            boxes: float64 [N, 4].
        """
        left, top, width, height = boxes.T
        self.center, self.middle = left + width / 2, top + height / 2
        larger = np.maximum(height[:, None], height)
        self._dx = self.center - self.center[:, None]
        gap = left - (left + width)[:, None]
        self._may_follow = (
            (self._dx > 0)
            & (larger / np.minimum(height[:, None], height) <= MAX_HEIGHT_RATIO)
            & (gap <= MAX_GAP * larger)
        )
        self._gap, self._max_step = np.maximum(gap, 0), MAX_STEP * larger

    def link(self, slope: float, spread: float) -> list[tuple[int, int]]:
        """Find pairs of which each is the other's nearest neighbour in a line.

        Args:
            slope: Of the lines.
            spread: How far a line's own slope may be from it.

        Returns:
            Their indices, the left one first.
        """
        level = self.middle - slope * self.center
        step = np.abs(level - level[:, None])
        follows = self._may_follow & (step <= self._max_step + spread * self._dx)
        cost = np.where(follows, self._gap + 2 * step, np.inf)
        nexts, previous = np.argmin(cost, axis=1).tolist(), np.argmin(cost, axis=0).tolist()
        return [(i, j) for i, j in enumerate(nexts) if previous[j] == i and follows[i, j]]


def _estimate_slope(boxes: NDArray[np.float64], links: list[tuple[int, int]]) -> float:
    """Return the median slope of the feet of neighbours; 0 if there are too few to tell."""
    if len(links) < 2:
        return 0.0
    left, top, width, height = boxes.T
    center, bottom = left + width / 2, top + height
    i, j = np.array(links).T
    slopes: list[float] = ((bottom[j] - bottom[i]) / (center[j] - center[i])).tolist()
    return median(slopes)


def _merge_rows(chains: list[list[int]], level: list[float], height: list[int]) -> list[list[int]]:
    """Put chains on the same level into one row, though they stand far apart.

    Args:
        chains: The indices of blobs.
        level: How low each blob stands.
        height: Of each blob.

    Returns:
        The rows from top to bottom.
    """

    def measure(row: list[int]) -> tuple[float, float]:
        return median(level[i] for i in row), median(height[i] for i in row)

    rows: list[list[int]] = []
    for chain in sorted(chains, key=measure):
        middle, high = measure(chain)
        if rows:
            last_middle, last_high = measure(rows[-1])
            if abs(middle - last_middle) <= MAX_ROW_STEP * min(high, last_high):
                rows[-1].extend(chain)
                continue
        rows.append(list(chain))
    return sorted(rows, key=measure)
