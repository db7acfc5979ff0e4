"""What was read in a frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

# x, y, width and height in pixels of the frame, counted from its left upper corner.
Box = tuple[int, int, int, int]


def bound(boxes: Sequence[Box]) -> Box:
    """Return the box around boxes, at least one."""
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right = max(box[0] + box[2] for box in boxes)
    bottom = max(box[1] + box[3] for box in boxes)
    return left, top, right - left, bottom - top


def overlap(one: Box, other: Box) -> float:
    """Return what two boxes share, as a share of the smaller one, 0 to 1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(one[2] * one[3], other[2] * other[3])


@dataclass(frozen=True)
class FoundDigit:
    """One digit and where it stands.

    Attributes:
        digit: 0 to 9.
        confidence: Its probability, 0 to 1.
        box: Of its ink.
        probabilities: float64 [10], of each digit; they sum to 1.
    """

    digit: int
    confidence: float
    box: Box
    probabilities: NDArray[np.float64] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Number:
    """Digits that stand together, from left to right.

    Attributes:
        digits: At least one.
        likelihood: The probability that these and no others are written, 0 to 1, as told before
            any were left out for their confidence; 1 where it was not read as a whole.
    """

    digits: tuple[FoundDigit, ...]
    likelihood: float = 1.0

    @property
    def text(self) -> str:
        """The digits as written: zeros in front stay."""
        return "".join(str(found.digit) for found in self.digits)

    @property
    def confidence(self) -> float:
        """That of the digit which is least sure, 0 to 1; that of the whole if it is less."""
        return min(self.likelihood, *(found.confidence for found in self.digits))

    @property
    def boxes(self) -> list[Box]:
        """The box of each digit."""
        return [found.box for found in self.digits]

    @property
    def box(self) -> Box:
        """The box around all digits."""
        return bound(self.boxes)


# The numbers of each line of text, line by line, from left to right.
Rows = tuple[tuple[Number, ...], ...]


def move_boxes(rows: Rows, move: Callable[[Box], Box]) -> Rows:
    """Return what was read with each digit's box somewhere else."""

    def move_number(number: Number) -> Number:
        digits = tuple(replace(found, box=move(found.box)) for found in number.digits)
        return replace(number, digits=digits)

    return tuple(tuple(map(move_number, row)) for row in rows)


def scale_boxes(rows: Rows, seen: tuple[int, ...], whole: tuple[int, ...]) -> Rows:
    """Return what was read in a picture of another size with its boxes in the whole one.

    Args:
        rows: What was read.
        seen: Height and width of what it was read in.
        whole: The same of the whole picture.
    """
    if seen == whole:
        return rows
    down, across = whole[0] / seen[0], whole[1] / seen[1]

    def scale(box: Box) -> Box:
        left, top, width, height = box
        return round(across * left), round(down * top), round(across * width), round(down * height)

    return move_boxes(rows, scale)


@dataclass(frozen=True)
class Reading:
    """All that was read in a frame, in the order of reading: line by line, from left to right.

    Attributes:
        rows: The numbers of each line of text.
        ms: What it took, in milliseconds: "segment" to find the digits, "classify" to read them.
    """

    rows: Rows = ()
    ms: dict[str, float] = field(default_factory=dict, compare=False)

    @property
    def lines(self) -> list[str]:
        """The text of each line; a space parts numbers that stand well apart."""
        return [" ".join(number.text for number in row) for row in self.rows]

    @property
    def numbers(self) -> list[Number]:
        """All numbers."""
        return [number for row in self.rows for number in row]

    @property
    def digits(self) -> list[FoundDigit]:
        """All digits."""
        return [found for number in self.numbers for found in number.digits]
