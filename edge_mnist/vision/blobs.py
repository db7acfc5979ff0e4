"""Pieces of ink that hang together."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import (
    BOX_INK_SHARE,
    FULL_INK_PERCENTILE,
    PAPER_INK_SHARE,
    GrayImage,
)
from edge_mnist.vision.components import Components, find_components, touches_border
from edge_mnist.vision.ink import InkMap
from edge_mnist.vision.reading import Box
from edge_mnist.vision.short_lines import erase_frame, erase_underline

# What is lower than this, in pixels, is no digit; it may be a piece of one.
MIN_DIGIT_HEIGHT = 9
# Fewer pixels than this are a speck.
MIN_PIECE_AREA = 6
# This share of a blob is strong ink.
STRONG_SHARE = 0.1
# What holds another of this share of its height is a frame.
MIN_HELD_SHARE = 0.3
# Where the soft edges of digits and a frame run into one another, they part at one of these shares
# of the full stroke. A frame around a number is so many times as wide as high.
FRAME_INK_SHARES = (0.5, 0.65)
MIN_FRAME_ASPECT = 1.5
# One around a digit is told by its sides: within this share of its box there is ink along so much
# of each. Of a round 0 there is less.
SIDE_DEPTH = 0.15
MIN_SIDE_SHARE = 0.8
# What stands on a line is at least so many times as wide as high, and without it has this share of
# the height. The foot of a 2 is no longer than so many times the height of the 2.
MIN_UNDERLINED_ASPECT = 1.3
MIN_STANDING_SHARE = 0.5
MAX_FOOT_ASPECT = 2.0
# With more pieces there is nothing but noise.
MAX_PIECES = 30_000
LEVELS = np.arange(256, dtype=np.float32)
# The pixels that are next to one, and it.
NEXT = np.ones((3, 3), np.uint8)


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
        """The column of its left edge."""
        return self.box[0]

    @property
    def top(self) -> int:
        """The row of its upper edge."""
        return self.box[1]

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.box[2]

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.box[3]

    @property
    def right(self) -> int:
        """The column past its right edge."""
        return self.box[0] + self.box[2]

    @property
    def bottom(self) -> int:
        """The row past its lower edge."""
        return self.box[1] + self.box[3]


def find_blobs(ink: InkMap, components: Components) -> tuple[list[Blob], list[Blob]]:
    """Find what may be digits, and small pieces that may belong to them.

    Args:
        ink: The ink of a frame.
        components: What hangs together in its mask.

    Returns:
        Both from top to bottom.
    """
    labels, stats = components
    if len(stats) > MAX_PIECES:
        return [], []
    around = _bound_pieces(stats)
    strong = labels[around][ink.strong[around].view(bool)]
    strength = np.bincount(strong, minlength=len(stats))
    area = stats[:, cv2.CC_STAT_AREA]
    chosen = (area >= MIN_PIECE_AREA) & (strength >= STRONG_SHARE * area)
    chosen &= ~touches_border(stats, labels.shape)
    chosen[0] = False
    digits: list[Blob] = []
    pieces: list[Blob] = []
    for label in np.flatnonzero(chosen):
        left, top, wide, high, _ = stats[label].tolist()
        region = slice(top, top + high), slice(left, left + wide)
        own, contrast = labels[region] == label, ink.contrast[region]
        if max(high, wide) < MIN_DIGIT_HEIGHT:
            pieces.append(Blob((left, top, wide, high), own, float(contrast[own].max())))
            continue
        for blob in _refine(contrast, own, left, top):
            (digits if blob.height >= MIN_DIGIT_HEIGHT else pieces).append(blob)
    return _leave_frames_out(digits), pieces


def _bound_pieces(stats: NDArray[np.int32]) -> tuple[slice, slice]:
    """Return the rows and columns that hold all pieces: most of a frame is paper."""
    if len(stats) < 2:
        return slice(0), slice(0)
    left, top, wide, high, _ = stats[1:].T
    return slice(top.min(), (top + high).max()), slice(left.min(), (left + wide).max())


def _leave_frames_out(blobs: list[Blob]) -> list[Blob]:
    """Return the blobs that hold no other within them, as drawn frames do."""
    are_frames = _find_frames(blobs)
    return [blob for blob, is_frame in zip(blobs, are_frames, strict=True) if not is_frame]


def _find_frames(blobs: list[Blob]) -> NDArray[np.bool_]:
    """Tell of each blob whether it holds another, bool [N]."""
    if not blobs:
        return np.zeros(0, bool)
    x, y, w, h = np.array([blob.box for blob in blobs]).T
    holds = (
        (x[:, None] < x)
        & (y[:, None] < y)
        & ((x + w)[:, None] > x + w)
        & ((y + h)[:, None] > y + h)
        & (h >= MIN_HELD_SHARE * h[:, None])
    )
    found: NDArray[np.bool_] = holds.any(axis=1)
    return found


def _refine(contrast: GrayImage, own: NDArray[np.bool_], left: int, top: int) -> list[Blob]:
    """Cut a component at its own level of ink: what is faint beside it falls off.

    Args:
        contrast: uint8 [height, width] of its box.
        own: bool of the same shape.
        left: Where the box stands.
        top: The same.
    """
    level = take_rank(contrast[own], FULL_INK_PERCENTILE / 100)
    whole = Blob((left, top, own.shape[1], own.shape[0]), own, level)
    return [
        freed
        for blob in _cut_at(contrast, whole, BOX_INK_SHARE)
        for freed in _free(contrast[blob.top - top :, blob.left - left :], blob)
    ]


def _cut_at(contrast: GrayImage, blob: Blob, share: float) -> list[Blob]:
    """Return what of a blob is above a share of its full stroke; `contrast` starts at its box."""
    full = blob.mask & (contrast[: blob.height, : blob.width] > share * blob.level)
    labels, stats = find_components(full.view(np.uint8))
    return [
        Blob((blob.left + x, blob.top + y, w, h), labels[y : y + h, x : x + w] == label, blob.level)
        for label, (x, y, w, h, area) in enumerate(stats.tolist())
        if label and area >= MIN_PIECE_AREA
    ]


def _free(contrast: GrayImage, blob: Blob) -> list[Blob]:
    """Part digits from a line under them or a frame; return the blob alone if there is none."""
    if blob.width >= MIN_UNDERLINED_ASPECT * blob.height:
        above = erase_underline(blob.mask)
        if above is not None:
            freed = _cut_at(contrast, replace(blob, mask=above), BOX_INK_SHARE)
            if _stand_on_line(freed, blob):
                return freed
    is_square = _is_square(blob.mask)
    if is_square:
        within = erase_frame(blob.mask)
        if within is not None:
            freed = _cut_at(contrast, replace(blob, mask=within), BOX_INK_SHARE)
            if any(piece.height >= MIN_STANDING_SHARE * blob.height for piece in freed):
                return freed
    if blob.width < MIN_FRAME_ASPECT * blob.height and not is_square:
        return [blob]
    # As many digits come off as there are.
    ways = [_cut_at(contrast, blob, share) for share in FRAME_INK_SHARES]
    return max([[blob], *ways], key=_count_freed)


def _stand_on_line(freed: list[Blob], whole: Blob) -> bool:
    """Tell whether what a line was taken from are digits, and not a 2 that lost its foot."""
    standing = sum(piece.height >= MIN_STANDING_SHARE * whole.height for piece in freed)
    return standing > 1 or (standing == 1 and whole.width >= MAX_FOOT_ASPECT * whole.height)


def _is_square(own: NDArray[np.bool_]) -> bool:
    """Tell whether ink keeps to all four sides of its box, as a drawn cell does."""
    depth = 1 + int(SIDE_DEPTH * min(own.shape))
    # Most digits fail on the first side, and this is done for every one of them.
    for side, axis in (
        (own[:depth], 0),
        (own[-depth:], 0),
        (own[:, :depth], 1),
        (own[:, -depth:], 1),
    ):
        has_ink = side.any(axis=axis)
        if np.count_nonzero(has_ink) < MIN_SIDE_SHARE * len(has_ink):
            return False
    return True


def take_rank(levels: GrayImage, share: float) -> float:
    """Return the level that this share of others is below; quicker than NumPy's percentiles.

    Args:
        levels: uint8 [N], at least one.
        share: 0 to 1.
    """
    rank = int(share * (len(levels) - 1))
    return float(np.partition(levels, rank)[rank])


def _count_freed(blobs: list[Blob]) -> int:
    """Return how many of the pieces that hold no other are as high as what a frame holds."""
    are_frames = _find_frames(blobs)
    if not are_frames.any():
        return 0
    lowest = MIN_HELD_SHARE * max(blob.height for blob in blobs)
    return sum(
        blob.height >= lowest
        for blob, is_frame in zip(blobs, are_frames, strict=True)
        if not is_frame
    )


def cut_ink(ink: InkMap, blob: Blob) -> NDArray[np.float32]:
    """Return a blob's ink with its grey levels.

    Returns:
        float32 [height, width] of its box, 0 is paper and 1 is a full stroke.
    """
    x, y, w, h = blob.box
    # The soft edge of a stroke belongs to it, the next digit's does not.
    radius = 1 + min(w, h) // 24
    own = blob.mask.view(np.uint8)
    near = cv2.dilate(own, NEXT, iterations=radius)
    contrast = ink.contrast[y : y + h, x : x + w]
    level = min(blob.level, cv2.minMaxLoc(contrast, own)[1])
    shares = LEVELS * np.float32(1 / level)
    shares[shares < PAPER_INK_SHARE] = 0
    cut = cv2.LUT(contrast * near, np.minimum(shares, 1))
    return cut.astype(np.float32, copy=False)


def unite(blobs: list[Blob]) -> Blob:
    """Return several blobs as one."""
    left, top = min(b.left for b in blobs), min(b.top for b in blobs)
    right, bottom = max(b.right for b in blobs), max(b.bottom for b in blobs)
    mask = np.zeros((bottom - top, right - left), bool)
    for b in blobs:
        mask[b.top - top : b.bottom - top, b.left - left : b.right - left] |= b.mask
    return Blob((left, top, right - left, bottom - top), mask, max(b.level for b in blobs))


def trim(blob: Blob, own: NDArray[np.bool_]) -> Blob | None:
    """Return a part of a blob in a box of its own; None if there is nothing of it.

    Args:
        blob: All of it.
        own: bool [height, width] of its box: the part.
    """
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    box = (blob.left + left, blob.top + top, right - left, bottom - top)
    return Blob(box, own[top:bottom, left:right], blob.level)
