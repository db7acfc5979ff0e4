"""Handwriting on a form: a data set's digits as strokes of a pen, ticks, letters, dashes."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist.dataset import Examples
from edge_mnist.vision.non_digits import LETTERS

# Data set pixels are enlarged so much, then thresholded softly: an edge as sharp as a pen's.
ENLARGEMENT = 8
EDGE_LEVEL, EDGE_WIDTH = 0.42, 0.3

# Blue, green, red of ballpoints, a fineliner and pencils, and how much ink covers the paper.
PENS = (
    ((130, 45, 25), 0.92),
    ((105, 30, 40), 0.9),
    ((35, 35, 35), 0.95),
    ((60, 20, 20), 0.9),
    ((45, 40, 150), 0.9),
    ((85, 85, 85), 0.75),
    ((75, 80, 70), 0.7),
)
WHITE_PAINT = ((235, 240, 240), 0.95)


@dataclass(frozen=True)
class Hand:
    """How one page is written.

    Attributes:
        color: Blue, green, red, 0 to 255.
        cover: How much of the paper the ink covers, 0 to 1.
        size: A digit's height, of its cell's.
        untidiness: How far digits stray, of the cell.
    """

    color: tuple[int, int, int]
    cover: float
    size: float
    untidiness: float


def draw_hand(rng: Generator, light_ink: bool) -> Hand:
    """Draw a pen and a way to write."""
    color, cover = WHITE_PAINT if light_ink else PENS[rng.integers(len(PENS))]
    return Hand(color, cover, rng.uniform(0.58, 0.8), rng.uniform(0.02, 0.07))


def cut_digit(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Enlarge a data set's digit.

    Args:
        image: uint8 [28, 28], 0 is paper and 255 is ink.

    Returns:
        float32 [height, width], 0 is paper and 1 is ink, cut to its box.
    """
    size = image.shape[0] * ENLARGEMENT
    large = cv2.resize(image.astype(np.float32) / 255, (size, size), interpolation=cv2.INTER_CUBIC)
    ink = np.clip((large - EDGE_LEVEL) / EDGE_WIDTH + 0.5, 0, 1).astype(np.float32)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def draw_mark(rng: Generator) -> NDArray[np.float32]:
    """Return what people put into fields that is no digit: float32 ink of 160x160 pixels.

    A tick, a cross, a letter that looks like no digit, or three dots.
    """
    ink = np.zeros((160, 160), np.uint8)
    kind = rng.integers(4)
    stroke = int(rng.integers(10, 17))
    jitter = rng.integers(-12, 13, (4, 2))
    if kind == 0:
        points = np.array([[15, 90], [60, 140], [150, 15]]) + jitter[:3]
        cv2.polylines(ink, [points.astype(np.int32)], False, 255, stroke, cv2.LINE_AA)
    elif kind == 1:
        for start, end in (((20, 20), (140, 140)), ((140, 20), (20, 140))):
            cv2.line(ink, start, end, 255, stroke, cv2.LINE_AA)
    elif kind == 2:
        letter = str(rng.choice(LETTERS))
        (width, height), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)
        scale = 120 / max(width, height)
        start = (int(80 - width * scale / 2), int(80 + height * scale / 2))
        cv2.putText(ink, letter, start, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, stroke, cv2.LINE_AA)
    else:
        for x in (25, 80, 135):
            cv2.circle(ink, (x, 120), stroke // 2, 255, -1, cv2.LINE_AA)
    return (ink / 255).astype(np.float32)


def write_cells(
    page: NDArray[np.uint8],
    box: tuple[int, int, int, int],
    cells: int,
    text: str,
    digits: Examples,
    hand: Hand,
    rng: Generator,
) -> None:
    """Write a number into a comb, one digit a cell from the left, in place.

    Args:
        page: uint8 [height, width, 3].
        box: x, y, width and height of the comb, in pixels.
        cells: How many it has.
        text: At most as many digits.
        digits: What the digits are taken from.
        hand: How it is written.
        rng: What chooses among them.
    """
    x, y, width, height = box
    cell = width / cells
    for index, character in enumerate(text):
        ink = draw_digit(character, digits, round(height * hand.size), rng)
        limit = 0.92 * cell / ink.shape[1]
        if limit < 1:
            ink = cv2.resize(ink, None, fx=limit, fy=limit, interpolation=cv2.INTER_AREA)
        stray = rng.normal(0, hand.untidiness, 2) * (cell, height)
        left = x + (index + 0.5) * cell - ink.shape[1] / 2 + stray[0]
        top = y + height / 2 - ink.shape[0] / 2 + stray[1]
        put_ink(page, ink, (round(left), round(top)), hand)


def write_freely(
    page: NDArray[np.uint8],
    box: tuple[int, int, int, int],
    text: str,
    digits: Examples,
    hand: Hand,
    rng: Generator,
) -> None:
    """Write a number into a box without cells, in place; arguments as of `write_cells`."""
    x, y, width, height = box
    size = height * hand.size * 0.92
    inks = [draw_digit(character, digits, round(size), rng) for character in text]
    gaps = rng.uniform(0.1, 0.25, len(inks)) * size
    total = sum(ink.shape[1] for ink in inks) + gaps.sum()
    left = x + rng.uniform(0.1, 0.9) * max(width - total, 0)
    middle = y + height / 2 + rng.normal(0, 0.03) * height
    for ink, gap in zip(inks, gaps, strict=True):
        wobble = rng.normal(0, 0.02) * height
        put_ink(page, ink, (round(left), round(middle - ink.shape[0] / 2 + wobble)), hand)
        left += ink.shape[1] + gap


def write_mark(
    page: NDArray[np.uint8], box: tuple[int, int, int, int], hand: Hand, rng: Generator
) -> None:
    """Put a tick, a letter or the like into a cell, in place."""
    x, y, width, height = box
    size = round(0.7 * min(width, height))
    ink = cv2.resize(draw_mark(rng), (size, size), interpolation=cv2.INTER_AREA)
    put_ink(page, ink, (x + (width - size) // 2, y + (height - size) // 2), hand)


def draw_digit(
    character: str, digits: Examples, height: int, rng: Generator
) -> NDArray[np.float32]:
    """Return the ink of an example of a digit, about `height` pixels high."""
    index = rng.choice(np.flatnonzero(digits.labels == int(character)))
    ink = cut_digit(digits.images[index])
    # A digit fills its data set's box by its longer side; a person's are of one height.
    scale = height * rng.uniform(0.93, 1.07) / max(ink.shape)
    return cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def put_ink(
    page: NDArray[np.uint8], ink: NDArray[np.float32], start: tuple[int, int], hand: Hand
) -> None:
    """Lay ink over the page from a left upper corner on, in place; what goes past it is lost."""
    x, y = max(start[0], 0), max(start[1], 0)
    ink = ink[y - start[1] :, x - start[0] :][: page.shape[0] - y, : page.shape[1] - x]
    under = page[y : y + ink.shape[0], x : x + ink.shape[1]]
    cover = (hand.cover * ink)[..., None]
    mixed = under * (1 - cover) + np.array(hand.color) * cover
    # What is printed stays visible through the ink of a dark pen.
    under[:] = np.rint(mixed if max(hand.color) > 200 else np.minimum(mixed, under))
