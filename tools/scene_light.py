"""The light that falls on a page: shading, vignetting and shadows."""

import math

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

# float32 [height, width], 1 is full light.
Light = NDArray[np.float32]

# Widths of a shadow's edge, as a share of the frame's longer side.
SOFT_EDGE = (0.02, 0.06)
HARD_EDGE = (0.0015, 0.005)


def make_light(size: tuple[int, int], shading: float, rng: Generator) -> Light:
    """Make light that comes from one side and falls off towards the frame's corners.

    Args:
        size: Width and height in pixels.
        shading: How much darker the darkest place is, 0 to 1.
        rng: The source of chance.
    """
    width, height = size
    y, x = np.ogrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    angle = rng.uniform(0, 2 * math.pi)
    slope = 0.5 - (x * math.cos(angle) + y * math.sin(angle)) / math.sqrt(2)
    corner = 2 * (x**2 + y**2)
    share = rng.uniform(0.5, 1)  # the rest is vignetting
    return (1 - shading * (share * slope + (1 - share) * corner)).astype(np.float32)


def cast_shadow(light: Light, edge: tuple[float, float], rng: Generator) -> None:
    """Darken a part of the frame, as a head, an arm or a window's bar does.

    Args:
        light: Changed in place.
        edge: How wide the shadow's edge is: `SOFT_EDGE` or `HARD_EDGE`.
        rng: The source of chance.
    """
    height, width = light.shape
    side = max(width, height)
    middle = rng.uniform(0.2, 0.8, 2) * (width, height)
    angle = rng.uniform(0, 2 * math.pi)
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]])
    if rng.random() < 0.5:  # a bar across the frame
        half = rng.uniform(0.06, 0.2) * side
        ends = [(-2, -half), (2, -half), (2, half), (-2, half)]
        corners = [middle + a * side * along + b * across for a, b in ends]
    else:  # one side of the frame, with a bend
        bend = rng.uniform(-0.15, 0.15) * side
        ends = [(-2, 0), (-0.1, 0), (0.25, bend), (2, bend), (2, 2 * side), (-2, 2 * side)]
        corners = [middle + a * side * along + b * across for a, b in ends]
    blur = max(0.8, rng.uniform(*edge) * side)
    # A wide edge needs few pixels.
    step = max(1, int(blur / 4))
    shade = np.zeros((height // step + 1, width // step + 1), np.float32)
    cv2.fillPoly(shade, [np.rint(np.array(corners) / step).astype(np.int32)], 1.0)
    shade = cv2.resize(cv2.GaussianBlur(shade, (0, 0), blur / step), (width, height))
    light *= 1 - rng.uniform(0.25, 0.55) * shade
