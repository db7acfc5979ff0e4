"""Varying strips as hands, pens and cameras do."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist.vision.strips import STRIP_DIGIT_HEIGHT, STRIP_HEIGHT, STRIP_WIDTH

# This share of strips, if there is room, has its digits further apart, by up to so many columns;
# each gap differs from the others by so much.
SPREAD, MAX_SPREAD = 0.25, 26.0
UNEVEN = 0.25
# This share has a sign before, behind or between its digits, which is none. Each character of a
# sign is drawn over the last. Letters that look like digits are left out.
SIGNED = 0.15
SIGNS = (*"//(()-+=xx%%#$$&?!*:;,.<>", *"ACEFHKMNPRUVWXYdefhkmnprtuvwx", "C=", "C=", "L-")
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)
# How high a sign's capitals are, in heights of a digit, and how far from the digits, in columns.
SIGN_HEIGHTS = (0.7, 1.25)
SIGN_GAPS = (4, 9)
# So far from the middle of the first digit and of the last, in columns, a number begins and ends.
HALF_DIGIT = 12

# The share of strips that training shows as they are. The others are made so many times as wide,
# from and to, and as high, to either side, both as logarithms; sheared by so many columns to a row
# and turned by so many rows to a column; shifted by so many columns, and up or down by rows of this
# deviation.
PLAIN = 0.15
SQUEEZE, STRETCH = (-0.22, 0.15), 0.15
SHEAR, SLOPE = 0.3, 0.03
SHIFT, RISE = 4.0, 1.5


@dataclass(frozen=True)
class Spread:
    """What comes between the digits of a strip.

    Attributes:
        columns: int [digits + 1], how many are put before each digit and behind the last.
        sign: What is drawn, float32 [32, columns]; None if nothing is.
        place: Before which digit it stands.
    """

    columns: NDArray[np.intp]
    sign: NDArray[np.float32] | None = None
    place: int = 0

    @staticmethod
    def none(digits: int) -> "Spread":
        """Return that nothing comes between so many digits."""
        return Spread(np.zeros(digits + 1, np.intp))


def choose_spread(digits: int, rng: Generator) -> Spread:
    """Choose by chance how far apart digits are, and whether a sign stands between them.

    Args:
        digits: How many there are.
        rng: The source of chance.
    """
    columns = Spread.none(digits).columns
    if rng.random() < SPREAD:
        added = rng.uniform(0, MAX_SPREAD) * (1 + UNEVEN * rng.uniform(-1, 1, max(0, digits - 1)))
        columns[1:digits] = added.astype(int)
    if not digits or rng.random() >= SIGNED:
        return Spread(columns)
    sign = draw_sign(rng)
    place = int(rng.integers(digits + 1))
    columns[place] += sign.shape[1]
    return Spread(columns, sign, place)


def draw_sign(rng: Generator) -> NDArray[np.float32]:
    """Draw a sign by chance, and paper on both sides of it: float32 [32, columns], 0 to 1."""
    sign, font = SIGNS[rng.integers(len(SIGNS))], FONTS[rng.integers(len(FONTS))]
    high = STRIP_DIGIT_HEIGHT * rng.uniform(*SIGN_HEIGHTS)
    scale = cv2.getFontScaleFromHeight(font, round(high))
    thickness = int(rng.integers(1, 3))
    wide = thickness + max(cv2.getTextSize(one, font, scale, 1)[0][0] for one in sign)
    before, behind = rng.integers(*SIGN_GAPS, 2, endpoint=True).tolist()
    image = np.zeros((STRIP_HEIGHT, before + wide + behind), np.uint8)
    line = (STRIP_HEIGHT + STRIP_DIGIT_HEIGHT) // 2 + round(rng.normal(0, RISE))
    for one in sign:
        cv2.putText(image, one, (before, line), font, scale, 255, thickness, cv2.LINE_AA)
    return image.astype(np.float32) * np.float32(rng.uniform(0.7, 1) / 255)


def spread_strip(
    image: NDArray[np.uint8], places: NDArray[np.float32], spread: Spread
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Put columns between the digits of a strip.

    Args:
        image: uint8 [32, 256].
        places: float32 [digits], the columns of their middles.
        spread: How many columns, and what stands there.

    Returns:
        float32 [32, 256] from 0 to 1, and the new middles.
    """
    ink = image.astype(np.float32) / 255
    if not spread.columns.any():
        return ink, places
    ends = np.clip([places[0] - HALF_DIGIT, places[-1] + HALF_DIGIT], 0, STRIP_WIDTH - 1)
    middles = np.array([ends[0], *((places[1:] + places[:-1]) / 2), ends[1]])
    # Where the least ink is, near the middle between two digits.
    near = middles.round().astype(int)[:, None] + np.array([0, 1, -1, 2, -2, 3, -3])
    near = np.clip(near, 0, STRIP_WIDTH - 1)
    gaps = near[np.arange(len(near)), ink.sum(axis=0)[near].argmin(axis=1)]
    counts = np.ones(STRIP_WIDTH, np.intp)
    np.add.at(counts, gaps, spread.columns)
    shown = np.repeat(np.arange(STRIP_WIDTH), counts)[:STRIP_WIDTH]
    ink = ink[:, shown]
    # What comes between is paper, also where digits touch.
    ink[:, 1:][:, shown[1:] == shown[:-1]] = 0
    if spread.sign is not None:
        # Of the columns that are put behind a gap's own the sign's come last.
        last = gaps[spread.place] + spread.columns[: spread.place + 1].sum()
        first = last + 1 - spread.sign.shape[1]
        region = ink[:, first : first + spread.sign.shape[1]]
        np.maximum(region, spread.sign[:, : region.shape[1]], out=region)
    return ink, places + np.cumsum(spread.columns)[:-1].astype(np.float32)


