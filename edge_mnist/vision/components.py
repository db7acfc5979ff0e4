"""What hangs together in a mask."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]

# Most of a frame is paper. If all ink lies within this share of it, the rest is not searched.
MAX_CROP_SHARE = 0.5
# 16 bits are quicker, but OpenCV crashes if they do not suffice.
MAX_SHORT_LABEL = np.iinfo(np.uint16).max


class Components(NamedTuple):
    """The connected pieces of a mask; the first is all that is not in the mask.

    Attributes:
        labels: Unsigned or signed integers [height, width]: each pixel's piece.
        stats: int32 [N, 5], of each piece left, top, width, height and area in pixels.
    """

    labels: NDArray[Any]
    stats: NDArray[np.int32]


def find_components(mask: Mask) -> Components:
    """Find the pieces of a mask, uint8 [height, width], above 0 where it holds; corners connect."""
    x, y, w, h = cv2.boundingRect(mask)
    if w * h == 0:
        height, width = mask.shape
        whole = np.array([[0, 0, width, height, mask.size]], np.int32)
        return Components(np.zeros(mask.shape, np.uint16), whole)
    if w * h < MAX_CROP_SHARE * mask.size:
        return _find_within(mask, x, y, w, h)
    return _find(mask)


def _find(mask: Mask) -> Components:
    is_small = cv2.countNonZero(mask) < MAX_SHORT_LABEL
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask, ltype=cv2.CV_16U if is_small else cv2.CV_32S
    )
    return Components(labels, stats.astype(np.int32, copy=False))


def _find_within(mask: Mask, x: int, y: int, w: int, h: int) -> Components:
    """Find the pieces of a mask that is empty but for a rectangle."""
    region = slice(y, y + h), slice(x, x + w)
    within = _find(np.ascontiguousarray(mask[region]))
    labels = np.zeros(mask.shape, within.labels.dtype)
    labels[region] = within.labels
    stats = within.stats + np.array([x, y, 0, 0, 0], np.int32)
    stats[0] = 0, 0, mask.shape[1], mask.shape[0], mask.size - stats[1:, cv2.CC_STAT_AREA].sum()
    return Components(labels, stats)


def touches_border(
    stats: NDArray[np.int32], shape: tuple[int, ...], margin: int = 1
) -> NDArray[np.bool_]:
    """Tell of each piece whether it reaches the border, as hands and shadows do.

    Args:
        stats: int32 [N, 5], as in `Components`.
        shape: Height and width of the mask.
        margin: How close to the border counts, in pixels.

    Returns:
        bool [N]; false for the first, which is no piece.
    """
    x, y, w, h, _ = stats.T
    height, width = shape
    reaches: NDArray[np.bool_] = (
        (x <= margin) | (y <= margin) | (x + w >= width - margin) | (y + h >= height - margin)
    )
    reaches[0] = False
    return reaches
