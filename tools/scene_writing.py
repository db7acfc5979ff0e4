"""Digits as a pen writes them, and numbers made of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist.dataset import Examples
from edge_mnist.habits import cross_sevens, slash_zeros
from edge_mnist.vision.frames import Picture

# Pixels that a pixel of a 28x28 image becomes.
ENLARGEMENT = 8
# Paper around an image, in its own pixels, into which strokes can grow.
ROOM = 5
# A stroke of an image ends half-way between the lightest and the darkest near by, within these
# shares of full ink. Narrow loops and gaps, which an image of 28x28 pixels half fills, stay open.
EDGES = (0.35, 0.75)
# What is near by, in pixels of the image.
NEAR = 5
# Strokes are thinned to this share of their width at most: more would break them.
MAX_THINNING = 0.6
# Pixels of a 28x28 image that a ring must leave free for a slash to be seen in it.
MIN_HOLE = 36

# float32 [height, width], 0 is paper and 1 is ink.
Coverage = NDArray[np.float32]


@dataclass(frozen=True)
class Pen:
    """What one writes with.

    Attributes:
        color: Of the ink: blue, green, red.
        spread: By how many levels the colour differs from one pen to the next.
        width: Of strokes, at least and at most, as a share of the digits' height.
        opacity: At least and at most; 1 hides the paper.
        grain: How much of the paper's tooth stays free of ink, 0 to 1.
    """

    color: tuple[int, int, int]
    spread: int
    width: tuple[float, float]
    opacity: tuple[float, float]
    grain: float


PENS = {
    "black pen": Pen((35, 32, 32), 20, (0.07, 0.11), (0.8, 0.95), 0.15),
    "blue pen": Pen((130, 60, 35), 25, (0.07, 0.11), (0.75, 0.95), 0.2),
    "red pen": Pen((45, 40, 175), 25, (0.07, 0.11), (0.75, 0.95), 0.2),
    "pencil": Pen((85, 82, 80), 12, (0.07, 0.1), (0.5, 0.8), 0.45),
    "marker": Pen((40, 35, 35), 25, (0.13, 0.18), (0.9, 1.0), 0.0),
    "chalk": Pen((228, 232, 232), 10, (0.09, 0.13), (0.75, 0.95), 0.5),
}


@dataclass(frozen=True)
class Stroke:
    """One pen in one hand: what stays the same on a page.

    Attributes:
        color: Blue, green, red, 0 to 255.
        width: As a share of the digits' height.
        opacity: 0 to 1.
        grain: 0 to 1.
    """

    color: tuple[float, float, float]
    width: float
    opacity: float
    grain: float


@dataclass(frozen=True)
class Glyph:
    """A digit or a sign and where it stands in its number, in pixels of the page.

    Attributes:
        digit: 0 to 9; None for a sign.
        coverage: Its ink, cut at its edges.
        left: From the number's left end.
        top: From the baseline; negative is above.
    """

    digit: int | None
    coverage: Coverage = field(repr=False)
    left: int
    top: int


def take_pen(name: str, rng: Generator) -> Stroke:
    """Take one of the pens of this name."""
    pen = PENS[name]
    color = np.clip(np.array(pen.color) + rng.uniform(-1, 1, 3) * pen.spread, 0, 255)
    return Stroke(tuple(color), rng.uniform(*pen.width), rng.uniform(*pen.opacity), pen.grain)


def write_number(
    digits: Examples,
    length: int,
    height: float,
    stroke: Stroke,
    rng: Generator,
    *,
    touching: float = 0.0,
    habits: float = 0.0,
) -> list[Glyph]:
    """Write a number of digits chosen by chance.

    Args:
        digits: What is chosen from.
        length: How many.
        height: Of a digit, in pixels of the page.
        stroke: The pen.
        rng: The source of chance.
        touching: Chance that a digit touches the one before.
        habits: Chance that a seven is crossed or a zero slashed.

    Returns:
        The digits from left to right; their strokes meet only where they touch.
    """
    spacing = rng.uniform(0.14, 0.32) * height
    glyphs: list[Glyph] = []
    for index in rng.integers(len(digits), size=length):
        label = int(digits.labels[index])
        image = digits.images[index]
        if rng.random() < habits:
            image = _add_habit(image, label, rng)
        coverage = draw_digit(image, height * rng.uniform(0.92, 1.08), stroke)
        top = round(-coverage.shape[0] + rng.normal(0, 0.035) * height)
        left = 0
        if glyphs:
            is_touching = rng.random() < touching
            gap = -0.6 * stroke.width * height if is_touching else spacing * rng.uniform(0.7, 1.3)
            left = kern(glyphs[-1], coverage, top, round(gap))
        glyphs.append(Glyph(label, coverage, left, top))
    return glyphs


def draw_digit(image: NDArray[np.uint8], height: float, stroke: Stroke) -> Coverage:
    """Return the ink of a digit in a pen's strokes, cut at its edges.

    Args:
        image: uint8 [28, 28], 0 is paper and 255 is ink.
        height: Of the digit, in pixels of the page; wide ones get somewhat less.
        stroke: The pen.
    """
    return _shrink(_set_width(_enlarge(image), stroke.width), height)


def kern(before: Glyph, coverage: Coverage, top: int, gap: int) -> int:
    """Return where the next glyph begins so that its ink is a gap away from the one before.

    Args:
        before: The one before.
        coverage: The ink of the next.
        top: Of the next, from the baseline, in pixels of the page; negative is above.
        gap: In pixels of the page, between ink in the same rows; negative where they overlap.

    Returns:
        Its left side from the number's left end, in pixels of the page.
    """
    first = min(before.top, top)
    rows = max(before.top + before.coverage.shape[0], top + coverage.shape[0]) - first
    # Ink that is near in height counts as in the same row.
    near = np.ones((2 * max(gap, 0) + 1, 1), np.uint8)
    ends = np.full(rows, -(10**6))
    starts = np.full(rows, 10**6)
    for edges, glyph_top, ink in ((ends, before.top, before.coverage), (starts, top, coverage)):
        is_ink = np.zeros((rows, ink.shape[1]), np.uint8)
        is_ink[glyph_top - first : glyph_top - first + ink.shape[0]] = ink > 0.5
        is_ink = cv2.dilate(is_ink, near)
        filled = is_ink.any(axis=1)
        places = is_ink[:, ::-1].argmax(axis=1) if edges is ends else is_ink.argmax(axis=1)
        edges[filled] = (ink.shape[1] - places if edges is ends else places)[filled]
    reach = int((ends - starts).max())
    # Slanted digits may reach over each other, but which comes first stays plain.
    least = round(0.55 * before.coverage.shape[1])
    return before.left + max(reach + gap, least)


def measure_width(glyphs: Sequence[Glyph]) -> int:
    """Return how long a number is, in pixels of the page."""
    return max(glyph.left + glyph.coverage.shape[1] for glyph in glyphs)


def put_ink(
    page: Picture, coverage: Coverage, left: int, top: int, stroke: Stroke, rng: Generator
) -> None:
    """Draw ink onto a page; what falls outside is lost."""
    height, width = coverage.shape
    rows = slice(max(top, 0), min(top + height, page.shape[0]))
    columns = slice(max(left, 0), min(left + width, page.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    part = coverage[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    tooth = rng.random(part.shape, np.float32)
    # The paper's tooth is wider than a pixel of the page.
    tooth = np.clip((cv2.GaussianBlur(tooth, (0, 0), 1.0) - 0.5) * 3.5 + 0.5, 0, 1)
    opacity = (part * stroke.opacity * (1 - stroke.grain * tooth))[..., None]
    patch = page[rows, columns]
    patch[:] = np.rint(patch * (1 - opacity) + np.array(stroke.color) * opacity)


def _add_habit(image: NDArray[np.uint8], label: int, rng: Generator) -> NDArray[np.uint8]:
    ink = np.pad(image.astype(np.float32) / 255, ROOM)[None]
    if label == 7:
        ink = cross_sevens(ink, rng.uniform(6, 10), rng)
    elif label == 0 and _measure_hole(ink[0] > 0.5) >= MIN_HOLE:
        ink = slash_zeros(ink, rng.uniform(0.7, 1.0), rng)
    return np.rint(ink[0] * 255).astype(np.uint8)


def _measure_hole(strokes: NDArray[np.bool_]) -> int:
    """Return how many pixels the largest hole has; what lies around the digit is none."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((~strokes).astype(np.uint8), connectivity=4)
    # The first is the ink, the second begins in the left upper corner.
    return max(stats[2:, cv2.CC_STAT_AREA].tolist(), default=0)


