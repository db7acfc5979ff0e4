"""Choosing among the ways to read a piece of ink: as one digit, in parts, or as two that touch."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from edge_mnist.prediction import Prediction
from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.candidates import MIN_HEIGHT_SHARE, STROKES, Candidate, rate
from edge_mnist.vision.cutting import halve

# What each cut through ink costs, in units of log-probability.
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
# So many straight strokes in a row, cut out of the same ink, are the legs of a letter.
MIN_LEGS = 3
# Digits that stand side by side are at most so many times as high as each other.
MAX_TALLER = 1.1


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
    return sum(map(rate, pair)) > score - allowance


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
