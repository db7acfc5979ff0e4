"""Paper, boards and desks, and what is printed on paper before one writes."""

import math

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist.vision.frames import Picture

# Colour (blue, green, red), and the deviation of its fine and of its cloudy grain, in levels.
PAPERS = {
    "white": ((244, 245, 246), 1.0, 1.0),
    "cream": ((208, 230, 240), 1.5, 1.5),
    "grey": ((196, 198, 198), 2.0, 2.0),
    "recycled": ((190, 202, 208), 5.0, 3.5),
    "cardboard": ((118, 158, 188), 4.5, 4.0),
    "blackboard": ((54, 66, 48), 2.5, 6.0),
    "slate": ((52, 48, 46), 3.0, 5.0),
}
DESKS = ((48, 70, 98), (70, 98, 132), (58, 58, 60), (38, 36, 36), (96, 110, 118))
RULING_COLORS = ((205, 165, 130), (200, 180, 160), (170, 168, 165), (190, 175, 205))
MARGIN_COLOR = (110, 100, 205)


def make_paper(name: str, size: tuple[int, int], scale: int, rng: Generator) -> Picture:
    """Make an empty sheet.

    Args:
        name: One of `PAPERS`.
        size: Width and height in pixels.
        scale: Pixels of the page to one of the frame.
        rng: The source of chance.

    Returns:
        uint8 [height, width, 3].
    """
    color, fine, cloudy = PAPERS[name]
    shift = rng.uniform(-6, 6) + rng.uniform(-2, 2, 3)
    # Grain finer than the frame's pixels would not be seen.
    small = (max(2, size[0] // scale), max(2, size[1] // scale))
    grain = fine * rng.standard_normal(small[::-1], np.float32)
    grain += cloudy * _clouds(small, 120, rng)
    if name == "recycled":
        grain -= _flecks(small, rng)
    if name == "cardboard":
        grain += 3 * _clouds((small[0] // 8 + 2, small[1]), 2, rng).repeat(8, 1)[:, : small[0]]
    sheet = np.array(color, np.float32) + shift.astype(np.float32) + grain[..., None]
    levels = np.clip(sheet, 0, 255).astype(np.uint8)
    paper: Picture = cv2.resize(levels, size, interpolation=cv2.INTER_LINEAR)
    return paper


def make_desk(size: tuple[int, int], rng: Generator) -> Picture:
    """Make what lies under the paper, uint8 [height, width, 3]: wood, or an even surface."""
    width, height = size
    color = np.array(DESKS[rng.integers(len(DESKS))], np.float32)
    grain = 3 * _clouds(size, 100, rng) + rng.standard_normal((height, width), np.float32)
    if rng.random() < 0.6:  # the grain of wood runs along
        fibres = rng.standard_normal((height, max(2, width // 60)), np.float32)
        grain += 6 * cv2.resize(cv2.GaussianBlur(fibres, (0, 0), 1.2), size)
    desk: Picture = np.clip(color + grain[..., None], 0, 255).astype(np.uint8)
    return desk


def rule(
    page: Picture, ruling: str, pitch: float, first: float, scale: int, rng: Generator
) -> None:
    """Print lines on a page.

    Args:
        page: uint8 [height, width, 3], changed in place.
        ruling: "ruled", "margin" (ruled, with a line down the margin) or "squared".
        pitch: From line to line, in pixels of the page.
        first: Where one of the lines runs across.
        scale: Pixels of the page to one of the frame.
        rng: The source of chance.
    """
    height, width = page.shape[:2]
    color = np.array(RULING_COLORS[rng.integers(len(RULING_COLORS))], np.float64)
    opacity = rng.uniform(0.35, 0.75)
    thickness = scale * rng.uniform(0.7, 1.3)
    across = opacity * _line_coverage(height, pitch, first, thickness)
    for row in np.flatnonzero(across):
        page[row] = _tint(page[row], across[row], color)
    if ruling == "squared":
        down = opacity * _line_coverage(width, pitch, rng.uniform(0, pitch), thickness)
        for column in np.flatnonzero(down):
            page[:, column] = _tint(page[:, column], down[column], color)
    if ruling == "margin":
        start = round(rng.uniform(0.06, 0.1) * width)
        margin = page[:, start : start + max(1, round(thickness))]
        margin[:] = _tint(margin, 0.7, np.array(MARGIN_COLOR, np.float64))


def crease(page: Picture, rng: Generator) -> None:
    """Fold a page once: the light falls differently on either side, the edge catches it."""
    height, width = page.shape[:2]
    angle = rng.choice([0, math.pi / 2]) + rng.normal(0, 0.06)
    normal = (-math.sin(angle), math.cos(angle))
    place = rng.uniform(0.25, 0.75, 2) * (width, height)
    y, x = np.ogrid[:height, :width]
    distance = ((x - place[0]) * normal[0] + (y - place[1]) * normal[1]).astype(np.float32)
    edge = 0.012 * max(height, width)
    side = rng.uniform(0.01, 0.035) * np.tanh(distance / edge)
    glint = rng.uniform(0.02, 0.08) * np.exp(-((distance / (0.25 * edge)) ** 2))
    light = 1 + side * rng.choice([-1, 1]) + glint * rng.choice([-1, 1])
    page[:] = np.clip(page * light[..., None].astype(np.float32), 0, 255).astype(np.uint8)


def _clouds(size: tuple[int, int], cell: int, rng: Generator) -> NDArray[np.float32]:
    """Return smooth noise of deviation about 1 whose largest clouds are `cell` pixels wide."""
    clouds = np.zeros(size[::-1], np.float32)
    weight = 0.8
    while cell >= 2:
        coarse = rng.standard_normal((size[1] // cell + 3, size[0] // cell + 3), np.float32)
        clouds += weight * cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
        cell, weight = cell // 3, 0.6 * weight
    return clouds


def _flecks(size: tuple[int, int], rng: Generator) -> NDArray[np.float32]:
    """Return short fibres, each some levels darker than its paper."""
    width, height = size
    flecks = np.zeros((height, width), np.float32)
    for _ in range(width * height // 2500):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        angle, length = rng.uniform(0, math.pi), rng.uniform(1, 5)
        end = (round(x + length * math.cos(angle)), round(y + length * math.sin(angle)))
        cv2.line(flecks, (round(x), round(y)), end, float(rng.uniform(8, 40)), 1, cv2.LINE_AA)
    return cv2.GaussianBlur(flecks, (0, 0), 0.6)


def _line_coverage(
    length: int, pitch: float, first: float, thickness: float
) -> NDArray[np.float64]:
    """Return how much of each pixel along a side lies on one of the lines across it."""
    offset = (np.arange(length) - first + pitch / 2) % pitch - pitch / 2
    coverage: NDArray[np.float64] = np.clip(thickness / 2 + 0.5 - np.abs(offset), 0, 1)
    return coverage


def _tint(part: Picture, share: float, color: NDArray[np.float64]) -> Picture:
    """Return a part of a page with a printed colour, which darkens what it is printed on."""
    return np.rint(part * (1 - share + share * color / 245)).astype(np.uint8)
