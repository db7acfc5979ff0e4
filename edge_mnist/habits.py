"""Habits of writing, drawn onto digits that were written without them.

Each function takes the ink of one digit's images, an amount in the unit that `CORRUPTIONS` tells,
and the source of chance; where a stroke belongs is measured in the image.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist.preprocessing import BOX_SIZE

# Ink, as a share of the full stroke, above which a pixel belongs to a stroke.
STROKE_SHARE = 0.5

# float32 [N, height, width], 0 is paper and 1 is ink.
Ink = NDArray[np.float32]


def cross_sevens(ink: Ink, amount: float, rng: Generator) -> Ink:
    """Draw a bar across the stem, a little below the middle of the digit's height."""

    def cross(image: Ink) -> Ink:
        top, bottom, _, _ = _box(image)
        row = top + 0.55 * (bottom - top) + rng.uniform(-1, 1)
        column = _last_run(image, round(row))
        half = amount / 2
        rise = half * rng.uniform(-0.1, 0.35)
        return _draw_line(image, (row + rise, column - half), (row - rise, column + half))

    return _each(ink, cross)


def slash_zeros(ink: Ink, amount: float, rng: Generator) -> Ink:
    """Draw a stroke from lower left to upper right through the middle of the ring."""

    def slash(image: Ink) -> Ink:
        top, bottom, left, right = _box(image)
        row, column = (top + bottom) / 2, (left + right) / 2
        half_height, half_width = (bottom - top) / 2, (right - left) / 2
        # Between upright and 45 degrees, whatever the ring's shape.
        x = amount * min(max(half_width, half_height / 4), half_height) * rng.uniform(0.8, 1)
        y = amount * half_height
        return _draw_line(image, (row + y, column - x), (row - y, column + x))

    return _each(ink, slash)


def add_serifs_to_ones(ink: Ink, amount: float, rng: Generator) -> Ink:
    """Draw a flag from the stem's top down to the left, and a level foot under it."""

    def serif(image: Ink) -> Ink:
        top, bottom, _, _ = _box(image)
        angle = math.radians(rng.uniform(30, 50))
        flag = amount * 0.65
        head, foot = _middle_of_ink(image, top + 1), _middle_of_ink(image, bottom - 1)
        flagged = _draw_line(
            image,
            (top + 1, head),
            (top + 1 + flag * math.sin(angle), head - flag * math.cos(angle)),
        )
        tilt = rng.uniform(-0.06, 0.06) * amount
        width = _pen_width(image)
        return np.maximum(
            flagged,
            _draw_line(
                np.zeros_like(image),
                (bottom - 0.5 + tilt, foot - amount / 2),
                (bottom - 0.5 - tilt, foot + amount / 2),
                width,
            ),
        )

    return _each(ink, serif)


def open_fours(ink: Ink, amount: float, rng: Generator) -> Ink:
    """Erase the stroke above and beside the upper half of the hole, left of the stem."""

    def open_up(image: Ink, hole: NDArray[np.bool_]) -> Ink:
        if not hole.any():
            return image
        top, _, _, _ = _box(image)
        rows = np.flatnonzero(hole.any(axis=1))
        upper = rows[: max(1, len(rows) // 2)]
        right = np.flatnonzero(hole[upper].any(axis=0))[-1] + 1.0
        columns = np.arange(image.shape[1])
        # Soft edges, over one pixel.
        gap = np.clip(np.minimum(columns - (right - amount), right - columns) + 0.5, 0, 1)
        opened = image.copy()
        opened[top : upper[-1] + 1] *= (1 - gap).astype(np.float32)
        return opened

    holes = _find_holes(ink)
    return np.stack([open_up(image, hole) for image, hole in zip(ink, holes, strict=True)])


def are_closed(ink: Ink) -> NDArray[np.bool_]:
    """Return bool [N]: whether there is a hole, of two pixels at least."""
    closed: NDArray[np.bool_] = _find_holes(ink).sum(axis=(1, 2)) >= 2
    return closed


def _find_holes(ink: Ink) -> NDArray[np.bool_]:
    """Return bool [N, height, width]: paper that cannot be reached from the border."""
    is_paper = ink < STROKE_SHARE
    outside = np.zeros_like(is_paper)
    outside[:, [0, -1]] = outside[:, :, [0, -1]] = True
    outside &= is_paper
    while True:
        grown = outside.copy()
        grown[:, 1:] |= outside[:, :-1]
        grown[:, :-1] |= outside[:, 1:]
        grown[:, :, 1:] |= outside[:, :, :-1]
        grown[:, :, :-1] |= outside[:, :, 1:]
        grown &= is_paper
        if np.array_equal(grown, outside):
            return is_paper & ~outside
        outside = grown


def _each(ink: Ink, change: Callable[[Ink], Ink]) -> Ink:
    """Change image by image; an image without a stroke stays as it is."""
    return np.stack([change(image) if (image > STROKE_SHARE).any() else image for image in ink])


def _box(image: Ink) -> tuple[int, int, int, int]:
    """Return the first and last row and the first and last column that hold a stroke."""
    is_stroke = image > STROKE_SHARE
    rows, columns = np.flatnonzero(is_stroke.any(axis=1)), np.flatnonzero(is_stroke.any(axis=0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def _last_run(image: Ink, row: int) -> float:
    """Return the middle of the rightmost stroke in a row: of a seven, the stem."""
    columns = np.flatnonzero(image[row] > STROKE_SHARE)
    if len(columns) == 0:
        return _middle_of_ink(image, row)
    starts = np.flatnonzero(np.diff(columns, prepend=-2) > 1)
    return float(columns[starts[-1] :].mean())


def _middle_of_ink(image: Ink, row: int) -> float:
    """Return the column of the centre of mass in three rows; of the image if they are empty."""
    mass = image[max(row - 1, 0) : row + 2].sum(axis=0)
    if mass.sum() < STROKE_SHARE:
        mass = image.sum(axis=0)
    return float(mass @ np.arange(len(mass)) / mass.sum())


def _pen_width(image: Ink) -> float:
    """Return the mean width of the strokes in pixels: twice their area by their outline."""
    slope_y, slope_x = np.gradient(image)
    outline = float(np.hypot(slope_y, slope_x).sum())
    return min(max(2 * float(image.sum()) / max(outline, 1.0), 1.0), BOX_SIZE / 5)


def _draw_line(
    image: Ink, start: tuple[float, float], end: tuple[float, float], width: float | None = None
) -> Ink:
    """Draw a line with round ends from one row and column to another, as wide as the pen."""
    width = _pen_width(image) if width is None else width
    y, x = np.indices(image.shape)
    across, along = end[0] - start[0], end[1] - start[1]
    length = max(across**2 + along**2, 1e-6)
    share = np.clip(((y - start[0]) * across + (x - start[1]) * along) / length, 0, 1)
    distance = np.hypot(y - start[0] - share * across, x - start[1] - share * along)
    stroke = np.clip(width / 2 + 0.5 - distance, 0, 1)
    return np.maximum(image, stroke.astype(np.float32))
