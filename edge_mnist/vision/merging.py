"""Of several readings of a frame the best one, number by number."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_mnist.vision.grouping import group
from edge_mnist.vision.reading import Number, Rows, overlap

# Numbers of two readings that share so much of the smaller one's box stand in the same place.
MIN_OVERLAP = 0.2
# By this factor more was read if it is more at all.
MIN_GAIN = 1.02


class _Seen(NamedTuple):
    """A number, and where it stands in which of the readings."""

    reading: int
    row: int
    number: Number


def weigh(numbers: Iterable[Number]) -> float:
    """Return how much was read: the confidence, and more for what is larger."""
    return sum(found.confidence * found.box[3] for number in numbers for found in number.digits)


def merge(readings: Sequence[Rows]) -> Rows:
    """Put other readings' numbers in the places of the first one's where they are better.

    What two readings agree on holds, if the first has no more digits in that place; else it is the
    one in which more was read. What only others have read is not taken: too much of that is no
    digit. Nor is what they have put into several lines.

    Args:
        readings: What was read in the same frame, at least once.

    Returns:
        As many lines as the first one has, each from left to right.
    """
    seen = [
        _Seen(index, row, number)
        for index, rows in enumerate(readings)
        for row, line in enumerate(rows)
        for number in line
    ]
    links = (
        (i, j)
        for j, other in enumerate(seen)
        for i, one in enumerate(seen[:j])
        if one.reading != other.reading and overlap(one.number.box, other.number.box) >= MIN_OVERLAP
    )
    groups = [[seen[i] for i in places] for places in group(len(seen), links)]
    lines: list[list[Number]] = [[] for _ in readings[0]]
    for places in groups:
        own, *others = ([one for one in places if one.reading == i] for i in range(len(readings)))
        level = [other for other in others if len({one.row for one in other}) == 1]
        rows = {one.row for one in own}
        if len(rows) == 1:
            lines[rows.pop()] += [one.number for one in _choose(own, level)]
        else:
            for one in own:
                lines[one.row].append(one.number)
    return tuple(tuple(sorted(line, key=lambda number: number.box[0])) for line in lines)


def _choose(own: list[_Seen], others: list[list[_Seen]]) -> list[_Seen]:
    """Return the best of what was read in one place, from left to right."""
    agreed = _agree([own, *others])
    if _count(agreed) >= _count(own):
        return agreed
    best = own
    for other in others:
        if _weigh(other) > MIN_GAIN * _weigh(best):
            best = other
    return best


def _agree(readings: list[list[_Seen]]) -> list[_Seen]:
    """Return the first of the readings of one place that say the same, if there are any."""
    texts = [tuple(one.number.text for one in reading) for reading in readings]
    most = max(map(texts.count, texts), default=0)
    return readings[[texts.count(text) for text in texts].index(most)] if most > 1 else []


def _count(reading: list[_Seen]) -> int:
    return sum(len(one.number.digits) for one in reading)


def _weigh(reading: list[_Seen]) -> float:
    return weigh(one.number for one in reading)
