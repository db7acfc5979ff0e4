"""What is a number: choosing among readings of ink that a model has classified."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import NamedTuple, TypeVar

import cv2
import numpy as np

from edge_mnist.runtime import Prediction
from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.components import Mask
from edge_mnist.vision.cutting import halve

Item = TypeVar("Item")

# What it costs to hold ink for no digit, and each cut through ink, in units of log-probability.
NO_DIGIT_COST = 3.0
CUT_COST = 0.5
# Blobs wider than this, in widths that are usual in their line, are more and more likely to be
# several digits; unless they are narrow for their height.
MAX_LIKELY_WIDTHS = 1.5
MIN_WIDE_ASPECT = 0.9
WIDTH_COST = 1.0
# Each part must be as much of a digit as this, and no wider than this, in heights, without cost.
MIN_PART_SCORE = -0.7
MAX_PART_ASPECT = 1.2
# A whole that scores less is doubtful, unless it is as narrow as a single stroke.
DOUBTFUL_SCORE = -0.05
STROKE_ASPECT = 0.5
# A model may be sure of a 7 or 9 that a 1 touches, but these stand on one foot: where ink is in two
# places in this share of the rows between these, of its height, a pair may score less by this much.
ONE_FOOTED = (7, 9)
FOOT_ROWS = (0.65, 0.9)
MIN_FEET_SHARE = 0.4
FEET_COST = 1.5

# Digits of a number stand at most this far apart, in heights of the larger.
MAX_NUMBER_GAP = 1.6
# Neighbours in two cells of a table stand so far apart, and the cells are so wide, in heights. The
# side between them covers such a share of the rows that they share, of so many at least, and leans
# by so many pixels there.
MIN_CELL_GAP = 0.5
MIN_CELL_WIDTH = 2.0
MIN_SIDE_SHARE = 0.8
MIN_SIDE_ROWS = 5
SIDE_LEAN = 5
# Lower ones among them are specks; fainter ones, by the ink of one pen, are printed lines.
MIN_HEIGHT_SHARE = 0.55
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

# What is less likely the digit that it seems to be than this is not clear. Where so many candidates
# stand together, they are letters if the first of these shares of them is not, and the second is
# narrower than digits that touch, too.
MIN_CLEAR_SCORE = math.log(0.5)
LETTER_SHARES = {5: (0.75, 0.75), 15: (0.4, 0.15)}
MAX_LETTER_ASPECT = 1.0

# Digits that stand side by side are at most so many times as high as each other.
MAX_TALLER = 1.1

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
# What straight strokes are read as, those of a grid or of letters, and their share of a number that
# is hardly anything else. More such digits, of which the higher are so many times as high as the
# lower, are a grid.
STROKES = (1, 4, 7)
MIN_STROKES_SHARE = 0.75
MAX_STROKES = 15
MAX_WRITTEN_RATIO = 1.8
# More digits that stand alone, of heights that differ as much, are crossings of a grid.
MAX_LONE = 5
# So many of them in a row, cut out of the same ink, are the legs of a letter.
MIN_LEGS = 3
# What letters are read as, too. Digits that are no others, beside what is no digit, are letters; so
# are this many of them if the highest is more times as high as the lowest, as in `paid`.
LETTERS = (0, 1)
MIN_LETTERS = 3
MAX_EVEN_RATIO = 1.4


@dataclass(frozen=True)
class Candidate:
    """Ink, and what a model says of it.

    Attributes:
        blob: The ink.
        prediction: What the model says.
        parts: How many digits ink that hung together was cut into, of which it is one; 1 for all
            of it.
        is_print: Whether it stands in a line of print.
    """

    blob: Blob
    prediction: Prediction
    parts: int = 1
    is_print: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether the ink was cut off other ink."""
        return self.parts > 1

    @property
    def aspect(self) -> float:
        """Its width over its height."""
        return self.blob.width / self.blob.height

    @property
    def score(self) -> float:
        """The log-probability that it is the digit it seems to be, at least `-NO_DIGIT_COST`."""
        return _rate(self.prediction)

    @property
    def is_unclear(self) -> bool:
        """Whether it is as likely not the digit that it seems to be."""
        return self.score < MIN_CLEAR_SCORE


def _rate(prediction: Prediction) -> float:
    likelihood = prediction.confidence * (1 - prediction.rejection_score)
    return math.log(max(likelihood, math.exp(-NO_DIGIT_COST)))


# The left digit and the right one of a blob that was read as two at once.
Pair = tuple[Prediction, Prediction]
# For each way to cut a blob: the count of stretches, and the parts as in `Parts`.
Ways = Sequence[tuple[int, Mapping[tuple[int, int], Candidate]]]


