"""Of several readings of a frame the best one, number by number."""

from collections.abc import Iterable, Sequence
from statistics import median

from edge_mnist.vision.grouping import group
from edge_mnist.vision.places import overlap_places
from edge_mnist.vision.reading import Number, Rows

# Numbers of two readings that share so much of the smaller one's place stand in the same one.
MIN_OVERLAP = 0.2
# By this factor more was read if it is more at all.
MIN_GAIN = 1.02
# What only the other reading has is taken if it cannot be mistaken: so sure is each of its digits,
# they are as high as the others, within this share, and no mere strokes. The others are so many.
MIN_SURE_CONFIDENCE = 0.99
HEIGHT_SPREAD = 0.15
MIN_USUAL = 3


def weigh(numbers: Iterable[Number]) -> float:
    """Return how much was read: the confidence, and more for what is larger."""
    return sum(found.confidence * found.box[3] for number in numbers for found in number.digits)


def take_better(rows: Rows, others: Rows, min_gain: float = MIN_GAIN) -> Rows:
    """Put another reading's numbers in their places where more was read.

    What only the other one has read is taken if it is unmistakable: much of that is no digit. What
    it has put into other lines is not.

    Args:
        rows: What was read.
        others: What else was read in the same frame.
        min_gain: Others of as many digits are taken where they are more than so many times as much.

    Returns:
        The lines that there were, and those of new numbers, from top to bottom; each from left to
        right.
    """
    mine, theirs = _count_off(rows), _count_off(others)
    links = [
        (i, j)
        for i, (_, number) in enumerate(mine)
        for j, (_, other) in enumerate(theirs, len(mine))
        if overlap_places(number.boxes, other.boxes) >= MIN_OVERLAP
    ]
    heights = [found.box[3] for _, number in mine for found in number.digits]
    ratio = _compare_heights([(mine[i][1], theirs[j - len(mine)][1]) for i, j in links])
    merged: list[list[Number]] = [[] for _ in rows]
    # A line of theirs that holds none of mine is a new one.
    line_of = {theirs[j - len(mine)][0]: mine[i][0] for i, j in links}
    for places in group(len(mine) + len(theirs), links):
        own = [mine[i] for i in places if i < len(mine)]
        other = [theirs[i - len(mine)] for i in places if i >= len(mine)]
        if not own:
            for line, number in other:
                if _is_unmistakable(number, heights):
                    if line not in line_of:
                        line_of[line] = len(merged)
                        merged.append([])
                    merged[line_of[line]].append(number)
            continue
        is_level = len({row for row, _ in own}) == len({row for row, _ in other}) == 1
        sides = [number for _, number in own], [number for _, number in other]
        if is_level and _is_better(*sides, ratio, min_gain):
            own = [(own[0][0], number) for _, number in other]
        for row, number in own:
            merged[row].append(number)
    lines = [tuple(sorted(row, key=lambda number: number.box[0])) for row in merged]
    ordered, added = lines[: len(rows)], lines[len(rows) :]
    for new in added:
        above = [index for index, line in enumerate(ordered) if _middle(line) < _middle(new)]
        ordered.insert(max(above, default=-1) + 1, new)
    return tuple(ordered)


def _is_better(
    own: Sequence[Number], other: Sequence[Number], ratio: float, min_gain: float
) -> bool:
    """Tell whether another reading has read more in the same place, apart from its resolution.

    Args:
        own: What the one has.
        other: What the other has.
        ratio: How many times as high digits are in the one; it matters where one has more of them.
        min_gain: So many times as much it must be where neither has more.
    """
    sides = [[found for number in side for found in number.digits] for side in (own, other)]
    usual = [float(median(found.box[3] for found in side)) if side else 1.0 for side in sides]
    was, would_be = (
        sum(found.confidence * min(found.box[3] / most, 1) for found in side)
        for side, most in zip(sides, usual, strict=True)
    )
    if len(sides[0]) == len(sides[1]):
        return would_be > min_gain * was
    return ratio * usual[1] * would_be > MIN_GAIN * usual[0] * was


def _compare_heights(pairs: Sequence[tuple[Number, Number]]) -> float:
    """Return how many times as high the first of each pair is where both have as many digits.

    In less resolution the same digits are higher: their edges are softer.
    """
    ratios = [
        sum(found.box[3] for found in number.digits) / sum(found.box[3] for found in other.digits)
        for number, other in pairs
        if len(number.digits) == len(other.digits)
    ]
    return median(ratios) if ratios else 1.0


def _middle(line: Sequence[Number]) -> float:
    """Return the row that a line stands on, in the middle of its digits."""
    boxes = [found.box for number in line for found in number.digits]
    return median(top + height / 2 for _, top, _, height in boxes)


def _is_unmistakable(number: Number, usual: Sequence[int]) -> bool:
    """Tell whether what one reading has alone is a number, by the heights of other digits."""
    if len(usual) < MIN_USUAL or all(found.digit == 1 for found in number.digits):
        return False
    height = median(found.box[3] for found in number.digits)
    is_usual = abs(height / median(usual) - 1) <= HEIGHT_SPREAD
    return is_usual and number.confidence >= MIN_SURE_CONFIDENCE


def _count_off(rows: Rows) -> list[tuple[int, Number]]:
    """Return all numbers, each with the index of its line."""
    return [(index, number) for index, row in enumerate(rows) for number in row]