def _enlarge(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return an image's strokes with smooth edges, `ENLARGEMENT` times as large."""
    padded = np.pad(image, ROOM)
    large = cv2.resize(padded, None, fx=ENLARGEMENT, fy=ENLARGEMENT, interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(large, (0, 0), 0.4 * ENLARGEMENT)
    near = np.ones((NEAR * ENLARGEMENT, NEAR * ENLARGEMENT), np.uint8)
    full = float(smooth.max())
    middle = (cv2.dilate(smooth, near).astype(np.float32) + cv2.erode(smooth, near)) / 2
    edge = cv2.GaussianBlur(np.clip(middle, EDGES[0] * full, EDGES[1] * full), (0, 0), ENLARGEMENT)
    strokes: NDArray[np.bool_] = smooth > edge
    return strokes


def _set_width(strokes: NDArray[np.bool_], width: float) -> NDArray[np.bool_]:
    """Thin or thicken strokes to a share of the digit's height."""
    inside = measure_depth(strokes)
    is_middle = strokes & (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8)))
    radius = float(np.median(inside[is_middle]))
    rows = np.flatnonzero(strokes.any(axis=1))
    wanted = width * (rows[-1] - rows[0] + 1) / 2
    if wanted >= radius:
        return measure_depth(~strokes) <= wanted - radius
    reach = 2 * math.ceil(radius) + 1
    ridge = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return strokes & (inside > ridge * (1 - max(wanted / radius, MAX_THINNING)))


def measure_depth(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how far each pixel inside is from the next one outside, float32 of the same shape.

    OpenCV's last bits depend on the number of threads, and on one thread on where in memory they
    come to lie; every picture that is made from them would, too. The squares are whole numbers.
    """
    depth = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.sqrt(np.rint(np.square(depth)))


def _shrink(strokes: NDArray[np.bool_], height: float) -> Coverage:
    """Cut strokes at their edges and bring them to a height; wide digits get somewhat less."""
    rows, columns = np.flatnonzero(strokes.any(axis=1)), np.flatnonzero(strokes.any(axis=0))
    cut = strokes[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    scale = height / max(cut.shape[0], 0.8 * cut.shape[1])
    size = [max(2, round(side * scale)) for side in reversed(cut.shape)]
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    coverage: Coverage = cv2.resize(cut, size, interpolation=interpolation)
    return coverage
