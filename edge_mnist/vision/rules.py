"""Lines that are no digits: ruled and squared paper, frames of cells, underlines."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import BOX_INK_SHARE, GrayImage
from edge_mnist.vision.components import Mask, find_components
from edge_mnist.vision.ink import MIN_CONTRAST
from edge_mnist.vision.sides import MAX_THICKNESS_SHARE, MIN_SIDE, find_runs, find_sides, link

# A piece of ink may hold rules if it spans this share of the frame's longer side, and is not filled
# by more than this, or this many times as long as high: digits are smaller or fuller.
LONG_SHARE = 0.12
MAX_FILL = 0.4
MAX_ASPECT = 4.0
# Angles that paper is held at, in degrees, and how finely they are told apart in two rounds.
MAX_TILT_DEG = 16.0
TILT_STEPS_DEG = (1.0, 0.25)
# Upright rules make the profile so much sharper than the angle of the level ones does.
MIN_GAIN = 1.2
# Points that are enough to tell the angle.
SAMPLED_POINTS = 3000

# Pixels in a row that make a piece of rule, as a share of the frame's longer side.
MIN_RUN_SHARE = 0.035
# A rule is at least this long, as a share of the longer side, and so many times as long as thick:
# the bar of a 7 is at most as long as the digit is high, and pens are thicker than a sixteenth of
# that. A 1 is longer.
MIN_LENGTH_SHARE = 0.1
MIN_SLENDERNESS = 16
MIN_UPRIGHT_SLENDERNESS = 24
# What leads from one rule to another as a side has this share of their contrast.
SIDE_CORE_SHARE = 0.5
# Rules that are at most so dark, as a share of the writing, go by that alone: what is this many
# times as dark as half of their pixels is writing, and so is what is as dark as this percentile.
MAX_FAINT_SHARE = 0.45
FAINTER = 2.0
WRITING_PERCENTILE = 90
# Of others, what has this share of their contrast belongs to them.
RULE_CORE_SHARE = 0.6


def are_rules(stats: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell of each piece of ink whether it is so long and empty that it may hold rules.

    Args:
        stats: int32 [N, 5] as in `Components`.
        shape: Height and width of the frame.
    """
    _, _, w, h, area = stats.T
    is_long: NDArray[np.bool_] = np.maximum(w, h) > LONG_SHARE * max(shape)
    is_long[0] = False
    if not is_long.any():
        return is_long
    is_thin = (area < MAX_FILL * w * h) | (w > MAX_ASPECT * h) | (h > MAX_ASPECT * w)
    found: NDArray[np.bool_] = is_long & is_thin
    return found


