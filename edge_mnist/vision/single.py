"""Pictures of one digit that fills them, as crops do: on a page it would be no stroke of a pen."""

import math

import cv2
import numpy as np

from edge_mnist.preprocessing import (
    MIN_CONTRAST,
    GrayImage,
    NormalizedDigit,
    normalize_digit,
    otsu_threshold,
)
from edge_mnist.vision.components import find_components

# The digit spans this share of the picture's shorter side, and is this share of the ink.
MIN_SPAN = 0.4
MIN_SHARE = 0.85
# The two tones of such a picture spread by at most this share of what is between them, seen at
# about so many pixels. An even slope of light spreads by 0.29.
MAX_SPREAD = 0.25
COARSE_SIDE_PX = 60


def find_single(gray: GrayImage) -> NormalizedDigit | None:
    """Return the digit that fills a picture, if it is ink and paper and the ink one large piece.

    Args:
        gray: uint8 [height, width], dark on light or light on dark, at least one pixel.
    """
    factor = max(1, min(gray.shape) // COARSE_SIDE_PX)
    coarse = gray[::factor, ::factor]
    if int(coarse.max()) - int(coarse.min()) < MIN_CONTRAST:
        return None
    is_bright = coarse > otsu_threshold(coarse)
    bright, dark = coarse[is_bright], coarse[~is_bright]
    within = (bright.var() * bright.size + dark.var() * dark.size) / coarse.size
    if math.sqrt(within) > MAX_SPREAD * (bright.mean() - dark.mean()):
        return None
    border = np.concatenate([is_bright[0], is_bright[-1], is_bright[:, 0], is_bright[:, -1]])
    ink = is_bright if border.mean() <= 0.5 else ~is_bright
    _, stats = find_components(ink.astype(np.uint8))
    _, _, width, height, area = stats[1 + stats[1:, cv2.CC_STAT_AREA].argmax()]
    is_large = max(width, height) >= MIN_SPAN * min(coarse.shape)
    return normalize_digit(gray) if is_large and area >= MIN_SHARE * ink.sum() else None
