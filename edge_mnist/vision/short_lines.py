"""Lines that digits stand on or are framed by, too short or too thick for rules."""

import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.bool_]

# A line is thin beside the height of all, and so many times as long as thick. This share of it is
# straight, and the digits leave some of it plain, as this percentile of its thickness tells.
MAX_THICKNESS = 0.25
MIN_SLENDERNESS = 6.0
MIN_STRAIGHT_SHARE = 0.9
PLAIN_PERCENTILE = 30
# What is so many times as thick is no longer plain.
MAX_PLAIN = 1.5
# Within this share of its length a side of a frame runs into the next.
CORNER_SHARE = 0.1


def erase_underline(mask: Ink) -> Ink | None:
    """Take away the line that ink stands on, and what hangs down through it.

    Args:
        mask: bool [height, width] of ink that hangs together, in its box.

    Returns:
        bool of the same shape; None if the ink does not stand on a line from end to end.
    """
    above, thickness, usual = _erase_lowest(mask, 0)
    if above is None:
        return None
    # Beyond the digits there is nothing but the line.
    is_plain = thickness <= MAX_PLAIN * usual
    end = max(2, round(usual / 2))
    return above if is_plain[:end].all() and is_plain[-end:].all() else None


def erase_frame(mask: Ink) -> Ink | None:
    """Take away the four lines around ink; None if it has not got a line on each side."""
    within = mask
    for turns in range(4):
        corner = round(CORNER_SHARE * mask.shape[(turns + 1) % 2])
        above, _, _ = _erase_lowest(np.rot90(mask, turns), corner)
        if above is None:
            return None
        within = within & np.rot90(above, -turns)
    return within


def _erase_lowest(mask: Ink, corner: int) -> tuple[Ink | None, NDArray[np.intp], float]:
    """Take away the line on which ink stands.

    Args:
        mask: bool [height, width], with ink in every column.
        corner: So many columns at each end tell nothing about it.

    Returns:
        The ink above the line, None if there is no line; the thickness of the lowest ink in each
        column, and what is usual for it.
    """
    height, width = mask.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)
    # Upside down: rows are counted from below.
    turned = mask[::-1]
    lowest = np.argmax(turned, axis=0)
    thickness = np.where((rows >= lowest) & ~turned, rows, height).min(axis=0) - lowest
    told = slice(corner, width - corner)
    usual = float(np.percentile(thickness[told], PLAIN_PERCENTILE))
    if usual > MAX_THICKNESS * height or width < MIN_SLENDERNESS * usual:
        return None, thickness, usual
    is_near = np.zeros(width, bool)
    is_near[told] = True
    for _ in range(2):
        line = np.polyval(np.polyfit(columns[is_near], lowest[is_near], 1), columns)
        is_near[told] = np.abs(lowest - line)[told] <= 1 + usual / 4
        if is_near[told].mean() < MIN_STRAIGHT_SHARE:
            return None, thickness, usual
    return (turned & (rows > line + usual))[::-1], thickness, usual
