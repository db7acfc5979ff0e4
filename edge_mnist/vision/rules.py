"""Printed lines: ruled and squared paper, frames of cells, underlines."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.ink import MIN_CONTRAST, label_components

# A piece of ink that spans this share of the frame's width or height may hold rules.
WIDE_SHARE = 0.3
# Angles that paper is held at, in degrees, and how finely they are told apart.
MAX_TILT_DEG = 16.0
TILT_STEP_DEG = 0.5
# Points that are enough to tell the angle.
SAMPLED_POINTS = 4000

# Pixels in a row that make a piece of rule, and how far such pieces may stand apart.
MIN_RUN = 17
MAX_BREAK = 3
# A rule is at least this long in pixels, and so many times as long as thick.
MIN_LENGTH = 60
MIN_LENGTH_SHARE = 0.15
MIN_SLENDERNESS = 30
# Rules that are at most so dark, as a share of the writing, go by that alone. Each of the two is
# told by a percentile, and the rules' is raised by a margin.
MAX_FAINT_SHARE = 0.45
WRITING_PERCENTILE = 90
DARKEST_PERCENTILE = 80
FAINTER = 1.3
# No line of a pen is thicker than this and a rule.
MAX_THICKNESS = 9


def spans_frame(
    widths: NDArray[np.int32], heights: NDArray[np.int32], shape: tuple[int, ...]
) -> bool:
    """Tell whether any piece of ink is so large that it may hold rules."""
    height, width = shape[:2]
    return bool((widths > WIDE_SHARE * width).any() or (heights > WIDE_SHARE * height).any())


def estimate_tilts(mask: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the angles of the rules in a mask, those that run across and those that run down.

    Args:
        mask: uint8 [height, width], above 0 where there may be ink.

    Returns:
        Degrees. The first is above 0 if they fall from left to right, the second if they lean to
        the left on their way down: both are the same for a page that was turned.
    """
    points = cv2.findNonZero(mask)
    if points is None:
        return 0.0, 0.0
    x, y = points[:: 1 + len(points) // SAMPLED_POINTS, 0].T.astype(np.float32)
    height, width = mask.shape
    return _estimate_tilt(x - width / 2, y), -_estimate_tilt(y - height / 2, x)


def _estimate_tilt(along: NDArray[np.float32], across: NDArray[np.float32]) -> float:
    """Return the angle at which the profile across has the sharpest peaks.

    Postl, "Detection of linear oblique structures and skew scan in digitized documents", 1986.
    """
    span = math.tan(math.radians(MAX_TILT_DEG)) * float(np.abs(along).max()) + 1
    angles = np.arange(-MAX_TILT_DEG, MAX_TILT_DEG + TILT_STEP_DEG / 2, TILT_STEP_DEG)
    sharpness = [
        (
            np.bincount((across - along * math.tan(math.radians(angle)) + span).astype(np.intp))
            ** 2
        ).sum()
        for angle in angles
    ]
    return float(angles[np.argmax(sharpness)])


def erase_rules(contrast: GrayImage) -> GrayImage:
    """Take rules away, and leave the ink that crosses them.

    Args:
        contrast: uint8 [height, width], 0 is paper; rules in it are level or upright, within
            some degrees.

    Returns:
        uint8 of the same shape.
    """
    _, mask = cv2.threshold(contrast, MIN_CONTRAST, 1, cv2.THRESH_BINARY)
    level = _find_rules(mask)
    upright = np.ascontiguousarray(_find_rules(np.ascontiguousarray(mask.T)).T)
    rules = cv2.bitwise_or(level, upright)
    if not rules.any():
        return contrast
    others = contrast[cv2.dilate(rules, np.ones((5, 5), np.uint8)) < mask]
    writing = float(np.percentile(others, WRITING_PERCENTILE)) if len(others) else 0.0
    cut = FAINTER * float(np.percentile(contrast[rules > 0], DARKEST_PERCENTILE))
    if cut <= MAX_FAINT_SHARE * writing:
        # What is as faint as the rules are, are pieces of them.
        return cv2.threshold(contrast, cut, 0, cv2.THRESH_TOZERO)[1].astype(np.uint8)
    erased = _erase(contrast, mask, level)
    turned = _erase(*(np.ascontiguousarray(picture.T) for picture in (erased, mask, upright)))
    return np.ascontiguousarray(turned.T)


def _find_rules(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the pixels of level rules, uint8 [height, width] of 0 and 1."""
    # Rules that fall by a pixel here and there have runs as long as others once they are thickened.
    thick = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, MIN_RUN), np.uint8))
    linked = cv2.dilate(runs, np.ones((3, MAX_BREAK), np.uint8))
    labels, stats = label_components(linked)
    count = len(stats)
    ink = np.bincount(labels[runs > 0], minlength=count)
    length = stats[:, cv2.CC_STAT_WIDTH]
    thickness = ink / np.maximum(length, 1)
    is_rule = (
        (length >= max(MIN_LENGTH, MIN_LENGTH_SHARE * min(mask.shape)))
        & (thickness <= MAX_THICKNESS)
        & (length >= MIN_SLENDERNESS * thickness)
    )
    is_rule[0] = False
    return (is_rule[labels] & (runs > 0)).astype(np.uint8)


def _erase(contrast: GrayImage, mask: NDArray[np.uint8], rules: NDArray[np.uint8]) -> GrayImage:
    """Take level rules away; what is darker than they are, or goes on above and below, stays."""
    # The soft edges of a rule are part of it.
    near = cv2.dilate(rules, np.ones((5, 3), np.uint8)) > 0
    # Ink just above and just below the rule belongs to a stroke that crosses it.
    beyond = mask * (~near)
    reach = MAX_THICKNESS
    above = cv2.dilate(beyond, np.ones((2 * reach + 1, 1), np.uint8), anchor=(0, 2 * reach))
    below = cv2.dilate(beyond, np.ones((2 * reach + 1, 1), np.uint8), anchor=(0, 0))
    crosses = (above > 0) & (below > 0)
    erased = np.where(near & ~crosses, 0, contrast)
    return erased.astype(np.uint8)
