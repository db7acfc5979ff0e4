"""A page: which numbers stand where on it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from scene_degrees import MAX_HEIGHT, Degree
from scene_distractors import Area
from scene_truth import WrittenDigit, WrittenNumber
from scene_writing import Glyph, Stroke, measure_width, put_ink, write_number

from edge_mnist.dataset import Examples
from edge_mnist.vision.frames import Picture

# Pixels of the page to a unit, which is about a pixel of the frame.
SCALE = 2

MAX_LINES = 5
MAX_LENGTH = 12
# Between two numbers of a line, in heights of a digit.
NUMBER_GAP = (3.0, 4.8)
SECOND_NUMBER = 0.25  # chance


@dataclass(frozen=True)
class PlacedNumber:
    """A number and its place, in pixels of the page.

    Attributes:
        glyphs: Its digits and signs.
        left: Where its baseline begins.
        baseline: The height of that place.
        line: Which line of the page it stands in, from 0 at the top.
        slope: How far the baseline falls with each pixel to the right.
    """

    glyphs: tuple[Glyph, ...]
    left: int
    baseline: int
    line: int
    slope: float


@dataclass(frozen=True)
class Layout:
    """What is to be written on a page, in pixels of the page.

    Attributes:
        numbers: In the order of reading.
        height: Of digits.
        pitch: From one rule of the paper to the next.
        first_rule: Where one of the rules runs.
    """

    numbers: tuple[PlacedNumber, ...]
    height: float
    pitch: float
    first_rule: float


def lay_out(
    digits: Examples, field: Area, degree: Degree, stroke: Stroke, rng: Generator
) -> Layout:
    """Choose numbers and their places within a field of the page.

    Args:
        digits: What numbers are made of.
        field: Where there is room, in pixels of the page.
        degree: How hard it may be.
        stroke: The pen.
        rng: The source of chance.
    """
    left, top, right, bottom = field
    # Perspective and the unevenness of a hand take a little off.
    smallest = 1.05 * degree.min_height
    largest = min(MAX_HEIGHT / 1.15, (bottom - top) / SCALE / 3, (right - left) / SCALE / 4)
    height = SCALE * float(np.exp(rng.uniform(np.log(smallest), np.log(max(largest, smallest)))))
    pitch = height * rng.uniform(1.45, 1.9)
    most = max(1, min(MAX_LINES, int((bottom - top) / pitch)))
    count = int(rng.integers(1, most + 1))
    first = top + pitch + rng.uniform(0, bottom - top - count * pitch)
    margin = rng.uniform(0, 0.25) * (right - left)
    slope = rng.normal(0, 0.008) if degree.rotation else 0.0
    numbers: list[PlacedNumber] = []
    for line in range(count):
        baseline = round(first + line * pitch - 0.06 * height)
        start = left + margin * (1 if rng.random() < 0.7 else rng.uniform(0, 1.5))
        for _ in range(1 + int(rng.random() < SECOND_NUMBER)):
            own_height = height * rng.uniform(0.92, 1.08)
            glyphs = _write_to_fit(digits, right - start, own_height, degree, stroke, rng)
            if not glyphs:
                break
            numbers.append(PlacedNumber(tuple(glyphs), round(start), baseline, line, slope))
            start += measure_width(glyphs) + height * rng.uniform(*NUMBER_GAP)
    return Layout(tuple(numbers), height, pitch, first)


def write(page: Picture, layout: Layout, stroke: Stroke, rng: Generator) -> list[WrittenNumber]:
    """Write the numbers onto a page; return where their ink is, in units of the page."""
    return [_write_one(page, number, stroke, rng) for number in layout.numbers]


def find_areas(layout: Layout) -> list[Area]:
    """Return the rectangles around the numbers, in pixels of the page."""
    return [
        (
            number.left,
            min(_top(number, glyph) for glyph in number.glyphs),
            number.left + measure_width(number.glyphs),
            max(_top(number, glyph) + glyph.coverage.shape[0] for glyph in number.glyphs),
        )
        for number in layout.numbers
    ]


def _write_to_fit(
    digits: Examples, width: float, height: float, degree: Degree, stroke: Stroke, rng: Generator
) -> list[Glyph]:
    """Write a number of a length by chance, without the digits that find no room."""
    glyphs = write_number(
        digits,
        int(rng.integers(1, MAX_LENGTH + 1)),
        height,
        stroke,
        rng,
        touching=degree.touching,
        habits=degree.habits,
    )
    return [glyph for glyph in glyphs if glyph.left + glyph.coverage.shape[1] <= width]


def _write_one(
    page: Picture, number: PlacedNumber, stroke: Stroke, rng: Generator
) -> WrittenNumber:
    digits, signs = [], []
    for glyph in number.glyphs:
        left = number.left + glyph.left
        top = _top(number, glyph)
        put_ink(page, glyph.coverage, left, top, stroke, rng)
        rows, columns = np.nonzero(glyph.coverage > 0.3)
        ink = np.stack([columns + left, rows + top], axis=1).astype(np.int32)
        hull = cv2.convexHull(np.concatenate([ink, ink + 1]))[:, 0]
        outline = hull.astype(np.float64) / SCALE
        if glyph.digit is None:
            signs.append(outline)
        else:
            digits.append(WrittenDigit(glyph.digit, outline))
    return WrittenNumber(tuple(digits), number.line, tuple(signs))


def _top(number: PlacedNumber, glyph: Glyph) -> int:
    return number.baseline + glyph.top + round(number.slope * glyph.left)