def is_doubtful(whole: Candidate, usual_width: float) -> bool:
    """Tell whether a blob may be digits that touch, and shall be read as two.

    Args:
        whole: It.
        usual_width: That of the blobs in its line, in pixels.
    """
    return _measure_doubt(whole, usual_width) > 0 or (
        whole.aspect > STROKE_ASPECT and (whole.score < DOUBTFUL_SCORE or _has_foot_too_many(whole))
    )


def _measure_doubt(whole: Candidate, usual_width: float) -> float:
    """Return the cost of taking a blob for one digit that is so wide, in log-probability."""
    widths = whole.blob.width / usual_width - MAX_LIKELY_WIDTHS
    excess = widths if whole.aspect > MIN_WIDE_ASPECT else 0.0
    return WIDTH_COST * max(0.0, excess)


def _has_foot_too_many(whole: Candidate) -> bool:
    """Tell whether a blob stands on two feet, where the digit that it seems to be has one."""
    if whole.prediction.digit not in ONE_FOOTED:
        return False
    top, bottom = (round(share * whole.blob.height) for share in FOOT_ROWS)
    rows = whole.blob.mask[top:bottom]
    begins = rows[:, 1:] & ~rows[:, :-1]
    strokes = begins.sum(axis=1) + rows[:, 0]
    return len(rows) > 0 and bool(np.mean(strokes > 1) >= MIN_FEET_SHARE)


def is_worth_cutting(whole: Candidate, usual_width: float, pair: Pair | None) -> bool:
    """Tell whether parts of a blob may be the best way to read it, or are to place a pair that is.

    Args:
        whole: All of it.
        usual_width: That of the blobs in its line, in pixels.
        pair: As it was read as two; None if it is none by its shape.
    """
    score = whole.score - _measure_doubt(whole, usual_width)
    # Parts score no more than the cut between two of them costs.
    return score < -CUT_COST or (pair is not None and _is_pair(whole, score, pair))


def _is_pair(whole: Candidate, score: float, pair: Pair) -> bool:
    """Tell whether a blob is rather a pair than what has a score."""
    allowance = FEET_COST if _has_foot_too_many(whole) else 0.0
    return sum(map(_rate, pair)) > score - allowance


def choose_parts(
    whole: Candidate, ways: Ways, usual_width: float, pair: Pair | None = None
) -> tuple[Candidate, ...]:
    """Choose the best way to read a blob: as a whole, cut into digits, or as two that touch.

    Args:
        whole: All of it.
        ways: For each way to cut it, what `Parts` holds: the count of stretches, and the parts.
        usual_width: That of the blobs in its line, in pixels.
        pair: The left digit and the right one as they were read at once, if it may be a pair.
    """
    readings: list[tuple[float, tuple[Candidate, ...]]] = [
        (whole.score - _measure_doubt(whole, usual_width), (whole,))
    ]
    in_parts = [_read_parts(count, parts) for count, parts in ways]
    readings += [reading for reading in in_parts if not _is_zigzag(reading[1])]
    score, best = max(readings, key=lambda reading: reading[0])
    if pair is not None and _is_pair(whole, score, pair):
        return _place_pair(whole.blob, pair, ways)
    return best


def _place_pair(blob: Blob, pair: Pair, ways: Ways) -> tuple[Candidate, Candidate]:
    """Tell where in a blob both digits stand: in the parts that look most like them."""
    splits = [
        (parts[0, cut], parts[cut, count])
        for count, parts in ways
        for cut in range(1, count)
        if (0, cut) in parts
        and (cut, count) in parts
        and all(
            part.blob.height >= MIN_HEIGHT_SHARE * blob.height
            for part in (parts[0, cut], parts[cut, count])
        )
    ]
    if splits:
        left, right = (part.blob for part in max(splits, key=lambda parts: _compare(parts, pair)))
    else:
        left, right = halve(blob)
    return Candidate(left, pair[0]), Candidate(right, pair[1])


def _compare(parts: tuple[Candidate, Candidate], pair: Pair) -> float:
    """Return how likely parts of a blob are two digits, as a product of probabilities."""
    left, right = (
        float(part.prediction.probabilities[digit.digit])
        for part, digit in zip(parts, pair, strict=True)
    )
    return left * right


