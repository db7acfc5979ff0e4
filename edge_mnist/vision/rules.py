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
MAX_BREAK = 9
# A rule is at least this long in pixels, and so many times as long as thick.
MIN_LENGTH = 60
MIN_SLENDERNESS = 20
# No line of a pen is thicker than this and a rule.
MAX_THICKNESS = 9


def spans_frame(
    widths: NDArray[np.int32], heights: NDArray[np.int32], shape: tuple[int, ...]
) -> bool:
    """Tell whether any piece of ink is so large that it may hold rules."""
    height, width = shape[:2]
    return bool((widths > WIDE_SHARE * width).any() or (heights > WIDE_SHARE * height).any())


def estimate_tilt(mask: NDArray[np.uint8]) -> float:
    """Return the angle of the rules in a mask.

    The angle at which the profile across the rules has the sharpest peaks (Postl, "Detection of
    linear oblique structures and skew scan in digitized documents", 1986).

    Args:
        mask: uint8 [height, width], above 0 where there may be ink.

    Returns:
        Degrees; above 0 if they fall from left to right.
    """
    points = cv2.findNonZero(mask)
    if points is None:
        return 0.0
    points = points[:: max(1, len(points) // SAMPLED_POINTS), 0]
    x, y = points.T.astype(np.float32)
    x -= mask.shape[1] / 2
    span = round(math.tan(math.radians(MAX_TILT_DEG)) * mask.shape[1] / 2) + 1
    best, best_angle = -1.0, 0.0
    for angle in np.arange(-MAX_TILT_DEG, MAX_TILT_DEG + 0.1, TILT_STEP_DEG):
        places = (y - x * math.tan(math.radians(angle)) + span).astype(np.intp)
        profile = np.bincount(places)
        sharpness = float((profile.astype(np.float32) ** 2).sum())
        if sharpness > best:
            best, best_angle = sharpness, float(angle)
    return best_angle


def erase_rules(contrast: GrayImage) -> GrayImage:
    """Take rules away, and leave the ink that crosses them.

    Args:
        contrast: uint8 [height, width], 0 is paper; rules in it are level, within 2 degrees.

    Returns:
        uint8 of the same shape.
    """
    _, mask = cv2.threshold(contrast, MIN_CONTRAST, 1, cv2.THRESH_BINARY)
    level = _find_rules(mask)
    upright = _find_rules(np.ascontiguousarray(mask.T)).T
    erased = contrast
    if level.any():
        erased = _erase(erased, mask, level)
    if upright.any():
        turned = _erase(
            np.ascontiguousarray(erased.T),
            np.ascontiguousarray(mask.T),
            np.ascontiguousarray(upright.T),
        )
        erased = np.ascontiguousarray(turned.T)
    return erased


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
        (length >= MIN_LENGTH)
        & (thickness <= MAX_THICKNESS)
        & (length >= MIN_SLENDERNESS * thickness)
    )
    is_rule[0] = False
    return (is_rule[labels] & (runs > 0)).astype(np.uint8)


def _erase(contrast: GrayImage, mask: NDArray[np.uint8], rules: NDArray[np.uint8]) -> GrayImage:
    """Take level rules away; what is darker than they are, or goes on above and below, stays."""
    height = contrast.shape[0]
    # The soft edges of a rule are part of it.
    near = cv2.dilate(rules, np.ones((5, 3), np.uint8)) > 0
    level = float(np.median(contrast[rules > 0]))
    fainter = cv2.subtract(contrast, np.full_like(contrast, min(255, round(1.4 * level))))
    # Ink just above and just below the rule belongs to a stroke that crosses it.
    beyond = mask * (~near)
    reach = MAX_THICKNESS
    above = cv2.dilate(beyond, np.ones((2 * reach + 1, 1), np.uint8), anchor=(0, 2 * reach))
    below = cv2.dilate(beyond, np.ones((2 * reach + 1, 1), np.uint8), anchor=(0, 0))
    crosses = (above > 0) & (below > 0)
    erased = np.where(near & ~crosses, fainter, contrast)
    return erased.astype(np.uint8)
