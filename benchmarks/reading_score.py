"""Holding what was read against what stands there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scene_truth import Scene, TrueNumber, Truth

from edge_mnist.vision.reader import Reader
from edge_mnist.vision.reading import Box, FoundDigit, Reading
from edge_mnist.vision.tracking import StableNumber, Tracker

# A read and a true box belong together from this overlap on (intersection over union), or where
# one of them lies in the other with at least half of its area.
MIN_IOU = 0.2
MIN_SHARE = 0.5
# How far from a number's rectangle a digit may be read that belongs to it, as a share of its
# height; lines are much further apart.
REACH = 0.15

# What may become of a digit that is there. "merged" is one box on two digits, "split" are several
# boxes on one digit, whatever they were read as.
RIGHT, MISREAD, MISSED, MERGED, SPLIT = "right", "misread", "missed", "merged", "split"
FAILURES = (MISSED, MISREAD, MERGED, SPLIT)


@dataclass(frozen=True)
class NumberScore:
    """What became of a number.

    Attributes:
        text: What stands there.
        read: The digits read in its place, in the order in which they were read.
        is_one: Whether they, and no others, were read as one number.
        outcomes: What became of each digit.
        confidence: With which it was read, 0 to 1; None if nothing was read there.
    """

    text: str
    read: str
    is_one: bool
    outcomes: tuple[str, ...]
    confidence: float | None = None

    @property
    def is_right(self) -> bool:
        """Whether exactly its digits were read in its place."""
        return self.read == self.text

    @property
    def is_perfect(self) -> bool:
        """Whether it was read as one number, each of its digits where it stands."""
        return self.is_right and self.is_one and set(self.outcomes) == {RIGHT}


@dataclass(frozen=True)
class SceneScore:
    """What became of a scene.

    Attributes:
        index: Which scene.
        difficulty: 0 to 4.
        numbers: In the order of the truth.
        false_digits: What was read where no digit is.
    """

    index: int
    difficulty: int
    numbers: tuple[NumberScore, ...]
    false_digits: tuple[FoundDigit, ...]

    @property
    def outcomes(self) -> list[str]:
        """What became of each digit."""
        return [outcome for number in self.numbers for outcome in number.outcomes]

    @property
    def is_perfect(self) -> bool:
        """Whether nothing is missing, wrong or too much."""
        return not self.false_digits and all(number.is_perfect for number in self.numbers)


@dataclass(frozen=True)
class ClipScore:
    """What became of a clip.

    Attributes:
        index: Which clip.
        frames_to_stable: For each number, how many frames it took until its text was reported as
            stable; None if it never was.
        wrong: The stable texts that stand nowhere, or not in that place.
    """

    index: int
    frames_to_stable: tuple[int | None, ...]
    wrong: tuple[str, ...]


def score_scene(truth: Truth, reading: Reading) -> SceneScore:
    """Hold a reading against the truth of its scene."""
    true_digits = [digit for number in truth.numbers for digit in number.digits]
    true_boxes = [digit.box for digit in true_digits]
    found = reading.digits
    pairs = _find_pairs(true_boxes, [digit.box for digit in found])
    found_of, true_of = _match(pairs)
    outcomes = [MISSED] * len(true_boxes)
    for place, chosen in found_of.items():
        is_equal = found[chosen].digit == true_digits[place].digit
        outcomes[place] = RIGHT if is_equal else MISREAD
    false_digits = []
    for candidate, digit in enumerate(found):
        under = [(overlap, place) for overlap, place, other in pairs if other == candidate]
        if candidate not in true_of:
            if under:
                outcomes[max(under)[1]] = SPLIT
            else:
                false_digits.append(digit)
            continue
        # Digits that lie in this box and in no other.
        merged = [
            place
            for _, place in under
            if found_of.get(place, candidate) == candidate
            and _share_within(true_boxes[place], digit.box) >= MIN_SHARE
        ]
        if len(merged) > 1:
            for place in merged:
                outcomes[place] = MERGED
    numbers, start = [], 0
    for number in truth.numbers:
        end = start + len(number.digits)
        numbers.append(_score_number(number, reading, tuple(outcomes[start:end])))
        start = end
    return SceneScore(truth.index, truth.difficulty, tuple(numbers), tuple(false_digits))


def score_clip(reader: Reader, tracker: Tracker, clip: Iterable[Scene]) -> ClipScore:
    """Read a clip and hold what was reported as stable against the truth of that frame."""
    frames_to_stable: list[int | None] = []
    wrong = []
    index = 0
    for frame, scene in enumerate(clip, start=1):
        index, numbers = scene.truth.index, scene.truth.numbers
        frames_to_stable = frames_to_stable or [None] * len(numbers)
        for stable in tracker.update(reader.read(scene.picture)):
            place = _find_number(numbers, stable)
            if place is None or numbers[place].text != stable.text:
                wrong.append(stable.text)
            elif frames_to_stable[place] is None:
                frames_to_stable[place] = frame
    return ClipScore(index, tuple(frames_to_stable), tuple(wrong))


def _find_pairs(
    true_boxes: Sequence[Box], found_boxes: Sequence[Box]
) -> list[tuple[float, int, int]]:
    """Return the overlap and the indices of all boxes that may belong together, best first."""
    pairs = []
    for place, true_box in enumerate(true_boxes):
        for candidate, box in enumerate(found_boxes):
            common = _intersect(true_box, box)
            if common == 0:
                continue
            overlap = common / (_area(true_box) + _area(box) - common)
            share = max(_share_within(true_box, box), _share_within(box, true_box))
            if overlap >= MIN_IOU or share >= MIN_SHARE:
                pairs.append((overlap, place, candidate))
    return sorted(pairs, reverse=True)


def _match(pairs: Sequence[tuple[float, int, int]]) -> tuple[dict[int, int], dict[int, int]]:
    """Match one to one, the largest overlap first; return found of true, and true of found."""
    found_of: dict[int, int] = {}
    true_of: dict[int, int] = {}
    for _, place, candidate in pairs:
        if place not in found_of and candidate not in true_of:
            found_of[place], true_of[candidate] = candidate, place
    return found_of, true_of


def _score_number(number: TrueNumber, reading: Reading, outcomes: tuple[str, ...]) -> NumberScore:
    inside = [digit for digit in reading.digits if _is_at(number, digit.box)]
    read = [n for n in reading.numbers if any(_is_at(number, box) for box in n.boxes)]
    return NumberScore(
        text=number.text,
        read="".join(str(digit.digit) for digit in inside),
        is_one=any(list(other.digits) == inside for other in reading.numbers),
        outcomes=outcomes,
        confidence=min((other.confidence for other in read), default=None),
    )


def _find_number(numbers: Sequence[TrueNumber], stable: StableNumber) -> int | None:
    return next((i for i, number in enumerate(numbers) if _is_at(number, stable.box)), None)


def _is_at(number: TrueNumber, box: Box) -> bool:
    """Return whether the middle of a box lies in a number's rectangle, or close to it."""
    corners = np.array(number.corners, np.float32)
    height = float(np.linalg.norm(corners[3] - corners[0]))
    x, y, width, box_height = box
    middle = (x + width / 2, y + box_height / 2)
    return cv2.pointPolygonTest(corners, middle, True) >= -REACH * height


def _share_within(box: Box, other: Box) -> float:
    return _intersect(box, other) / _area(box)


def _intersect(first: Box, second: Box) -> int:
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    return max(width, 0) * max(height, 0)


def _area(box: Box) -> int:
    return max(box[2] * box[3], 1)
