"""Which of what stands together is a number, and which of it are its digits."""

import math
from statistics import fmean, median
from typing import NamedTuple

import numpy as np

from edge_mnist.vision.candidates import MIN_HEIGHT_SHARE, STROKES, Candidate

# Fainter ink among digits, by the ink of one pen, is of printed lines.
MIN_LEVEL_SHARE = 0.4
# How much like digits the candidates of a number are, in the mean of 1 less the rejection score, by
# how many there are at most: less is left to chance in more of them.
MIN_LIKENESS = {3: 0.5, 12: 0.7, math.inf: 0.85}
# A rejected candidate in such a number counts as a digit up to this score, and at any score between
# digits of more than so many: fewer may be letters.
MAX_RESCUED_SCORE = 0.95
MAX_WORD = 3
# Digits whose scores are less than this in the mean are unclear: what one has read into a pattern.
MIN_SURE_SCORE = math.log(0.8)
# A word in one stroke can be cut into digits, too. Where this share of a number was cut apart, it
# is clear. So many digits in one piece are a word if they are all that there is.
CUT_SHARE = 0.5
MIN_JOINED = 4

# What is usual in a frame is told by this many digits, of numbers that are longer than this, clear,
# and no mere strokes (below). The others are held against it.
MIN_SURE = 3
MAX_SHORT = 2
# Their digits are at most so many times as high or as low, their ink has at least this share of the
# contrast, and of one that stands alone the model is so sure.
MAX_SHORT_RATIO = 2.5
MIN_SHORT_LEVEL = 0.55
MIN_LONE_CONFIDENCE = 0.95
# A 1 among them is closer in height, and among strokes it is so thick, in pixels and of its height.
# More of them that stand alone are pieces of a grid.
MAX_ONE_RATIO = 1.5
MIN_THICKNESS = 2.0
MAX_SLENDERNESS = 14.0
MAX_LONE_ONES = 3
# At most this share of a number's digits are otherwise.
MAX_ODD_SHARE = 0.2
# No number at all is so many times as high or as low as is usual.
MAX_RATIO = 4.0
# The share of strokes in a number that is hardly anything else. More such digits, of which the
# higher are so many times as high as the lower, are a grid.
MIN_STROKES_SHARE = 0.75
MAX_STROKES = 15
MAX_WRITTEN_RATIO = 1.8
# More digits that stand alone, of heights that differ as much, are crossings of a grid.
MAX_LONE = 5
# What letters are read as, too. Digits that are no others, beside what is no digit, are letters; so
# are this many of them if the highest is more times as high as the lowest, as in `paid`.
LETTERS = (0, 1)
MIN_LETTERS = 3
MAX_EVEN_RATIO = 1.4


def judge(groups: list[list[Candidate]], min_confidence: float) -> list[list[Candidate]]:
    """Return the digits of each group of candidates that stand together; none if it is a word.

    Args:
        groups: From `part_numbers`, of all lines of a frame.
        min_confidence: Digits of which the model is less sure are left out.
    """
    numbers = [_judge_group(group, min_confidence) for group in groups]
    sure = [c.blob for number in numbers if not _is_weak(number) for c in number]
    usual = None
    if len(sure) >= MIN_SURE:
        usual = _Usual(
            height=median(blob.height for blob in sure),
            level=median(blob.level for blob in sure),
        )
    has_lone_ones = sum(map(_is_lone_one, numbers)) > MAX_LONE_ONES
    has_grid = _is_grid(
        [c.blob.height for number in numbers if _has_strokes(number) for c in number], MAX_STROKES
    )
    numbers = [
        []
        if (has_lone_ones and _is_lone_one(number))
        or (has_grid and _has_strokes(number))
        or not _is_plausible(number, usual)
        else number
        for number in numbers
    ]
    has_crossings = _is_grid([n[0].blob.height for n in numbers if len(n) == 1], MAX_LONE)
    return [[] if has_crossings and len(number) == 1 else number for number in numbers]


class _Usual(NamedTuple):
    """What digits are like in a frame: height in pixels, and the contrast of their ink."""

    height: float
    level: float


