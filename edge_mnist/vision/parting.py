"""Where one number ends and the next begins."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import TypeVar

import cv2
import numpy as np

from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.candidates import Candidate
from edge_mnist.vision.components import Mask
from edge_mnist.vision.segmentation import Segmentation

Item = TypeVar("Item")

# Digits of a number stand at most this far apart, in heights of the larger.
MAX_NUMBER_GAP = 1.6
# Numbers of two columns, of so many digits at least, stand so far apart, in heights, and so many
# times as far as three of four neighbours in them do; these at least so far.
MIN_COLUMN = 2
MIN_COLUMN_GAP = 1.2
COLUMN_RATIO = 3.0
MIN_USUAL_GAP = 0.1
# Neighbours in two cells of a table stand so far apart, and the cells are so wide, in heights. The
# side between them covers such a share of the rows that they share, of so many at least, and leans
# by so many pixels there.
MIN_CELL_GAP = 0.5
MIN_CELL_WIDTH = 2.0
MIN_SIDE_SHARE = 0.8
MIN_SIDE_ROWS = 5
SIDE_LEAN = 5


def part_numbers(row: Sequence[Candidate], found: Segmentation) -> list[list[Candidate]]:
    """Part the candidates of a line into numbers; see `part_where_wide`."""
    blobs = [candidate.blob for candidate in row]
    return part_where_wide(row, blobs, found.upright, found.ink.stretch)


def part_where_wide(
    row: Sequence[Item], blobs: Sequence[Blob], upright: Mask | None, stretch: float = 1.0
) -> list[list[Item]]:
    """Part what stands in a line where a gap is wide, or wide for it, or where a wide cell ends.

    Args:
        row: What stands there.
        blobs: The ink of each.
        upright: As in `Segmentation`.
        stretch: As in `InkMap`: gaps and cells are as many times as wide.
    """
    groups: list[list[Item]] = []
    for index, (item, blob) in enumerate(zip(row, blobs, strict=True)):
        if index:
            last = blobs[index - 1]
            unit = stretch * max(last.height, blob.height)
            is_near = blob.left - last.right <= MAX_NUMBER_GAP * unit
            if is_near and (upright is None or not _are_in_cells(last, blob, upright, unit)):
                groups[-1].append(item)
                continue
        groups.append([item])
    parts = []
    start = 0
    for group in groups:
        end = start + len(group)
        parts += _part_columns(group, blobs[start:end], stretch)
        start = end
    return parts


def _part_columns(group: list[Item], blobs: Sequence[Blob], stretch: float) -> list[list[Item]]:
    """Part what stands together where one gap is much wider than the others."""
    if len(blobs) < 2 * MIN_COLUMN:
        return [group]
    high = stretch * median(blob.height for blob in blobs)
    gaps = [(right.left - left.right) / high for left, right in pairwise(blobs)]
    cut = max(range(MIN_COLUMN, len(blobs) - MIN_COLUMN + 1), key=lambda place: gaps[place - 1])
    widest = gaps.pop(cut - 1)
    if widest < MIN_COLUMN_GAP:
        return [group]
    usual = max(float(np.percentile(gaps, 75)), MIN_USUAL_GAP)
    if widest < COLUMN_RATIO * usual:
        return [group]
    left, right = (
        _part_columns(group[part], blobs[part], stretch) for part in (slice(cut), slice(cut, None))
    )
    return left + right


def _are_in_cells(left: Blob, right: Blob, upright: Mask, unit: float) -> bool:
    """Tell whether neighbours stand in two cells of a table: a rule between them, others far away.

    Squared paper has cells no wider than a digit, and so have combs, whose digits are one number.

    Args:
        left: The one.
        right: The other.
        upright: As in `Segmentation`.
        unit: How far it is across, in pixels, where it is a height of the larger one down.
    """
    top, bottom = max(left.top, right.top), min(left.bottom, right.bottom)
    if right.left - left.right < MIN_CELL_GAP * unit or bottom - top < MIN_SIDE_ROWS:
        return False
    band = cv2.dilate(upright[top:bottom], np.ones((1, SIDE_LEAN), np.uint8))
    are_sides = band.mean(axis=0) >= MIN_SIDE_SHARE
    sides = np.flatnonzero(np.diff(are_sides, prepend=False) & are_sides)  # where each begins
    between = np.searchsorted(sides, [left.right - SIDE_LEAN, right.left])
    if between[1] - between[0] != 1 or not 0 < between[0] < len(sides) - 1:
        return False
    cells = np.diff(sides[between[0] - 1 : between[0] + 2])
    return bool(cells.min() >= MIN_CELL_WIDTH * unit)
