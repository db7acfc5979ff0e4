"""Looks at a picture: in fewer pixels, without faint ink, made wider."""

import math
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np

from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.ink import MIN_CONTRAST
from edge_mnist.vision.merging import MIN_GAIN
from edge_mnist.vision.reading import Reading, Rows

# A hand is narrow whose digits other than 1, so many at least, have less than this width in the
# median, in heights; MNIST's have about three quarters. It is made WIDENED wide. What is narrower
# than NARROWEST is no writing.
MIN_DIGITS = 4
NARROW = 0.5
WIDENED = 0.65
NARROWEST = 0.2
# A bit less is no worse there: what passes for a 1 is as sure.
WIDE_GAIN = 0.9


@dataclass(frozen=True)
class Look:
    """Another look at a picture than the first.

    Attributes:
        gain: All of it is taken if it is more than so many times as much.
        number_gain: Otherwise where a number is, what has as many digits is, and is more than so
            many times as much.
        side_share: How long its longer side is, as a share of the first look's.
        stretch: How many times as wide it is made.
        min_contrast: What stands out by no more than this is no ink, 0 to 255.
    """

    gain: float
    number_gain: float = MIN_GAIN
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


def look_wider(rows: Rows) -> Look | None:
    """Return a look that makes a narrow hand wider; None if what was read is not of one."""
    boxes = [found.box for found in Reading(rows).digits if found.digit != 1]
    if len(boxes) < MIN_DIGITS:
        return None
    aspect = median(width / height for _, _, width, height in boxes)
    if not NARROWEST <= aspect < NARROW:
        return None
    return Look(gain=math.inf, number_gain=WIDE_GAIN, stretch=WIDENED / aspect)


def reduce(gray: GrayImage, side: int) -> GrayImage:
    """Return a picture whose longer side is at most so long."""
    scale = max(gray.shape) / side
    if scale <= 1:
        return gray
    size = (max(1, round(gray.shape[1] / scale)), max(1, round(gray.shape[0] / scale)))
    # Down to a half no pixel is passed over, and this is quicker.
    interpolation = cv2.INTER_LINEAR if scale < 2 else cv2.INTER_AREA
    return cv2.resize(gray, size, interpolation=interpolation).astype(np.uint8, copy=False)
