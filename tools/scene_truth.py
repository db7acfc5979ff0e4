"""What stands in a scene, as far as a reader can be held to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.vision.frames import Picture
from edge_mnist.vision.reading import Box

# float64 [N, 2], x and y.
Points = NDArray[np.float64]


@dataclass(frozen=True)
class WrittenDigit:
    """A digit on paper.

    Attributes:
        digit: 0 to 9.
        outline: The convex hull of its ink, in units of the page.
    """

    digit: int
    outline: Points


@dataclass(frozen=True)
class WrittenNumber:
    """A number on paper.

    Attributes:
        digits: From left to right.
        line: Which line of the page it stands in, from 0 at the top.
        signs: The convex hulls of what else stands in it, in units of the page.
    """

    digits: tuple[WrittenDigit, ...]
    line: int
    signs: tuple[Points, ...] = ()


@dataclass(frozen=True)
class TrueDigit:
    """A digit as the camera sees it.

    Attributes:
        digit: 0 to 9.
        box: Of its ink, in pixels of the frame.
    """

    digit: int
    box: Box


@dataclass(frozen=True)
class TrueNumber:
    """A number as the camera sees it.

    Attributes:
        digits: From left to right.
        line: Which line of the page it stands in, from 0 at the top.
        corners: Of the upright rectangle around it and its signs on the page, x and y in pixels of
            the frame: left upper, right upper, right lower, left lower.
    """

    digits: tuple[TrueDigit, ...]
    line: int
    corners: tuple[tuple[float, float], ...]

    @property
    def text(self) -> str:
        """Its digits as text."""
        return "".join(str(digit.digit) for digit in self.digits)


@dataclass(frozen=True)
class Truth:
    """All that is known of a scene.

    Attributes:
        index: Its number among the scenes of its seed.
        difficulty: 0 to 4.
        size: Width and height of the frame, in pixels.
        numbers: In the order of reading.
        paper: What is written on.
        pen: What is written with.
        conditions: What makes it hard: light, blur, rulings and so on.
        distractors: What else is in view.
    """

    index: int
    difficulty: int
    size: tuple[int, int]
    numbers: tuple[TrueNumber, ...]
    paper: str
    pen: str
    conditions: tuple[str, ...]
    distractors: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The text of each line; a space parts the numbers of a line."""
        lines: dict[int, list[str]] = {}
        for number in self.numbers:
            lines.setdefault(number.line, []).append(number.text)
        return [" ".join(texts) for texts in lines.values()]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain lists, numbers and texts."""
        return {
            "index": self.index,
            "difficulty": self.difficulty,
            "size": list(self.size),
            "lines": self.lines,
            "numbers": [
                {
                    "text": number.text,
                    "line": number.line,
                    "corners": [list(corner) for corner in number.corners],
                    "digits": [
                        {"digit": digit.digit, "box": list(digit.box)} for digit in number.digits
                    ],
                }
                for number in self.numbers
            ],
            "paper": self.paper,
            "pen": self.pen,
            "conditions": list(self.conditions),
            "distractors": list(self.distractors),
        }


@dataclass(frozen=True)
class Scene:
    """A photograph and what stands in it.

    Attributes:
        picture: uint8 [height, width, 3], blue, green, red.
        truth: What stands in it.
    """

    picture: Picture
    truth: Truth


def project(numbers: Sequence[WrittenNumber], pose: NDArray[np.float64]) -> tuple[TrueNumber, ...]:
    """Return where a camera sees numbers.

    Args:
        numbers: Where they stand on the page.
        pose: float64 [3, 3], the homography from units of the page to pixels of the frame.
    """
    return tuple(
        TrueNumber(
            digits=tuple(
                TrueDigit(digit.digit, _box(project_points(digit.outline, pose)))
                for digit in number.digits
            ),
            line=number.line,
            corners=tuple(
                (round(float(x), 1), round(float(y), 1))
                for x, y in project_points(_corners(number), pose)
            ),
        )
        for number in numbers
    )


def project_points(points: Points, pose: NDArray[np.float64]) -> Points:
    """Return where points of the page are in the frame."""
    projected: Points = cv2.perspectiveTransform(points[None].astype(np.float64), pose)[0]
    return projected


def _corners(number: WrittenNumber) -> Points:
    outline = np.concatenate([*(digit.outline for digit in number.digits), *number.signs])
    (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _box(outline: Points) -> Box:
    left, top = np.floor(outline.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(outline.max(axis=0)).astype(int).tolist()
    return left, top, right - left, bottom - top
