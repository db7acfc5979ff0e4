"""Reading what was found in an ink map, line by line."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_mnist.cascade import DigitModel
from edge_mnist.prediction import Prediction
from edge_mnist.preprocessing import GrayImage, fit_ink
from edge_mnist.vision.blobs import Blob, cut_ink
from edge_mnist.vision.candidates import Candidate, mark_print
from edge_mnist.vision.choosing import (
    choose_parts,
    is_doubtful,
    is_worth_cutting,
    stands_between,
)
from edge_mnist.vision.ctc import rate_text
from edge_mnist.vision.cutting import propose_parts
from edge_mnist.vision.edges import is_edge, leave_edges_out
from edge_mnist.vision.ink import InkMap
from edge_mnist.vision.judging import judge
from edge_mnist.vision.line_reader import COLUMN_STEP, LineReader
from edge_mnist.vision.pairs import MAX_PAIR_ASPECT, MIN_PAIR_ASPECT, PairReader, fit_pair
from edge_mnist.vision.parting import part_numbers
from edge_mnist.vision.reading import Box, FoundDigit, Number, Rows
from edge_mnist.vision.segmentation import Segmentation, frame_box
from edge_mnist.vision.stacked import propose_stacked
from edge_mnist.vision.strips import cut_strip
from edge_mnist.vision.text_lines import find_lines
from edge_mnist.vision.whole import choose_text, is_unsure, place_digits

Item = TypeVar("Item")

DEFAULT_MIN_CONFIDENCE = 0.5

# So small a share that is not clear is no reason to look at the others again.
MAX_UNCLEAR_SHARE = 0.05


class Stopwatch:
    """Adds up the milliseconds that are spent within it."""

    def __init__(self) -> None:
        self.ms = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.ms += 1e3 * (time.perf_counter() - self._started)


@dataclass(frozen=True)
class Seen:
    """What may be digits in a picture, before any of it is cut or put together.

    Attributes:
        segmentation: Where it stands.
        rows: What a model says of each piece: line by line, in each what stands together, from left
            to right.
    """

    segmentation: Segmentation
    rows: list[list[list[Candidate]]]

    @cached_property
    def wholes(self) -> list[Candidate]:
        """All pieces."""
        return [whole for row in self.rows for group in row for whole in group]

    @cached_property
    def clear_blobs(self) -> list[Blob]:
        """Those that are clear digits, as pieces of ink."""
        return [whole.blob for whole in self.wholes if not whole.is_unclear]

    @property
    def unclear_share(self) -> float:
        """How much of it is no clear digit, 0 to 1; 0 of nothing."""
        return _share_unclear(self.wholes)


@dataclass(frozen=True)
class Found:
    """What was read.

    Attributes:
        rows: The numbers, with boxes in the picture that was looked at.
        is_clear: Whether what looked like a digit is one, but for a few.
    """

    rows: Rows
    is_clear: bool


class InkReader:
    """Reads numbers where they have been found; one instance serves one thread at a time.

    Attributes:
        is_careful: Whether it tells how likely each number is as a whole, also where its digits
            leave no doubt: in a still picture, of which there will be no second look.
    """

    def __init__(self, classifier: DigitModel, min_confidence: float, stopwatch: Stopwatch) -> None:
        """Make a reader.

        Args:
            classifier: What reads the digits.
            min_confidence: Digits of which it is less sure are left out, 0 to 1.
            stopwatch: For the time that models take.

        Raises:
            ModelError: If one of the models that it brings is missing or damaged.
        """
        self._classifier = classifier
        self._min_confidence = min_confidence
        self._stopwatch = stopwatch
        self.is_careful = False
        self._pairs = PairReader.load()
        self._lines = LineReader.load()

    def see(self, found: Segmentation) -> Seen:
        """Classify what was found, piece by piece; what reaches over two lines is parted first."""
        wholes = self._classify(found.ink, [blob for row in found.rows for blob in row])
        parted = self._part_stacked(found.ink, wholes)
        if len(parted) == len(wholes):
            rows = _part_like(found.rows, wholes)
        else:
            lines, _ = find_lines([candidate.blob for candidate in parted])
            rows = [[parted[index] for index in line] for line in lines]
            found = replace(found, rows=[[candidate.blob for candidate in row] for row in rows])
        groups = [[mark_print(group) for group in part_numbers(row, found)] for row in rows]
        return Seen(found, groups)

    def read(self, seen: Seen, gray: GrayImage) -> Found:
        """Read the numbers.

        Args:
            seen: From `see`.
            gray: uint8 [height, width], the picture that it was found in.
        """
        found = seen.segmentation
        chosen = self._choose(seen, gray)
        groups = [part_numbers(row, found) for row in chosen]
        # What is left out for its confidence is a digit all the same.
        limit = min(self._min_confidence, DEFAULT_MIN_CONFIDENCE)
        judged = iter(judge([group for row in groups for group in row], limit))
        written = [c for row in chosen for c in row if not c.is_print]
        is_clear = _share_unclear(written) <= MAX_UNCLEAR_SHARE
        rows = []
        for row in groups:
            numbers = []
            for group in row:
                number = leave_edges_out(next(judged), gray, found)
                read, likelihood = self._read_whole(group, number, seen, is_clear)
                digits = tuple(
                    as_digit(c.prediction, frame_box(c.blob, found))
                    for c in read
                    if c.prediction.confidence >= self._min_confidence
                )
                if digits:
                    numbers.append(Number(digits, likelihood))
            if numbers:
                rows.append(tuple(numbers))
        return Found(tuple(rows), is_clear)

    def _read_whole(
        self,
        group: Sequence[Candidate],
        number: list[Candidate],
        seen: Seen,
        is_clear: bool,
    ) -> tuple[list[Candidate], float]:
        """Read a number as a whole where its digits leave doubt, or all is read with care.

        Args:
            group: All that may be digits.
            number: Those that were taken.
            seen: What is to be seen beside it.
            is_clear: Whether what looks like a digit is one, but for a few.

        Returns:
            Its digits, or what the whole is read as if they leave doubt and that is likelier; and
            how likely that is, as a whole, 0 to 1: 1 where none was read.
        """
        is_doubtful = is_unsure(group, number, is_clear)
        if group[0].is_print or not (is_doubtful or (self.is_careful and number)):
            return number, 1.0
        ink = seen.segmentation.ink
        strip = cut_strip(ink, [c.blob for c in group], seen.clear_blobs)
        if strip is None:
            return number, 1.0
        with self._stopwatch:
            probabilities = self._lines.read(strip.image)[: math.ceil(strip.width / COLUMN_STEP)]
        if not is_doubtful:
            return number, math.exp(rate_text(probabilities, [c.prediction.digit for c in number]))
        text, likelihood = choose_text(group, number, probabilities)
        if text is not None:
            number = place_digits(text, probabilities, strip, group, ink)
        return number, likelihood

    def _part_stacked(self, ink: InkMap, wholes: list[Candidate]) -> list[Candidate]:
        """Return candidates with two in the place of each that is digits of two lines."""
        ways = propose_stacked(wholes)
        read = iter(self._classify(ink, [part for parts in ways.values() for part in parts]))
        parted = []
        for index, whole in enumerate(wholes):
            parts = [next(read) for _ in ways.get(index, ())]
            is_better = sum(not part.is_unclear for part in parts) > (0 if whole.is_unclear else 1)
            parted += parts if is_better else [whole]
        return parted

    def _choose(self, seen: Seen, gray: GrayImage) -> list[list[Candidate]]:
        """Return each line with the parts of those that are several digits."""
        found, wholes = seen.segmentation, seen.wholes
        usual = [
            width for row in found.rows for width in [median(blob.width for blob in row)] * len(row)
        ]
        # Cutting costs more than reading, so only what is doubtful comes into a second batch.
        shares = [
            cut_ink(found.ink, whole.blob)
            if not whole.is_print and is_doubtful(whole, width)
            else None
            for whole, width in zip(wholes, usual, strict=True)
        ]
        pairs = [
            self._read_pair(share)
            if share is not None and MIN_PAIR_ASPECT <= whole.aspect <= MAX_PAIR_ASPECT
            else None
            for whole, share in zip(wholes, shares, strict=True)
        ]
        ways = [
            propose_parts(whole.blob, share)
            if share is not None and is_worth_cutting(whole, width, pair)
            else []
            for whole, share, width, pair in zip(wholes, shares, usual, pairs, strict=True)
        ]
        parts = [part for own in ways for way in own for part in way.blobs.values()]
        cut = iter(self._classify(found.ink, parts))
        chosen: list[tuple[Candidate, ...]] = []
        for whole, own, width, pair in zip(wholes, ways, usual, pairs, strict=True):
            read = [(way.stretches, {key: next(cut) for key in way.blobs}) for way in own]
            best = choose_parts(whole, read, width, pair)
            if len(best) > 1:
                best = tuple(replace(part, parts=len(best)) for part in best)
            is_one = len(best) == 1 and best[0].prediction.digit == 1
            is_alone = is_one and not stands_between(wholes, len(chosen))
            chosen.append(() if is_alone and is_edge(gray, found, whole.blob) else best)
        return [
            [candidate for best in row for candidate in best]
            for row in _part_like(found.rows, chosen)
        ]

    def _read_pair(self, share: NDArray[np.float32]) -> tuple[Prediction, Prediction]:
        image = fit_pair(share)
        with self._stopwatch:
            return self._pairs.read(image)

    def _classify(self, ink: InkMap, blobs: list[Blob]) -> list[Candidate]:
        if not blobs:
            return []
        images = np.stack([fit_ink(cut_ink(ink, blob)) for blob in blobs])
        with self._stopwatch:
            predictions = self._classifier.predict_batch(images)
        return [Candidate(b, p) for b, p in zip(blobs, predictions, strict=True)]


def as_digit(prediction: Prediction, box: Box) -> FoundDigit:
    """Return a digit that was read, and where it stands."""
    return FoundDigit(prediction.digit, prediction.confidence, box, prediction.probabilities)


def _part_like(rows: Sequence[Sequence[Blob]], items: Iterable[Item]) -> list[list[Item]]:
    """Return what there is of each blob, line by line as these are."""
    following = iter(items)
    return [[next(following) for _ in row] for row in rows]


def _share_unclear(candidates: Sequence[Candidate]) -> float:
    unclear = sum(candidate.is_unclear for candidate in candidates)
    return unclear / len(candidates) if candidates else 0.0
