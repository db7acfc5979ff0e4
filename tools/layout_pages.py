"""Mild photographs of pages whose layout is hard: close lines, columns, wide gaps, signs."""

from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.random import Generator
from scene_degrees import DEGREES, Degree
from scene_distractors import Area
from scene_page import SCALE, Layout, PlacedNumber
from scene_truth import Points, Scene
from scene_writing import Coverage, Glyph, Stroke, draw_digit, kern, measure_width
from scenes import photograph, prepare_sheet

from edge_mnist.dataset import Examples

DIFFICULTY = 1
DEGREE = replace(
    DEGREES[DIFFICULTY], rotation=4.0, pens=("black pen", "blue pen", "red pen"), crease=0.0
)
LONG_SIDE = (1000, 2000)  # pixels of the frame
# Heights of digits in pixels of the frame, so that 30 to 70 are seen.
HEIGHTS = (33.0, 64.0)
# What the widest page takes, in heights.
WIDEST = 20.0
LINES = (4, 8)
COLUMN_GAPS = (1.1, 2.0)  # in heights
# The deviation of digits from the line that they stand on, in heights.
UNEVENNESS = 0.035
# Digits that some write with their tails below the line.
TAILED = (4, 7, 9)

# Strokes of signs: points x and y in heights of a digit, y from its top down to its foot at 1.
_LEFT_BRACKET = ((0.2, -0.08), (0.08, 0.15), (0.0, 0.5), (0.08, 0.85), (0.2, 1.08))
_CIRCLE = ((0.0, -0.14), (0.12, 0.0), (0.0, 0.14), (-0.12, 0.0), (0.0, -0.14))
SIGNS = {
    "/": (((0.38, -0.05), (0.0, 1.05)),),
    ":": (((0.0, 0.35), (0.02, 0.37)), ((0.0, 0.84), (0.02, 0.86))),
    ".": (((0.0, 0.95), (0.02, 0.97)),),
    ",": (((0.07, 0.92), (0.0, 1.15)),),
    "-": (((0.0, 0.56), (0.35, 0.54)),),
    "(": (_LEFT_BRACKET,),
    ")": (tuple((-x, y) for x, y in _LEFT_BRACKET),),
    "%": (
        ((0.62, 0.0), (0.1, 1.0)),
        tuple((0.12 + x, 0.2 + y) for x, y in _CIRCLE),
        tuple((0.6 + x, 0.8 + y) for x, y in _CIRCLE),
    ),
    "#": (
        ((0.24, 0.0), (0.14, 1.0)),
        ((0.5, 0.0), (0.4, 1.0)),
        ((0.0, 0.35), (0.64, 0.32)),
        ((0.0, 0.68), (0.62, 0.65)),
    ),
    "x": (((0.0, 0.4), (0.45, 0.97)), ((0.45, 0.4), (0.0, 0.97))),
    "+": (((0.25, 0.3), (0.25, 0.82)), ((0.0, 0.56), (0.5, 0.55))),
    "=": (((0.0, 0.45), (0.42, 0.43)), ((0.0, 0.7), (0.4, 0.68))),
    "€": (
        ((0.62, 0.12), (0.42, 0.0), (0.22, 0.08), (0.12, 0.3), (0.08, 0.52), (0.13, 0.78),
         (0.26, 0.96), (0.46, 1.0), (0.62, 0.88)),
        ((0.0, 0.42), (0.5, 0.4)),
        ((0.0, 0.62), (0.46, 0.6)),
    ),
}  # fmt: skip
# How far a hand strays from these points, in heights.
JITTER = 0.02