def estimate_tilts(mask: Mask) -> tuple[float, float]:
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
    # OpenCV 5 has an axis less.
    points = points.reshape(-1, 2)[:: 1 + len(points) // SAMPLED_POINTS]
    x, y = points.T.astype(np.float32)
    height, width = mask.shape
    across, _ = _estimate_tilt(x - width / 2, y)
    down, gain = _estimate_tilt(y - height / 2, x, -across)
    # Slanted digits are not enough to say that a page is skew.
    return across, -down if gain >= MIN_GAIN else across


def _estimate_tilt(
    along: NDArray[np.float32], across: NDArray[np.float32], usual: float = 0.0
) -> tuple[float, float]:
    """Return the angle at which the profile across has the sharpest peaks.

    Postl, "Detection of linear oblique structures and skew scan in digitized documents", 1986.

    Args:
        along: float32 [N], the places of ink along the rules, 0 in the middle.
        across: float32 [N], the same across.
        usual: Another angle, in degrees.

    Returns:
        The angle in degrees, and how many times as sharp the peaks are as at the usual angle.
    """
    span = math.tan(math.radians(MAX_TILT_DEG + 1)) * float(np.abs(along).max()) + 1

    def measure_sharpness(angle: float) -> int:
        places = across - along * math.tan(math.radians(angle)) + span
        return int((np.bincount(places.astype(np.intp)) ** 2).sum())

    best, reach = 0.0, MAX_TILT_DEG
    for step in TILT_STEPS_DEG:
        angles = np.arange(best - reach, best + reach + step / 2, step)
        best = float(max(np.clip(angles, -MAX_TILT_DEG, MAX_TILT_DEG), key=measure_sharpness))
        reach = step
    return best, measure_sharpness(best) / measure_sharpness(usual)


class Erased(NamedTuple):
    """Ink without the rules in it.

    Attributes:
        contrast: uint8 [height, width], 0 is paper.
        upright: uint8 of the same shape, 1 on the rules that ran down.
    """

    contrast: GrayImage
    upright: Mask


def erase_rules(contrast: GrayImage) -> Erased | None:
    """Take rules away, and leave the ink that crosses them.

    Args:
        contrast: uint8 [height, width], 0 is paper; rules in it are level or upright, within
            some degrees.

    Returns:
        None if there are no rules.
    """
    faint = _find(contrast, MIN_CONTRAST)
    others = contrast[
        cv2.dilate(faint.level | faint.upright, np.ones((5, 5), np.uint8)) < faint.mask
    ]
    writing = float(np.percentile(others, WRITING_PERCENTILE)) if len(others) else 0.0
    erased, threshold = contrast, BOX_INK_SHARE * writing
    if len(faint.levels):
        usual = float(np.median(faint.levels))
        if FAINTER * usual <= MAX_FAINT_SHARE * writing:
            # What is as faint as the rules are, are pieces of them.
            above = cv2.threshold(contrast, FAINTER * usual, 0, cv2.THRESH_TOZERO)[1]
            erased = above.astype(np.uint8, copy=False)
        else:
            threshold = min(threshold, RULE_CORE_SHARE * usual)
    # Where ink is dark, a low threshold makes lines of its soft edges and thick ones of thin ones.
    rules = _find(erased, max(MIN_CONTRAST, threshold))
    if not len(faint.levels) and not len(rules.levels):
        return None
    return Erased(rules.erase(erased), faint.upright | rules.upright)


@dataclass(frozen=True)
class _Rules:
    """The rules in an ink map.

    Attributes:
        mask: uint8 [height, width], 1 where there is ink.
        level: uint8 of the same shape, 1 on rules that run across.
        upright: The same for those that run down.
        levels: float64 [N], the contrast of each rule.
    """

    mask: Mask
    level: Mask
    upright: Mask
    levels: NDArray[np.float64]

    def erase(self, contrast: GrayImage) -> GrayImage:
        """Return a contrast map without them."""
        if not len(self.levels):
            return contrast
        most = FAINTER * float(np.median(self.levels))
        erased = _erase(contrast, self.mask, self.level, most)
        erased, mask, upright = map(_transpose, (erased, self.mask, self.upright))
        return _transpose(_erase(erased, mask, upright, most))


def _find(contrast: GrayImage, threshold: float) -> _Rules:
    mask = cv2.threshold(contrast, threshold, 1, cv2.THRESH_BINARY)[1].astype(np.uint8, copy=False)
    turned, turned_contrast = _transpose(mask), _transpose(contrast)
    level, levels = _find_rules(mask, contrast, MIN_SLENDERNESS)
    upright, more = _find_rules(turned, turned_contrast, MIN_UPRIGHT_SLENDERNESS)
    if len(levels):
        # The soft edges of digits and frames run into one another.
        core = turned_contrast > SIDE_CORE_SHARE * float(np.median(levels))
        sides = find_sides(turned & core, _transpose(level))
        upright = cv2.bitwise_or(upright, sides).astype(np.uint8, copy=False)
    return _Rules(mask, level, _transpose(upright), np.concatenate([levels, more]))


def _transpose(picture: Mask) -> Mask:
    return cv2.transpose(picture).astype(np.uint8, copy=False)


def _find_rules(
    mask: Mask, contrast: GrayImage, min_slenderness: float
) -> tuple[Mask, NDArray[np.float64]]:
    """Return the pixels of level rules, and the contrast of each rule."""
    longer = max(mask.shape)
    runs = find_runs(mask, max(MIN_SIDE, round(MIN_RUN_SHARE * longer)))
    # A rule that is not quite level goes on in the next row.
    labels, stats = find_components(link(runs))
    # Few pixels are in runs, and all others cost as much.
    places = np.flatnonzero(runs.view(bool))
    own = np.take(labels, places)
    ink = np.bincount(own, minlength=len(stats))
    length = stats[:, cv2.CC_STAT_WIDTH]
    thickness = ink / np.maximum(length, 1)
    is_rule = (
        (length >= MIN_LENGTH_SHARE * longer)
        & (thickness <= MAX_THICKNESS_SHARE * longer)
        & (length >= min_slenderness * thickness)
    )
    is_rule[0] = False
    levels = np.bincount(own, np.take(contrast, places), minlength=len(stats)) / np.maximum(ink, 1)
    rules = np.zeros_like(runs)
    np.put(rules, places[is_rule[own]], 1)
    return rules, levels[is_rule]


def _leave_feet(rules: Mask) -> Mask:
    """Return level rules without the feet of digits that stand on them, which widen them."""
    slim = np.zeros_like(rules)
    labels, stats = find_components(link(rules))
    for label, (x, y, w, h, _) in enumerate(stats.tolist()):
        if label == 0:
            continue
        region = slice(y, y + h), slice(x, x + w)
        own = (labels[region] == label) & (rules[region] > 0)
        thickness = own.sum(axis=0)
        columns = np.flatnonzero(thickness)
        if not len(columns):
            continue
        usual = float(np.median(thickness[columns]))
        plain = columns[thickness[columns] <= 1.3 * usual + 0.5]
        rows = np.arange(h)
        centers = (own[:, plain] * rows[:, None]).sum(axis=0) / thickness[plain]
        # A page that is not flat bends them.
        line = np.polyval(np.polyfit(plain, centers, min(2, len(plain) - 1)), np.arange(w))
        near = np.abs(rows[:, None] - line) <= usual / 2 + 0.5
        slim[region] |= (own & near).view(np.uint8)
    return slim


def _erase(contrast: GrayImage, mask: Mask, rules: Mask, most: float) -> GrayImage:
    """Take level rules away; what goes on above and below stays, and what is darker than `most`."""
    rules = _leave_feet(rules)
    upper_edges = cv2.subtract(rules[1:], rules[:-1]).sum()
    if not upper_edges:
        return contrast
    thickness = round(float(rules.sum() / upper_edges))
    # The soft edges of a rule are part of it.
    soft = 5 + 2 * (thickness // 4)
    near = cv2.dilate(rules, np.ones((soft, 3), np.uint8))
    # Ink just above and just below the rule belongs to a stroke that crosses it.
    beyond = cv2.subtract(mask, near)
    reach = thickness + soft
    above = cv2.dilate(beyond, np.ones((reach, 1), np.uint8), anchor=(0, reach - 1))
    below = cv2.dilate(beyond, np.ones((reach, 1), np.uint8), anchor=(0, 0))
    goes = cv2.subtract(near, cv2.bitwise_and(above, below))
    return np.where((goes > 0) & (contrast < most), 0, contrast).astype(np.uint8)
