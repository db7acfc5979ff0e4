"""Whether digits stand in the same place, on a page that may be turned."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge_mnist.vision.reading import Box, bound, overlap


def overlap_places(ones: Sequence[Box], others: Sequence[Box]) -> float:
    """Return what the places of two numbers share, as a share of the smaller one, 0 to 1.

    A place is the smallest rectangle around digits, level or not: of lines that are not level, the
    boxes overlap.

    Args:
        ones: The boxes of a number's digits, at least one.
        others: The same of another number.
    """
    if overlap(bound(ones), bound(others)) == 0:
        return 0.0
    one, other = (cv2.minAreaRect(_list_corners(boxes)) for boxes in (ones, others))
    _, common = cv2.rotatedRectangleIntersection(one, other)
    if common is None:
        return 0.0
    smaller = min(width * height for _, (width, height), _ in (one, other))
    return min(1.0, cv2.contourArea(cv2.convexHull(common)) / smaller)


def _list_corners(boxes: Sequence[Box]) -> np.typing.NDArray[np.float32]:
    """Return the corners of boxes, float32 [4 N, 2]."""
    left, top, width, height = np.array(boxes, np.float32).T
    return np.concatenate(
        [np.stack([x, y], axis=1) for x in (left, left + width) for y in (top, top + height)]
    )
