"""Of several readings of a frame the best one, number by number."""

from collections.abc import Iterable

from edge_mnist.vision.grouping import group
from edge_mnist.vision.reading import Number, Rows, overlap

# Numbers of two readings that share so much of the smaller one's box stand in the same place.
MIN_OVERLAP = 0.2
# By this factor more was read if it is more at all.
MIN_GAIN = 1.02


def weigh(numbers: Iterable[Number]) -> float:
    """Return how much was read: the confidence, and more for what is larger."""
    return sum(found.confidence * found.box[3] for number in numbers for found in number.digits)


def take_better(rows: Rows, others: Rows) -> Rows:
    """Put another reading's numbers in their places where more was read.

    What only the other one has read is not taken: too much of that is no digit. Nor is what it has
    put into other lines.

    Args:
        rows: What was read.
        others: What else was read in the same frame.

    Returns:
        As many lines as there were, each from left to right.
    """
    mine, theirs = _count_off(rows), _count_off(others)
    links = (
        (i, j)
        for i, (_, number) in enumerate(mine)
        for j, (_, other) in enumerate(theirs, len(mine))
        if overlap(number.box, other.box) >= MIN_OVERLAP
    )
    merged: list[list[Number]] = [[] for _ in rows]
    for places in group(len(mine) + len(theirs), links):
        own = [mine[i] for i in places if i < len(mine)]
        other = [theirs[i - len(mine)] for i in places if i >= len(mine)]
        if not own:
            continue
        is_level = len({row for row, _ in own}) == len({row for row, _ in other}) == 1
        was, would_be = (weigh(number for _, number in side) for side in (own, other))
        if is_level and would_be > MIN_GAIN * was:
            own = [(own[0][0], number) for _, number in other]
        for row, number in own:
            merged[row].append(number)
    return tuple(tuple(sorted(row, key=lambda number: number.box[0])) for row in merged)


def _count_off(rows: Rows) -> list[tuple[int, Number]]:
    """Return all numbers, each with the index of its line."""
    return [(index, number) for index, row in enumerate(rows) for number in row]
