"""Shapes that are no digits, as lines to draw."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Point = tuple[float, float]

# Lines, each float64 [N, 2] of x and y from -1 to 1 (y grows downwards), and whether they are
# closed, which may be filled.
Lines = tuple[list[NDArray[np.float64]], bool]


def _polygon(*corners: Point) -> Lines:
    return [np.array(corners, np.float64)], True


def _strokes(*strokes: Sequence[Point]) -> Lines:
    return [np.array(stroke, np.float64) for stroke in strokes], False


def _turned(lines: Lines, angle: float) -> Lines:
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    return [line @ turn for line in lines[0]], lines[1]


def _stretched(lines: Lines, x: float, y: float) -> Lines:
    return [line * (x, y) for line in lines[0]], lines[1]


def _triangle(rng: Generator) -> Lines:
    tip = rng.uniform(-0.6, 0.6)
    return _turned(_polygon((tip, -0.9), (0.9, 0.8), (-0.9, 0.8)), rng.choice([0, math.pi]))


def _square(rng: Generator) -> Lines:
    return _stretched(
        _polygon((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)), 1, rng.uniform(0.6, 1.1)
    )


def _diamond(rng: Generator) -> Lines:
    return _stretched(_polygon((0, -1), (1, 0), (0, 1), (-1, 0)), 1, rng.uniform(0.6, 0.9))


def _plus(rng: Generator) -> Lines:
    x, y = rng.uniform(-0.2, 0.2, 2)
    return _strokes([(-1, y), (1, y)], [(x, -1), (x, 1)])


def _cross(rng: Generator) -> Lines:
    return _stretched(
        _strokes([(-1, -1), (1, 1)], [(1, -1), (-1, 1)]), rng.uniform(0.75, 1), rng.uniform(0.75, 1)
    )


def _star(rng: Generator) -> Lines:
    inner = rng.uniform(0.35, 0.5)
    angles = np.arange(10) * math.pi / 5 - math.pi / 2
    radii = np.where(np.arange(10) % 2 == 0, 1.0, inner)
    return [np.column_stack([np.cos(angles), np.sin(angles)]) * radii[:, None]], True


def _pentagram(rng: Generator) -> Lines:
    angles = np.arange(5) * 4 * math.pi / 5 - math.pi / 2 + rng.uniform(-0.2, 0.2)
    return [np.column_stack([np.cos(angles), np.sin(angles)])], True


def _asterisk(rng: Generator) -> Lines:
    count = int(rng.integers(3, 5))
    angles = np.arange(count) * math.pi / count + rng.uniform(0, math.pi)
    tips = np.column_stack([np.cos(angles), np.sin(angles)])
    return [np.array([tip, -tip]) for tip in tips], False


def _arrow(rng: Generator) -> Lines:
    head = rng.uniform(0.5, 0.8)
    arrow = _strokes([(-1, 0), (1, 0)], [(1 - head, -head), (1, 0), (1 - head, head)])
    # Not near the vertical, where an arrow is a 1 with its flag.
    return _turned(arrow, rng.uniform(-1, 1) * math.radians(45) + rng.choice([0, math.pi]))


def _spiral(rng: Generator) -> Lines:
    turns = rng.uniform(2.5, 3.5)
    share = np.linspace(0.05, 1, 120)
    angles = share * turns * 2 * math.pi + rng.uniform(0, 2 * math.pi)
    direction = rng.choice([-1, 1])
    return [np.column_stack([np.cos(angles), direction * np.sin(angles)]) * share[:, None]], False


def _zigzag(rng: Generator) -> Lines:
    count = int(rng.integers(5, 8))
    x = np.linspace(-1, 1, count)
    y = np.where(np.arange(count) % 2 == 0, -1, 1) * rng.uniform(0.4, 0.9) * rng.choice([-1, 1])
    return [np.column_stack([x, y])], False


def _wave(rng: Generator) -> Lines:
    x = np.linspace(-1, 1, 80)
    y = rng.uniform(0.25, 0.5) * np.sin(x * math.pi * rng.uniform(1.5, 2.5) + rng.uniform(0, 6))
    return [np.column_stack([x, y])], False


def _hash(rng: Generator) -> Lines:
    gap = rng.uniform(0.3, 0.45)
    return _strokes(
        *[[(p, -1), (p, 1)] for p in (-gap, gap)],
        *[[(-1, p), (1, p)] for p in (-gap, gap)],
    )


def _bars(rng: Generator) -> Lines:
    count = int(rng.integers(2, 4))
    bars = _strokes(*[[(-1, y), (1, y)] for y in np.linspace(-0.6, 0.6, count)])
    return _turned(bars, rng.choice([0, math.pi / 2]))


def _heart(rng: Generator) -> Lines:
    # The curve of this name in Weisstein's MathWorld, scaled to -1 to 1.
    t = np.linspace(0, 2 * math.pi, 60)
    x = np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    return [np.column_stack([x * rng.uniform(0.8, 1), y])], True


def _house(rng: Generator) -> Lines:
    eaves = rng.uniform(-0.3, 0.1)
    return _strokes(
        [(-0.8, 1), (-0.8, eaves), (0, -1), (0.8, eaves), (0.8, 1), (-0.8, 1)],
        [(-0.8, eaves), (0.8, eaves)],
    )


def _check_mark(rng: Generator) -> Lines:
    return _strokes([(-1, rng.uniform(-0.1, 0.3)), (-0.4, 0.8), (1, -0.9)])


def _grid(rng: Generator) -> Lines:
    places = np.linspace(-1, 1, int(rng.integers(3, 5)))
    return _strokes(
        *[[(p, -1), (p, 1)] for p in places.tolist()],
        *[[(-1, p), (1, p)] for p in places.tolist()],
    )


def _scribble(rng: Generator) -> Lines:
    """Draw what people do to strike something out."""
    count = int(rng.integers(9, 14))
    x = np.linspace(-1, 1, count) + rng.normal(0, 0.08, count)
    y = np.where(np.arange(count) % 2 == 0, -1, 1) * rng.uniform(0.6, 1, count)
    return _turned(([np.column_stack([x, y])], False), rng.uniform(0, math.pi))


def _smile(rng: Generator) -> Lines:
    angles = np.linspace(0.15, 0.85, 30) * math.pi
    mouth = np.column_stack([np.cos(angles), np.sin(angles) * rng.uniform(0.6, 1)])
    eyes = [np.array([(x, -0.6), (x, -0.5)]) for x in (-0.4, 0.4)]
    return [mouth, *eyes], False


SHAPES: dict[str, Callable[[Generator], Lines]] = {
    "triangle": _triangle,
    "square": _square,
    "diamond": _diamond,
    "plus": _plus,
    "cross": _cross,
    "star": _star,
    "pentagram": _pentagram,
    "asterisk": _asterisk,
    "arrow": _arrow,
    "spiral": _spiral,
    "zigzag": _zigzag,
    "wave": _wave,
    "hash": _hash,
    "bars": _bars,
    "heart": _heart,
    "house": _house,
    "check mark": _check_mark,
    "grid": _grid,
    "scribble": _scribble,
    "smile": _smile,
}
