"""The ink of a whole number, brought to one size: what a model reads that needs no cuts."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.ink import InkMap

STRIP_HEIGHT, STRIP_WIDTH = 32, 256
# How high a digit is in a strip, about as in MNIST.
STRIP_DIGIT_HEIGHT = 20
# Room beside the ink, in heights of a digit: for digits that were not found.
MARGIN = 1.0
# Lines are level but for this; by two digits it cannot be told how level.
MAX_SLOPE = 0.08
MIN_LEVELLED = 3
# What is too long is squeezed, but by no more than this.
MAX_SQUEEZE = 1.4
# Rows beyond the strip that a smooth picture of its edge needs, in its pixels.
EDGE = 2
# A stroke fades out over so many pixels of the ink map.
SOFT_EDGE = 2


@dataclass(frozen=True)
class Strip:
    """The ink of a number and its surroundings.

    Attributes:
        image: uint8 [STRIP_HEIGHT, STRIP_WIDTH], 0 is paper and 255 is a full stroke.
        to_strip: float64 [2, 3]: takes a place in the ink map to its place in the image.
        width: How many of its columns show something.
    """

    image: GrayImage
    to_strip: NDArray[np.float64]
    width: float


def cut_strip(ink: InkMap, blobs: Sequence[Blob], digits: Sequence[Blob] = ()) -> Strip | None:
    """Cut out the ink of a number.

    Args:
        ink: Where it stands, level but for little.
        blobs: What was found of it, at least one.
        digits: What is known for digits, also elsewhere: those of other lines are left out.

    Returns:
        The strip; None if the number is too long for one.
    """
    to_strip, width = _place(blobs)
    if width > STRIP_WIDTH:
        return None
    # Down to its size by areas first: between few pixels of a large picture it would lose strokes.
    from_strip = cv2.invertAffineTransform(to_strip)
    corners = np.array([(x, y, 1) for x in (0, width) for y in (-EDGE, STRIP_HEIGHT + EDGE)])
    places = corners @ from_strip.T
    high, wide = ink.contrast.shape
    left, top = np.clip(np.floor(places.min(axis=0)).astype(int), 0, (wide, high))
    right, bottom = np.clip(np.ceil(places.max(axis=0)).astype(int), 0, (wide, high))
    if right <= left or bottom <= top:
        return None
    crop = ink.contrast[top:bottom, left:right]
    crop = _leave_lines_out(crop, (left, top), blobs, digits, to_strip)
    shrinking = max(1.0, 1 / to_strip[1, 1])
    size = tuple(max(1, round(side / shrinking)) for side in reversed(crop.shape))
    if shrinking > 1:
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    across, down = (right - left) / size[0], (bottom - top) / size[1]
    # The middle of a pixel stays the middle.
    to_ink = np.array(
        [(across, 0, left + across / 2 - 0.5), (0, down, top + down / 2 - 0.5), (0, 0, 1)]
    )
    share = cv2.warpAffine(
        crop.astype(np.float32), to_strip @ to_ink, (STRIP_WIDTH, STRIP_HEIGHT)
    ) / np.float32(median(blob.level for blob in blobs))
    return Strip(np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8), to_strip, width)


def _leave_lines_out(
    crop: GrayImage,
    corner: tuple[int, int],
    blobs: Sequence[Blob],
    digits: Sequence[Blob],
    to_strip: NDArray[np.float64],
) -> GrayImage:
    """Return the ink of a strip without the digits whose middles are above or below it.

    Args:
        crop: uint8 [height, width], the ink.
        corner: Where its left upper corner is, column and row.
        blobs: What is to be seen in the strip; none of its ink is left out.
        digits: Digits anywhere.
        to_strip: What takes a place to its place in the strip.
    """
    left, top = corner
    right, bottom = left + crop.shape[1], top + crop.shape[0]

    def mark(picture: NDArray[np.uint8], blob: Blob, level: int) -> None:
        """Give the pixels of a blob a level, where they are in the strip."""
        x, y = max(left, blob.left), max(top, blob.top)
        if x >= min(right, blob.right) or y >= min(bottom, blob.bottom):
            return
        own = blob.mask[y - blob.top : bottom - blob.top, x - blob.left : right - blob.left]
        picture[y - top :, x - left :][: own.shape[0], : own.shape[1]][own] = level

    other = np.zeros(crop.shape, np.uint8)
    for blob in digits:
        middle = blob.left + blob.width / 2, blob.top + blob.height / 2, 1
        if not 0 <= to_strip[1] @ middle < STRIP_HEIGHT:
            mark(other, blob, 1)
    if not other.any():
        return crop
    # The soft edge of a stroke belongs to it.
    other = cv2.dilate(other, np.ones((2 * SOFT_EDGE + 1,) * 2, np.uint8)).astype(np.uint8)
    for blob in blobs:
        mark(other, blob, 0)
    return np.where(other > 0, 0, crop).astype(np.uint8, copy=False)


def _place(blobs: Sequence[Blob]) -> tuple[NDArray[np.float64], float]:
    """Return what takes blobs into a strip, float64 [2, 3], and how much of its width they take."""
    high = median(blob.height for blob in blobs)
    left = min(blob.left for blob in blobs) - MARGIN * high
    right = max(blob.right for blob in blobs) + MARGIN * high
    across = np.array([blob.left + blob.width / 2 for blob in blobs])
    down = np.array([blob.top + blob.height / 2 for blob in blobs])
    slope = 0.0
    if len(blobs) >= MIN_LEVELLED:
        slope = float(np.clip(np.polyfit(across, down, 1)[0], -MAX_SLOPE, MAX_SLOPE))
    middle = float(np.median(down - slope * across))
    scale = STRIP_DIGIT_HEIGHT / high
    squeeze = min(max(1.0, scale * (right - left) / STRIP_WIDTH), MAX_SQUEEZE)
    to_strip = np.array(
        [
            (scale / squeeze, 0, -scale / squeeze * left),
            (-scale * slope, scale, STRIP_HEIGHT / 2 - scale * middle),
        ]
    )
    return to_strip, scale / squeeze * (right - left)
