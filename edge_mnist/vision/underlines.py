"""Lines that digits stand on and that are too short or too thick for rules."""

import numpy as np
from numpy.typing import NDArray

# A line is thin beside the height of all, and so many times as long as thick. This share of it is
# straight, and the digits leave some of it plain, as this percentile of its thickness tells.
MAX_THICKNESS = 0.25
MIN_SLENDERNESS = 6.0
MIN_STRAIGHT_SHARE = 0.9
PLAIN_PERCENTILE = 30
# What is so many times as thick is no longer plain.
MAX_PLAIN = 1.5


def erase_underline(mask: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Take away the line that ink stands on, and what hangs down through it.

    Args:
        mask: bool [height, width] of ink that hangs together, in its box.

    Returns:
        bool of the same shape; None if the ink does not stand on a line from end to end.
    """
    height, width = mask.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)
    # Upside down: rows are counted from below.
    turned = mask[::-1]
    lowest = np.argmax(turned, axis=0)
    tops = np.where((rows >= lowest) & ~turned, rows, height).min(axis=0)
    thickness = tops - lowest
    usual = float(np.percentile(thickness, PLAIN_PERCENTILE))
    if usual > MAX_THICKNESS * height or width < MIN_SLENDERNESS * usual:
        return None
    # Beyond the digits there is nothing but the line.
    is_plain = thickness <= MAX_PLAIN * usual
    end = max(2, round(usual / 2))
    if not (is_plain[:end].all() and is_plain[-end:].all()):
        return None
    is_near = np.ones(width, bool)
    for _ in range(2):
        line = np.polyval(np.polyfit(columns[is_near], lowest[is_near], 1), columns)
        is_near = np.abs(lowest - line) <= 1 + usual / 4
        if is_near.mean() < MIN_STRAIGHT_SHARE:
            return None
    return (turned & (rows > line + usual))[::-1]
