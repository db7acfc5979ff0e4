"""Which blobs stand in a line."""

import math

import numpy as np
from numpy.typing import NDArray

from edge_mnist.vision.blobs import Blob

# Neighbours in a line are at most this much higher than one another.
MAX_HEIGHT_RATIO = 2.2
# How far apart they may stand, in heights of the larger.
MAX_GAP = 3.0
# How much higher or lower the next one may stand, in heights, and the steepest line.
MAX_STEP = 0.4
MAX_SLOPE = math.tan(math.radians(16))


def find_lines(blobs: list[Blob]) -> tuple[list[list[int]], float]:
    """Group blobs into lines of text.

    Returns:
        The lines from top to bottom, each the indices of its blobs from left to right; and the
        lines' slope: how many pixels they fall for one to the right.
    """
    if not blobs:
        return [], 0.0
    boxes = np.array([blob.box for blob in blobs], np.float64)
    left, top, width, height = boxes.T
    right, middle = left + width, top + height / 2
    center = left + width / 2
    larger = np.maximum(height[:, None], height)
    ratio = larger / np.minimum(height[:, None], height)
    dx = center[None, :] - center[:, None]
    dy = middle[None, :] - middle[:, None]
    gap = left[None, :] - right[:, None]
    follows = (
        (dx > 0)
        & (ratio <= MAX_HEIGHT_RATIO)
        & (gap <= MAX_GAP * larger)
        & (np.abs(dy) <= MAX_STEP * larger + MAX_SLOPE * np.maximum(dx - 0.5 * larger, 0))
    )
    cost = np.where(follows, np.maximum(gap, 0) + 2 * np.abs(dy), np.inf)
    nexts = np.argmin(cost, axis=1)
    has_next = np.isfinite(cost[np.arange(len(blobs)), nexts])
    # Both ways: a link counts if it is the nearest on the right of one, or on the left of the other.
    previous = np.argmin(cost, axis=0)
    has_previous = np.isfinite(cost[previous, np.arange(len(blobs))])
    links = {(i, int(nexts[i])) for i in np.flatnonzero(has_next)} | {
        (int(previous[j]), int(j)) for j in np.flatnonzero(has_previous)
    }
    slope = _estimate_slope(links, center, top + height, height)
    level = middle - slope * center
    chains = _join(len(blobs), [(i, j) for i, j in links])
    rows = _merge_rows(chains, level, height)
    rows.sort(key=lambda row: float(np.median(level[row])))
    return [sorted(row, key=lambda i: center[i]) for row in rows], slope


def _estimate_slope(
    links: set[tuple[int, int]],
    center: NDArray[np.float64],
    bottom: NDArray[np.float64],
    height: NDArray[np.float64],
) -> float:
    """Return the median slope of the feet of neighbours; 0 if there are too few to tell."""
    if len(links) < 2:
        return 0.0
    slopes = [(bottom[j] - bottom[i]) / (center[j] - center[i]) for i, j in links]
    return float(np.median(slopes))


def _join(count: int, links: list[tuple[int, int]]) -> list[list[int]]:
    parents = list(range(count))

    def find(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    for i, j in links:
        parents[find(i)] = find(j)
    chains: dict[int, list[int]] = {}
    for i in range(count):
        chains.setdefault(find(i), []).append(i)
    return list(chains.values())


def _merge_rows(
    chains: list[list[int]], level: NDArray[np.float64], height: NDArray[np.float64]
) -> list[list[int]]:
    """Put chains on the same level into one row, though they stand far apart."""
    rows: list[list[int]] = []
    for chain in sorted(chains, key=lambda c: float(np.median(level[c]))):
        middle, high = np.median(level[chain]), np.median(height[chain])
        if rows:
            last = rows[-1]
            near = abs(middle - np.median(level[last]))
            if near <= 0.35 * min(high, np.median(height[last])):
                last.extend(chain)
                continue
        rows.append(list(chain))
    return rows