# What is written with signs; each 0 is any digit.
PATTERNS = (
    "00:00", "0:00:00", "0.00", "00.0%", "0,00", "€0,00", "00/0", "0/00/00", "00-00", "-000",
    "(00)", "(000)", "00%", "#000", "#00-0", "00x0", "0x0=00", "00+00", "0+0=00", "=000", "€00",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """How a kind of page is laid out; lengths are in heights of a digit.

    Attributes:
        pitch: From line to line, at least and at most; the same on a page.
        gaps: Between the digits of a number, at least and at most.
        lengths: Digits of a number, at least and at most.
        columns: Of numbers.
        tails: How far digits with a tail hang below the line, at most.
        patterns: What is written instead, each 0 any digit; none for numbers alone.
    """

    pitch: tuple[float, float] = (2.0, 2.0)
    gaps: tuple[float, float] = (0.2, 0.2)
    lengths: tuple[int, int] = (3, 8)
    columns: int = 1
    tails: float = 0.0
    patterns: tuple[str, ...] = ()


KINDS = {
    "plain": Kind(),
    "close lines": Kind(pitch=(1.15, 1.5), tails=0.35),
    "columns": Kind(gaps=(0.1, 0.3), lengths=(2, 5), columns=3),
    "wide gaps": Kind(gaps=(0.5, 1.1)),
    "signs": Kind(patterns=PATTERNS),
}


def make_page(kind: str, index: int, digits: Examples, seed: int = 0) -> Scene:
    """Make a photograph of a page; the same arguments give the same one.

    Args:
        kind: One of `KINDS`.
        index: Which one of its kind.
        digits: What numbers are made of.
        seed: For another set of pages.

    Returns:
        The scene; numbers of a table in the order of its lines, and the kind as a condition.
    """
    rng = np.random.default_rng([seed, index, list(KINDS).index(kind)])
    long_side = int(rng.integers(*LONG_SIDE, endpoint=True))
    width, height = (long_side, 3 * long_side // 4)[:: rng.choice([-1, 1])]
    plan = partial(lay_out_page, KINDS[kind])
    sheet = prepare_sheet(index, DIFFICULTY, digits, (width, height), rng, degree=DEGREE, plan=plan)
    scene = photograph(sheet, DEGREE, rng)
    return replace(scene, truth=replace(scene.truth, conditions=(kind, *scene.truth.conditions)))


def lay_out_page(
    kind: Kind, digits: Examples, field: Area, degree: Degree, stroke: Stroke, rng: Generator
) -> Layout:
    """Choose numbers and their places within a field of the page.

    Args:
        kind: How.
        digits: What numbers are made of.
        field: Where there is room, in pixels of the page.
        degree: How hard it may be; a layout asks for nothing of it.
        stroke: The pen.
        rng: The source of chance.
    """
    left, top, right, bottom = field
    largest = min(SCALE * HEIGHTS[1], (right - left) / WIDEST)
    height = rng.uniform(SCALE * HEIGHTS[0], max(largest, SCALE * HEIGHTS[0]))
    pitch = height * rng.uniform(*kind.pitch)
    # Above the first line there is room for its digits, below the last for tails.
    room = bottom - top - 1.7 * height
    lines = min(int(rng.integers(*LINES, endpoint=True)), 1 + int(room / pitch))
    first = top + 1.2 * height + rng.uniform(0, room - (lines - 1) * pitch)
    columns = [
        [_write(_choose_text(kind, rng), kind, digits, height, stroke, rng) for _ in range(lines)]
        for _ in range(kind.columns)
    ]
    widths = [max(map(measure_width, column)) for column in columns]
    gaps = height * rng.uniform(*COLUMN_GAPS, kind.columns)
    free = right - left - sum(widths) - sum(gaps[:-1])
    start = left + rng.uniform(0, max(free, 0))
    is_flush_right = rng.random() < 0.5
    numbers = []
    for column, width, gap in zip(columns, widths, gaps, strict=True):
        for line, glyphs in enumerate(column):
            indent = width - measure_width(glyphs) if is_flush_right else 0
            baseline = round(first + line * pitch)
            numbers.append(PlacedNumber(tuple(glyphs), round(start + indent), baseline, line, 0.0))
        start += width + gap
    numbers.sort(key=lambda number: number.line)
    return Layout(tuple(numbers), height, pitch, first)


def _choose_text(kind: Kind, rng: Generator) -> str:
    """Return what is written, 0 for any digit."""
    if kind.patterns:
        return str(rng.choice(kind.patterns))
    return "0" * int(rng.integers(*kind.lengths, endpoint=True))


def _write(
    text: str, kind: Kind, digits: Examples, height: float, stroke: Stroke, rng: Generator
) -> list[Glyph]:
    """Write a text of digits by chance and signs; `height` in pixels of the page."""
    glyphs: list[Glyph] = []
    for character in text:
        digit: int | None = None
        if character == "0":
            index = int(rng.integers(len(digits)))
            digit = int(digits.labels[index])
            own_height = height * rng.uniform(0.92, 1.08)
            coverage = draw_digit(digits.images[index], own_height, stroke)
            top = -coverage.shape[0]
            if digit in TAILED:
                top += round(height * rng.uniform(0, kind.tails))
        else:
            coverage, top = draw_sign(character, height, stroke, rng)
        top = round(top + rng.normal(0, UNEVENNESS) * height)
        gap = round(rng.uniform(*kind.gaps) * height)
        # Over a low sign a digit could reach the one before it.
        left = max((kern(before, coverage, top, gap) for before in glyphs[-2:]), default=0)
        glyphs.append(Glyph(digit, coverage, left, top))
    return glyphs


def draw_sign(sign: str, height: float, stroke: Stroke, rng: Generator) -> tuple[Coverage, int]:
    """Draw a sign as a hand does.

    Args:
        sign: One of `SIGNS`.
        height: Of digits, in pixels of the page.
        stroke: The pen.
        rng: Of the hand.

    Returns:
        Its ink, float32 [rows, columns], cut at its edges, and where its top is from the baseline,
        in pixels of the page; negative is above.
    """
    # A height of room to each side.
    ink = np.zeros((round(3 * height), round(3 * height)), np.uint8)
    thickness = max(1, round(stroke.width * height))
    for points in SIGNS[sign]:
        strayed = np.array(points) + rng.normal(0, JITTER, (len(points), 2))
        places = np.rint((_round_off(strayed) + 1) * height).astype(np.int32)
        cv2.polylines(ink, [places], False, 255, thickness, cv2.LINE_AA)
    x, y, columns, rows = cv2.boundingRect(ink)
    coverage = ink[y : y + rows, x : x + columns].astype(np.float32) / 255
    return coverage, y - round(2 * height)


def _round_off(points: Points) -> Points:
    """Return a stroke whose corners were cut off twice, as no hand draws any; its ends stay."""
    for _ in range(2):
        before, after = points[:-1], points[1:]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
        points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
    return points
