"""Digits that need no data: drawn with straight strokes, and shown as a camera would."""

from itertools import pairwise

import numpy as np

from edge_mnist.preprocessing import IMAGE_SIZE, GrayImage

PICTURE_SIZE = 100
PAPER, INK = 220, 40

# Strokes of each digit as corners (x, y) in the unit square.
STROKES: tuple[tuple[tuple[tuple[float, float], ...], ...], ...] = (
    (((0.5, 0), (0.9, 0.2), (0.9, 0.8), (0.5, 1), (0.1, 0.8), (0.1, 0.2), (0.5, 0)),),
    (((0.5, 0), (0.5, 1)),),
    (((0.1, 0.2), (0.5, 0), (0.9, 0.25), (0.1, 1), (0.9, 1)),),
    (((0.1, 0), (0.8, 0.1), (0.4, 0.45), (0.9, 0.75), (0.5, 1), (0.1, 0.9)),),
    (((0.2, 0), (0.1, 0.5), (0.9, 0.5)), ((0.8, 0), (0.7, 1))),
    (((0.9, 0), (0.2, 0), (0.15, 0.45), (0.8, 0.5), (0.8, 0.9), (0.1, 1)),),
    (((0.7, 0), (0.2, 0.5), (0.2, 0.9), (0.6, 1), (0.8, 0.75), (0.5, 0.55), (0.2, 0.7)),),
    (((0.1, 0), (0.9, 0), (0.4, 1)),),
    (((0.5, 0), (0.85, 0.2), (0.15, 0.75), (0.5, 1), (0.85, 0.75), (0.15, 0.2), (0.5, 0)),),
    (((0.8, 0.2), (0.4, 0), (0.2, 0.3), (0.5, 0.45), (0.8, 0.2), (0.7, 1)),),
)
STROKE_RADIUS = 1.2  # pixels
MARGIN = 4  # pixels: MNIST's digits fill a box of 20


def draw_digit(digit: int, rng: np.random.Generator | None = None) -> GrayImage:
    """Return a digit drawn with straight strokes: uint8 [28, 28], 0 is paper and 255 is ink.

    Args:
        digit: 0 to 9.
        rng: Moves its corners a little; None leaves them where they are.
    """
    rows, columns = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE]
    nearest = np.full((IMAGE_SIZE, IMAGE_SIZE), np.inf)
    for stroke in STROKES[digit]:
        corners = np.array(stroke) * (0.65, 1)
        corners[:, 0] += 0.175
        if rng is not None:
            corners += rng.normal(0, 0.03, corners.shape)
        corners = MARGIN + corners * (IMAGE_SIZE - 1 - 2 * MARGIN)
        for (x, y), (end_x, end_y) in pairwise(corners):
            along_x, along_y = end_x - x, end_y - y
            share = ((columns - x) * along_x + (rows - y) * along_y) / (along_x**2 + along_y**2)
            share = share.clip(0, 1)
            distance = np.hypot(columns - x - share * along_x, rows - y - share * along_y)
            nearest = np.minimum(nearest, distance)
    ink = (STROKE_RADIUS + 0.5 - nearest).clip(0, 1)
    image: GrayImage = np.rint(255 * ink).astype(np.uint8)
    return image


def enlarge(image: GrayImage) -> GrayImage:
    """Return an image as a camera's crop would show it: dark on lighter paper.

    Args:
        image: uint8 [28, 28], 0 is paper and 255 is ink.

    Returns:
        uint8 [100, 100].
    """
    times = PICTURE_SIZE // IMAGE_SIZE
    margin = PICTURE_SIZE - times * IMAGE_SIZE
    sides = (margin // 2, margin - margin // 2)
    ink = np.pad(np.kron(image, np.ones((times, times), np.uint8)), (sides, sides))
    crop: GrayImage = (PAPER - ink.astype(np.int32) * (PAPER - INK) // 255).astype(np.uint8)
    return crop