def _judge_group(group: list[Candidate], min_confidence: float) -> list[Candidate]:
    height = median(c.blob.height for c in group)
    level = median(c.blob.level for c in group)
    group = [
        c
        for c in group
        if c.blob.height >= MIN_HEIGHT_SHARE * height
        and c.blob.level >= MIN_LEVEL_SHARE * level
        and (c.prediction.digit != 1 or c.blob.height <= MAX_ONE_RATIO * height)
    ]
    if not group:
        return []
    likeness = fmean(1 - c.prediction.rejection_score for c in group)
    if likeness < next(least for most, least in MIN_LIKENESS.items() if len(group) <= most):
        return []
    # Among digits that are read well a strange one is a digit, too; between them it must be one.
    limit = MAX_RESCUED_SCORE if len(group) > 1 else 0.0
    number = [
        c
        for index, c in enumerate(group)
        if c.prediction.confidence >= min_confidence
        and (
            not c.prediction.rejected
            or c.prediction.rejection_score <= limit
            or _stands_among_digits(group, index)
        )
    ]
    if len(number) < len(group) and all(c.prediction.digit in LETTERS for c in number):
        return []
    if _is_word_of_zeros_and_ones(number):
        return []
    return [] if _is_cut_from_word(number) else number


def _stands_among_digits(group: list[Candidate], index: int) -> bool:
    """Tell whether a candidate has a digit before and after it, in a number that is not short."""
    return len(group) > MAX_WORD and all(
        0 <= beside < len(group) and not group[beside].prediction.rejected
        for beside in (index - 1, index + 1)
    )


def _is_word_of_zeros_and_ones(number: list[Candidate]) -> bool:
    """Tell whether all that is clear in a number is 0 and 1, and of heights as letters have."""
    if len(number) < MIN_LETTERS:
        return False
    heights = [c.blob.height for c in number]
    return max(heights) > MAX_EVEN_RATIO * min(heights) and all(
        c.prediction.digit in LETTERS or c.prediction.rejected for c in number
    )


def _is_cut_from_word(number: list[Candidate]) -> bool:
    """Tell whether a number is one piece of ink, or much of it was cut apart and is not clear."""
    if not number:
        return False
    is_one_piece = len(number) >= MIN_JOINED and all(c.parts == len(number) for c in number)
    is_much = sum(c.is_cut for c in number) >= CUT_SHARE * len(number)
    return is_one_piece or (is_much and _is_unsure(number))


def _is_lone_one(number: list[Candidate]) -> bool:
    return len(number) == 1 and number[0].prediction.digit == 1


def _has_strokes(number: list[Candidate]) -> bool:
    """Tell whether a number is of hardly anything but what pieces of a grid look like."""
    return sum(c.prediction.digit in STROKES for c in number) >= MIN_STROKES_SHARE * len(number)


def _is_grid(heights: list[int], most: int) -> bool:
    """Tell by their heights whether more than so many digits are pieces of a grid, not written."""
    if len(heights) <= most:
        return False
    low, high = np.percentile(heights, (10, 90))
    return bool(high > MAX_WRITTEN_RATIO * low)


def _is_weak(number: list[Candidate]) -> bool:
    """Tell whether a number can be chance: it is short, unclear, or of straight strokes."""
    return len(number) <= MAX_SHORT or _is_unsure(number) or _has_strokes(number)


def _is_unsure(number: list[Candidate]) -> bool:
    return fmean(c.score for c in number) < MIN_SURE_SCORE


def _is_plausible(number: list[Candidate], usual: _Usual | None) -> bool:
    """Tell whether what may be chance is a number: lines, edges and pieces of a grid look like a 1.

    Args:
        number: Its digits.
        usual: What the other numbers in the frame are like, if there are any.
    """
    if not number:
        return True
    if usual and any(
        not 1 / MAX_RATIO <= c.blob.height / usual.height <= MAX_RATIO for c in number
    ):
        return False
    if not _is_weak(number):
        return True
    if len(number) == 1 and number[0].prediction.confidence < MIN_LONE_CONFIDENCE:
        return False
    has_strokes = _has_strokes(number)
    odd = sum(_is_odd(candidate, has_strokes, usual) for candidate in number)
    return odd <= MAX_ODD_SHARE * len(number)


def _is_odd(candidate: Candidate, is_among_strokes: bool, usual: _Usual | None) -> bool:
    """Tell whether a digit is thin, low, high or faint, and thus a piece of something else."""
    blob, is_one = candidate.blob, candidate.prediction.digit == 1
    thickness = float(blob.mask.sum()) / max(blob.height, blob.width)
    if (
        is_one
        and is_among_strokes
        and thickness < max(MIN_THICKNESS, blob.height / MAX_SLENDERNESS)
    ):
        return True
    if usual is None:
        return False
    ratio = MAX_ONE_RATIO if is_one else MAX_SHORT_RATIO
    is_of_height = 1 / ratio <= blob.height / usual.height <= ratio
    return not is_of_height or blob.level < MIN_SHORT_LEVEL * usual.level
