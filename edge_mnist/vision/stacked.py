"""Digits of two lines that touch, as where the tail of a 7 reaches the line below."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_mnist.vision.blobs import Blob, trim
from edge_mnist.vision.candidates import Candidate

# Such ink is so many times as high as the digits beside it, which are no further away than so many
# times their own height, and no wider than so many times this.
MIN_RATIO, MAX_RATIO = 1.5, 3.0
REACH = 1.6
MAX_WIDTH = 2.2
# The lower line begins no higher than this above where the upper one ends, in heights of a digit.
MAX_OVERLAP = 0.3
# It is cut no further from where these end and begin than this, in their heights; both parts have
# at least this share of its height.
CUT_SPREAD = 0.15
MIN_PART_SHARE = 0.25


def propose_stacked(wholes: Sequence[Candidate]) -> dict[int, list[Blob]]:
    """Cut what reaches over two lines of clear digits between these.

    Args:
        wholes: What may be digits in a frame.

    Returns:
        The upper part and the lower one of each such candidate, by its index.
    """
    clear = np.array([c.blob.box for c in wholes if not c.is_unclear]).reshape(-1, 4)
    if not len(clear):
        return {}
    lowest = MIN_RATIO * clear[:, 3].min()
    # A straight stroke can be cut anywhere: it is a rule.
    high = [
        index
        for index, whole in enumerate(wholes)
        if whole.blob.height >= lowest and (whole.is_unclear or whole.prediction.digit != 1)
    ]
    parts = {index: _part(wholes[index].blob, clear) for index in high}
    return {index: both for index, both in parts.items() if len(both) > 1}


def _part(blob: Blob, clear: NDArray[np.int64]) -> list[Blob]:
    """Return the parts of a blob that stand in two lines; nothing if it stands in one.

    Args:
        blob: It.
        clear: int64 [N, 4], the boxes of clear digits.
    """
    x, y, w, h = clear.T
    distance = np.maximum(x - blob.right, blob.left - x - w)
    is_beside = (y + h > blob.top) & (y < blob.bottom) & (distance <= REACH * h)
    is_low = (MIN_RATIO * h <= blob.height) & (h * MAX_RATIO >= blob.height)
    x, y, w, h = clear[is_beside & is_low].T
    # Among others that are as high it is one of a line.
    if 2 * len(h) <= is_beside.sum():
        return []
    is_above = y + h / 2 < blob.top + blob.height / 2
    usual = float(np.median(h))
    if is_above.all() or not is_above.any() or blob.width > MAX_WIDTH * usual:
        return []
    borders = np.median((y + h)[is_above]), np.median(y[~is_above])
    # One line that rises or falls is not two.
    if borders[0] - borders[1] > MAX_OVERLAP * usual:
        return []
    least = MIN_PART_SHARE * blob.height
    first = max(min(borders) - CUT_SPREAD * usual - blob.top, least)
    last = min(max(borders) + CUT_SPREAD * usual - blob.top, blob.height - least)
    rows = np.arange(round(first), round(last) + 1)
    if not len(rows):
        return []
    ink = np.count_nonzero(blob.mask[rows], axis=1)
    # Of equal rows the lowest: what is narrow is a tail of the line above.
    cut = rows[np.flatnonzero(ink == ink.min())[-1]]
    is_upper = np.arange(blob.height)[:, None] < cut
    parts = [trim(blob, blob.mask & is_part) for is_part in (is_upper, ~is_upper)]
    return [part for part in parts if part is not None]