def vary_strip(
    ink: NDArray[np.float32], width: float, rng: Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Vary a strip in its form, its strokes and its grey levels.

    Args:
        ink: float32 [32, 256] from 0 to 1.
        width: How many of its columns show something.
        rng: The source of chance.

    Returns:
        float32 [32, 256] from 0 to 1; and float64 [2, 3], what takes a place to its new one.
    """
    if rng.random() < PLAIN:
        return ink, np.eye(2, 3)
    wide = min(np.exp(rng.uniform(*SQUEEZE)), (STRIP_WIDTH - 1) / width)
    high = np.exp(rng.uniform(-1, 1) * STRETCH)
    shear, slope = rng.uniform(-1, 1) * SHEAR, rng.uniform(-1, 1) * SLOPE
    middle = STRIP_HEIGHT / 2
    across = rng.uniform(-1, 1) * SHIFT - shear * middle
    down = (1 - high) * middle + rng.normal(0, RISE) - slope * width / 2
    moved = np.array([(wide, shear, across), (slope * high, high, down)])
    ink = cv2.warpAffine(ink, moved, (STRIP_WIDTH, STRIP_HEIGHT))
    return np.clip(_vary_grays(_vary_strokes(ink, rng), rng), 0, 1).astype(np.float32), moved


def _vary_strokes(ink: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    chance, share = rng.random(), rng.uniform(0.3, 1)
    if chance < 0.15:
        ink = (1 - share) * ink + share * cv2.erode(ink, np.ones((2, 2)))
    elif chance < 0.35:
        sizes = ((2, 2), (1, 2), (2, 1), (3, 3))
        ink = (1 - share) * ink + share * cv2.dilate(ink, np.ones(sizes[rng.integers(4)]))
    if rng.random() < 0.3:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 1.2))
    # Rules that stayed, and such that took ink with them.
    top, rows = rng.integers(STRIP_HEIGHT - 2), rng.integers(1, 3)
    chance, level = rng.random(), rng.uniform(0.2, 1)
    if chance < 0.15:
        ink[top : top + rows] = np.maximum(ink[top : top + rows], level)
    elif chance < 0.3:
        ink[top : top + rows] *= level / 2
    return ink


def _vary_grays(ink: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    if rng.random() < 0.4:
        ink = np.clip(ink, 0, 1) ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
    if rng.random() < 0.4:
        ink = ink * np.float32(rng.uniform(0.6, 1.1))
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(0.02, 0.08), ink.shape)
        ink = ink + noise.astype(np.float32)
    return ink