def _read_parts(
    count: int,
    parts: Mapping[tuple[int, int], Candidate],
) -> tuple[float, tuple[Candidate, ...]]:
    """Return the score of the best sequence of parts that covers a blob, and the parts."""
    # The best way to read all up to each cut.
    ways: dict[int, tuple[float, tuple[Candidate, ...]]] = {0: (0.0, ())}
    for end in range(1, count + 1):
        options = [
            (
                ways[start][0] + _rate_part(parts[start, end]) - CUT_COST * (start > 0),
                (*ways[start][1], parts[start, end]),
            )
            for start in range(end)
            if (start, end) in parts and start in ways and parts[start, end].score >= MIN_PART_SCORE
        ]
        if options:
            ways[end] = max(options, key=lambda option: option[0])
    return ways.get(count, (-math.inf, ()))


def _is_zigzag(parts: Sequence[Candidate]) -> bool:
    """Tell whether parts are the legs of a letter, as of an m, and not digits that touch."""
    return len(parts) >= MIN_LEGS and all(part.prediction.digit in STROKES for part in parts)


def _rate_part(part: Candidate) -> float:
    return part.score - WIDTH_COST * max(0.0, part.aspect - MAX_PART_ASPECT)


def stands_between(wholes: Sequence[Candidate], index: int) -> bool:
    """Tell whether a candidate stands between two digits that are no strokes, and is no higher.

    Such a one is no side of a cell: those are higher than what they hold.

    Args:
        wholes: The candidates of all lines, line by line.
        index: Of it.
    """
    if not 0 < index < len(wholes) - 1:
        return False
    before, own, after = wholes[index - 1 : index + 2]
    return (
        before.blob.right <= own.blob.left
        and own.blob.right <= after.blob.left
        and all(
            not beside.prediction.rejected
            and beside.prediction.digit != 1
            and own.blob.height <= MAX_TALLER * beside.blob.height
            and abs(own.blob.bottom - beside.blob.bottom) < own.blob.height / 2
            for beside in (before, after)
        )
    )


def part_numbers(row: Sequence[Candidate], upright: Mask | None) -> list[list[Candidate]]:
    """Part the candidates of a line into numbers; see `part_where_wide`."""
    return part_where_wide(row, [candidate.blob for candidate in row], upright)


def part_where_wide(
    row: Sequence[Item], blobs: Sequence[Blob], upright: Mask | None
) -> list[list[Item]]:
    """Part what stands in a line where the gap is wide, or where a side of a wide cell is.

    Args:
        row: What stands there.
        blobs: The ink of each.
        upright: As in `Segmentation`.
    """
    groups: list[list[Item]] = []
    for index, (item, blob) in enumerate(zip(row, blobs, strict=True)):
        if index:
            last = blobs[index - 1]
            is_near = blob.left - last.right <= MAX_NUMBER_GAP * max(last.height, blob.height)
            if is_near and (upright is None or not _are_in_cells(last, blob, upright)):
                groups[-1].append(item)
                continue
        groups.append([item])
    return groups


def _are_in_cells(left: Blob, right: Blob, upright: Mask) -> bool:
    """Tell whether neighbours stand in two cells of a table: a rule between them, others far away.

    Squared paper has cells no wider than a digit, and so have combs, whose digits are one number.
    """
    height = max(left.height, right.height)
    top, bottom = max(left.top, right.top), min(left.bottom, right.bottom)
    if right.left - left.right < MIN_CELL_GAP * height or bottom - top < MIN_SIDE_ROWS:
        return False
    band = cv2.dilate(upright[top:bottom], np.ones((1, SIDE_LEAN), np.uint8))
    are_sides = band.mean(axis=0) >= MIN_SIDE_SHARE
    sides = np.flatnonzero(np.diff(are_sides, prepend=False) & are_sides)  # where each begins
    between = np.searchsorted(sides, [left.right - SIDE_LEAN, right.left])
    if between[1] - between[0] != 1 or not 0 < between[0] < len(sides) - 1:
        return False
    cells = np.diff(sides[between[0] - 1 : between[0] + 2])
    return bool(cells.min() >= MIN_CELL_WIDTH * height)


def mark_print(group: list[Candidate]) -> list[Candidate]:
    """Return candidates that stand together, none of them cut, marked if they are print."""
    unclear = [c for c in group if c.is_unclear]
    narrow = [c for c in unclear if c.aspect <= MAX_LETTER_ASPECT]
    is_print = any(
        len(group) >= count
        and len(unclear) >= unclear_share * len(group)
        and len(narrow) >= narrow_share * len(group)
        for count, (unclear_share, narrow_share) in LETTER_SHARES.items()
    )
    return [replace(c, is_print=True) for c in group] if is_print else group


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
