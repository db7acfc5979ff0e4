"""Pictures of one digit that fills them, as crops do: on a page it would be no stroke of a pen."""

import math
from collections.abc import Sequence

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
from edge_mnist.vision.reading import Box

# The digit spans this share of the picture's shorter side, and is this share of the ink.
MIN_SPAN = 0.4
MIN_SHARE = 0.85
# The two tones of such a picture spread by at most this share of what is between them, seen at
# about so many pixels. An even slope of light spreads by 0.29.
MAX_SPREAD = 0.25
COARSE_SIDE_PX = 60


def find_single(gray: GrayImage, digits: Sequence[Box] = ()) -> NormalizedDigit | None:
    """Return the digit that fills a picture, if it is ink and paper and the ink one large piece.

    Args:
        gray: uint8 [height, width], dark on light or light on dark, at least one pixel.
        digits: Where digits were read in it: beside those, the large piece is a shadow.
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
    labels, stats = find_components(ink.astype(np.uint8))
    label = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    _, _, width, height, area = stats[label]
    is_large = max(width, height) >= MIN_SPAN * min(coarse.shape)
    is_single = is_large and area >= MIN_SHARE * ink.sum()
    for x, y, w, h in digits:
        own = labels[y // factor : (y + h) // factor + 1, x // factor : (x + w) // factor + 1]
        is_single &= bool((own == label).any())
    return normalize_digit(gray) if is_single else None
