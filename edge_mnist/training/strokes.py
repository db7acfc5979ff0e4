"""Drawing by strokes: what a pen leaves that goes along lines, each time in another way."""

import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import normalize_digit

CANVAS = 40  # pixels that strokes are drawn on before they are brought into the 20x20 box

Picture = NDArray[np.uint8]
Stroke = NDArray[np.float64]  # [points, 2]: x to the right, y down


def parse_strokes(
    figure: str, grid: tuple[int, int], deviation: float, rng: np.random.Generator
) -> list[Stroke]:
    """Return the strokes of a figure, from 0 to 1, its corners moved by normal amounts.

    Args:
        figure: Strokes parted by commas, their corners by spaces: column and row, a figure each.
        grid: How many columns and rows there are.
        deviation: How far the corners are moved, as a share of the whole.
        rng: Moves them.
    """
    # Each corner of the grid is moved, so that strokes that meet go on meeting.
    places = np.moveaxis(np.mgrid[: grid[0], : grid[1]], 0, -1) / (np.array(grid) - 1)
    places += rng.normal(0, deviation, places.shape)
    return [
        np.array([places[int(point[0]), int(point[1])] for point in stroke.split()])
        for stroke in figure.split(",")
    ]


def draw(
    strokes: list[Stroke], rng: np.random.Generator, round_share: float = 0.6
) -> Picture | None:
    """Draw strokes with a pen, a slant and a width of their own.

    Args:
        strokes: Around the origin, about 1 in size.
        rng: Draws all that is random.
        round_share: How often corners are rounded.

    Returns:
        uint8 [28, 28], or None where nothing is left of them.
    """
    # A rounded square would be a 0.
    is_round = rng.random() < round_share and not any((s[0] == s[-1]).all() for s in strokes)
    slant, width = rng.normal(0, 0.2), rng.uniform(0.5, 1.1)
    shape = np.array([[width, 0], [slant, 1]]) * 0.7 * CANVAS
    rows, columns = np.mgrid[:CANVAS, :CANVAS]
    pixels = np.stack([columns, rows], axis=-1).reshape(-1, 1, 2) - CANVAS / 2
    nearest = np.full(CANVAS * CANVAS, np.inf)
    for stroke in strokes:
        points = (_round(stroke) if is_round else stroke) @ shape
        start, step = points[:-1], np.diff(points, axis=0)
        along = ((pixels - start) * step).sum(axis=-1) / np.maximum((step**2).sum(axis=-1), 1e-9)
        offsets = pixels - start - np.clip(along, 0, 1)[..., None] * step
        nearest = np.minimum(nearest, (offsets**2).sum(axis=-1).min(axis=1))
    radius = rng.uniform(1.0, 3.0)
    ink = np.clip(radius + 0.5 - np.sqrt(nearest), 0, 1).reshape(CANVAS, CANVAS)
    return normalize((ink * 255).astype(np.uint8))


def _round(points: Stroke) -> Stroke:
    """Round a line's corners (Chaikin, "An algorithm for high speed curve generation", 1974)."""
    for _ in range(2):
        cut = np.stack(
            [0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]]
        )
        points = np.concatenate([points[:1], cut.transpose(1, 0, 2).reshape(-1, 2), points[-1:]])
    return points


def normalize(picture: Picture) -> Picture | None:
    """Bring a picture of ink, 255, on paper, 0, into the model's input; None if it is blank."""
    digit = normalize_digit(np.ascontiguousarray(picture))
    return None if digit is None else digit.image
