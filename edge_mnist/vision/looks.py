"""Looks at a picture: in fewer pixels, without faint ink, made wider."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

import cv2
import numpy as np

from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.ink import MIN_CONTRAST
from edge_mnist.vision.reading import Box, Number, Reading, Rows

# MNIST's digits other than 1 are about 0.77 times as wide as high. Where those of a hand, so many
# at least, are narrower than the first of these in the median, its 7 and its 2 pass for a 1; it is
# made as wide as the second.
NARROW_ASPECT = 0.5
WIDENED_ASPECT = 0.65
MIN_NARROW_DIGITS = 4


@dataclass(frozen=True)
class Look:
    """Another look at a picture than the first.

    Attributes:
        gain: What is more there is taken, number by number; all of it, if in all it is so many
            times as much.
        side_share: How long its longer side is, as a share of the first look's.
        stretch: How many times as wide it is made.
        min_contrast: What stands out by no more than this is no ink, 0 to 255.
    """

    gain: float
    side_share: float = 1.0
    stretch: float = 1.0
    min_contrast: int = MIN_CONTRAST

    def take(self, gray: GrayImage, side: int) -> GrayImage:
        """Return what is looked at of a picture whose longer side the first look had so long."""
        reduced = reduce(gray, max(1, round(self.side_share * side)))
        if self.stretch == 1:
            return reduced
        size = round(self.stretch * reduced.shape[1]), reduced.shape[0]
        return cv2.resize(reduced, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


# Faint large strokes stand out of noise in half the resolution only.
IF_NOISY = (Look(gain=1.1, side_share=0.5),)
# Where faint ink does not count, stains and shadows are none; in less resolution, broken strokes
# are whole.
IF_UNCLEAR = (Look(gain=2.0, min_contrast=20), Look(gain=2.0, side_share=0.7))
# A bit less is no worse: what is read as a 1 by mistake is as sure.
IF_NARROW = Look(gain=0.9)


def look_wider(rows: Rows) -> Look | None:
    """Return a look at what was read that makes a narrow hand wider; None if it is not narrow."""
    boxes = [found.box for found in Reading(rows).digits if found.digit != 1]
    if len(boxes) < MIN_NARROW_DIGITS:
        return None
    aspect = median(width / height for _, _, width, height in boxes)
    return replace(IF_NARROW, stretch=WIDENED_ASPECT / aspect) if aspect < NARROW_ASPECT else None


def reduce(gray: GrayImage, side: int) -> GrayImage:
    """Return a picture whose longer side is at most so long."""
    scale = max(gray.shape) / side
    if scale <= 1:
        return gray
    size = (max(1, round(gray.shape[1] / scale)), max(1, round(gray.shape[0] / scale)))
    # Down to a half no pixel is passed over, and this is quicker.
    interpolation = cv2.INTER_LINEAR if scale < 2 else cv2.INTER_AREA
    return cv2.resize(gray, size, interpolation=interpolation).astype(np.uint8, copy=False)


def enlarge(rows: Rows, looked_at: GrayImage, gray: GrayImage) -> Rows:
    """Return what was read in what was looked at with its boxes in the whole picture."""
    if looked_at.shape == gray.shape:
        return rows
    down, across = (whole / part for whole, part in zip(gray.shape, looked_at.shape, strict=True))

    def enlarge_box(box: Box) -> Box:
        left, top, width, height = box
        return round(across * left), round(down * top), round(across * width), round(down * height)

    return move(rows, enlarge_box)


def move(rows: Rows, move_box: Callable[[Box], Box]) -> Rows:
    """Return what was read with each digit's box somewhere else."""

    def move_number(number: Number) -> Number:
        digits = tuple(replace(found, box=move_box(found.box)) for found in number.digits)
        return replace(number, digits=digits)

    return tuple(tuple(map(move_number, row)) for row in rows)
