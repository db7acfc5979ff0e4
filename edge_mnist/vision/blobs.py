"""Pieces of ink that hang together."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import BOX_INK_SHARE, FULL_INK_PERCENTILE, PAPER_INK_SHARE
from edge_mnist.vision.ink import MIN_CONTRAST, InkMap, label_components, touches_border
from edge_mnist.vision.reading import Box

# What is lower than this, in pixels, is no digit; it may be a piece of one.
MIN_DIGIT_HEIGHT = 9
# Fewer pixels than this are a speck.
MIN_PIECE_AREA = 6
# This share of a blob is strong ink.
STRONG_SHARE = 0.1
# Labels are 16 bits; with half as many pieces there is nothing but noise.
MAX_PIECES = 30_000


@dataclass(frozen=True)
class Blob:
    """Ink that hangs together, or that belongs together.

    Attributes:
        box: Around it.
        mask: bool [height, width] of the box: what belongs to it.
        level: The contrast of its full stroke, 0 to 255.
    """

    box: Box
    mask: NDArray[np.bool_]
    level: float

    @property
    def left(self) -> int:
        return self.box[0]

    @property
    def top(self) -> int:
        return self.box[1]

    @property
    def width(self) -> int:
        return self.box[2]

    @property
    def height(self) -> int:
        return self.box[3]

    @property
    def right(self) -> int:
        return self.box[0] + self.box[2]

    @property
    def bottom(self) -> int:
        return self.box[1] + self.box[3]


def find_blobs(ink: InkMap) -> tuple[list[Blob], list[Blob]]:
    """Find what may be digits, and small pieces that may belong to them."""
    _, mask = cv2.threshold(ink.contrast, MIN_CONTRAST, 1, cv2.THRESH_BINARY)
    labels, stats = label_components(mask)
    count = len(stats)
    if count > MAX_PIECES:
        return [], []
    strength = np.bincount(labels[ink.strong > 0], minlength=count)
    area = stats[:, cv2.CC_STAT_AREA]
    is_inside = ~touches_border(stats, ink.contrast.shape)
    chosen = is_inside & (area >= MIN_PIECE_AREA) & (strength >= STRONG_SHARE * area)
    chosen[0] = False
    digits, pieces = [], []
    for label in np.flatnonzero(chosen):
        left, top, wide, high, _ = stats[label].tolist()
        if high < MIN_DIGIT_HEIGHT and wide < MIN_DIGIT_HEIGHT:
            region = slice(top, top + high), slice(left, left + wide)
            own = labels[region] == label
            pieces.append(
                Blob((left, top, wide, high), own, float(ink.contrast[region][own].max()))
            )
            continue
        for blob in _refine(ink, labels, int(label), (left, top, wide, high)):
            (digits if blob.height >= MIN_DIGIT_HEIGHT else pieces).append(blob)
    return _leave_frames_out(digits), pieces


def _leave_frames_out(blobs: list[Blob]) -> list[Blob]:
    """Return the blobs that hold no other within them."""
    if len(blobs) < 2:
        return blobs
    x, y, w, h = np.array([blob.box for blob in blobs]).T
    holds = (
        (x[:, None] < x)
        & (y[:, None] < y)
        & ((x + w)[:, None] > x + w)
        & ((y + h)[:, None] > y + h)
        & (h >= 0.3 * h[:, None])
    )
    return [blob for blob, is_frame in zip(blobs, holds.any(axis=1), strict=True) if not is_frame]


def _refine(ink: InkMap, labels: NDArray[np.uint16], label: int, box: Box) -> list[Blob]:
    """Cut a component at its own level of ink: what is faint beside it falls off."""
    left, top, wide, high = box
    region = slice(top, top + high), slice(left, left + wide)
    own = labels[region] == label
    contrast = ink.contrast[region]
    level = float(np.percentile(contrast[own], FULL_INK_PERCENTILE))
    full = own & (contrast > max(MIN_CONTRAST, BOX_INK_SHARE * level))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(full.astype(np.uint8))
    found = []
    for part in range(1, count):
        x, y, w, h, area = stats[part].tolist()
        if area >= MIN_PIECE_AREA:
            mask = parts[y : y + h, x : x + w] == part
            found.append(Blob((left + x, top + y, w, h), mask, level))
    return found


def cut_ink(ink: InkMap, blob: Blob) -> NDArray[np.float32]:
    """Return a blob's ink with its grey levels.

    Returns:
        float32 [height, width] of its box, 0 is paper and 1 is a full stroke.
    """
    x, y, w, h = blob.box
    # The soft edge of a stroke belongs to it, the next digit's does not.
    radius = 1 + min(w, h) // 24
    near = cv2.dilate(blob.mask.astype(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8))
    contrast = ink.contrast[y : y + h, x : x + w]
    level = min(blob.level, float(contrast[blob.mask].max()))
    share = contrast * np.float32(1 / level)
    share[(near == 0) | (share < PAPER_INK_SHARE)] = 0
    return np.minimum(share, 1, out=share)


def unite(blobs: list[Blob]) -> Blob:
    """Return several blobs as one."""
    left, top = min(b.left for b in blobs), min(b.top for b in blobs)
    right, bottom = max(b.right for b in blobs), max(b.bottom for b in blobs)
    mask = np.zeros((bottom - top, right - left), bool)
    for b in blobs:
        mask[b.top - top : b.bottom - top, b.left - left : b.right - left] |= b.mask
    return Blob((left, top, right - left, bottom - top), mask, max(b.level for b in blobs))
