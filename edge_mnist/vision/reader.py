"""Reading every handwritten number in a frame."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.cascade import DigitModel
from edge_mnist.errors import InvalidInputError
from edge_mnist.prediction import Prediction
from edge_mnist.preprocessing import IMAGE_SIZE, GrayImage, describe_array, fit_ink
from edge_mnist.vision.blobs import Blob, cut_ink
from edge_mnist.vision.choosing import (
    Candidate,
    choose_parts,
    is_doubtful,
    is_worth_cutting,
    judge,
    part_numbers,
    stands_between,
)
from edge_mnist.vision.color import as_color
from edge_mnist.vision.cutting import propose_parts
from edge_mnist.vision.edges import is_edge, leave_edges_out
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.ink import MIN_CONTRAST, InkMap, map_ink, map_unlikely_ink
from edge_mnist.vision.line_reader import COLUMN_STEP, LineReader
from edge_mnist.vision.merging import take_better, weigh
from edge_mnist.vision.pairs import MAX_PAIR_ASPECT, MIN_PAIR_ASPECT, PairReader, fit_pair
from edge_mnist.vision.reading import Box, FoundDigit, Number, Reading, Rows
from edge_mnist.vision.segmentation import Segmentation, frame_box, segment
from edge_mnist.vision.single import find_single
from edge_mnist.vision.strips import cut_strip
from edge_mnist.vision.whole import choose_text, is_unsure, place_digits

DEFAULT_MIN_CONFIDENCE = 0.5

# A frame's longer side is reduced to the first of these, which is quicker and takes noise away; to
# the second if digits turn out to be as small as this.
SIDES_PX = (1000, 2000)
SMALL_PX = 24
# Above this the paper counts as noisy.
MAX_NOISE = 0.03
# What looked like a digit and is less likely one than this is not clear. So small a share of all
# is no reason to look at the others again.
MIN_CLEAR_SCORE = math.log(0.5)
MAX_UNCLEAR_SHARE = 0.05
# A picture that one digit fills falls into so many pieces at most, taken for a page.
MAX_FRAGMENTS = 3
# Blue, green, red.
BOX_COLOR = (0, 200, 255)


@dataclass(frozen=True)
class _Look:
    """Another look at a frame than the first.

    What is more there is taken, number by number; all of it, if in all it is so many times as much.
    """

    gain: float
    side_share: float = 1.0  # of the first one's longer side
    min_contrast: int = MIN_CONTRAST


# Faint large strokes stand out of noise in half the resolution only.
IF_NOISY = (_Look(gain=1.1, side_share=0.5),)
# Where faint ink does not count, stains and shadows are none; in less resolution, broken strokes
# are whole.
IF_UNCLEAR = (_Look(gain=2.0, min_contrast=20), _Look(gain=2.0, side_share=0.7))


class Reader:
    """Finds and reads the digits in frames; one instance serves one thread at a time."""

    def __init__(
        self, classifier: DigitModel, min_confidence: float = DEFAULT_MIN_CONFIDENCE
    ) -> None:
        """Make a reader.

        Args:
            classifier: What reads the digits.
            min_confidence: Digits of which it is less sure are left out, 0 to 1.

        Raises:
            InvalidInputError: If `min_confidence` is no share.
            ModelError: If one of the models that the reader brings is missing or damaged.
        """
        if not 0 <= min_confidence <= 1:
            raise InvalidInputError(
                "minimum confidence", expected="0 to 1", got=str(min_confidence)
            )
        self.classifier = classifier
        self._pairs = PairReader.load()
        self._lines = LineReader.load()
        self.min_confidence = min_confidence

    def read(self, frame: Picture) -> Reading:
        """Read a frame.

        Args:
            frame: uint8 [height, width, 3] (blue, green, red) or [height, width].

        Raises:
            InvalidInputError: If it is something else.
        """
        started = time.perf_counter()
        gray = _as_gray(frame)
        stopwatch = _Stopwatch()
        segmentations, reduced = self._segment(gray)
        first = self._read_all(segmentations, reduced, stopwatch)
        rows = first.rows
        digits = Reading(rows).digits
        if len(digits) <= MAX_FRAGMENTS:
            clear = [found.box for found in digits] if first.is_clear else []
            rows = max(rows, self._read_single(reduced, clear, stopwatch), key=_weigh)
        rows = _enlarge(rows, gray.shape[1] / reduced.shape[1])
        is_noisy = segmentations[0].ink.noise > MAX_NOISE
        for look in (IF_NOISY if is_noisy else ()) + (() if first.is_clear else IF_UNCLEAR):
            others = self._look_again(gray, look, max(reduced.shape), stopwatch)
            is_more = _weigh(others) > look.gain * _weigh(rows)
            rows = others if is_more else take_better(rows, others)
        whole_ms = 1e3 * (time.perf_counter() - started)
        return Reading(rows, {"segment": whole_ms - stopwatch.ms, "classify": stopwatch.ms})

    def _look_again(self, gray: GrayImage, look: _Look, side: int, stopwatch: "_Stopwatch") -> Rows:
        """Read where the first look's side was `side`; boxes are in the whole picture."""
        reduced = _reduce(gray, max(1, round(look.side_share * side)))
        found = [segment(replace(ink, min_contrast=look.min_contrast)) for ink in map_ink(reduced)]
        rows = self._read_all(found, reduced, stopwatch).rows
        return _enlarge(rows, gray.shape[1] / reduced.shape[1])

    def _read_all(
        self, segmentations: list[Segmentation], gray: GrayImage, stopwatch: "_Stopwatch"
    ) -> "_Found":
        """Read what was found as dark ink and as bright ink, and return what is more."""
        ways = [self._read_ink(found, gray, stopwatch) for found in segmentations]
        if len(ways) == 1 and not ways[0].rows:
            ink = map_unlikely_ink(gray)
            other = self._read_ink(segment(ink), gray, stopwatch) if ink else None
            # What lies within the letters of a word is not clear.
            if other and (other.is_clear or not segmentations[0].rows):
                return other
        return max(ways, key=lambda found: _weigh(found.rows))

    def _segment(self, gray: GrayImage) -> tuple[list[Segmentation], GrayImage]:
        """Find what may be digits, as dark ink, as bright ink or both; in a reduced picture."""
        reduced = gray
        found: list[Segmentation] = []
        for side in SIDES_PX:
            reduced = _reduce(gray, side)
            found = [segment(ink) for ink in map_ink(reduced)]
            if reduced is gray or not any(_is_small(one) for one in found):
                break
        return found, reduced

    def _read_single(self, gray: GrayImage, digits: list[Box], stopwatch: "_Stopwatch") -> Rows:
        digit = find_single(gray, digits)
        if digit is None:
            return ()
        with stopwatch:
            prediction = self.classifier.predict(digit.image)
        if prediction.rejected or prediction.confidence < self.min_confidence:
            return ()
        return ((Number((_as_digit(prediction, digit.box),)),),)

    def _read_ink(self, found: Segmentation, gray: GrayImage, stopwatch: "_Stopwatch") -> "_Found":
        chosen = self._choose(found, gray, stopwatch)
        groups = [part_numbers(row, found.upright) for row in chosen]
        # What is left out for its confidence is a digit all the same.
        limit = min(self.min_confidence, DEFAULT_MIN_CONFIDENCE)
        judged = iter(judge([group for row in groups for group in row], limit))
        is_unclear = [c.score < MIN_CLEAR_SCORE for row in chosen for c in row]
        is_clear = sum(is_unclear) <= MAX_UNCLEAR_SHARE * len(is_unclear)
        rows = []
        for row in groups:
            numbers = []
            for group in row:
                number = leave_edges_out(next(judged), gray, found)
                read, likelihood = self._read_whole(group, number, found.ink, is_clear, stopwatch)
                digits = tuple(
                    _as_digit(c.prediction, frame_box(c.blob, found))
                    for c in read
                    if c.prediction.confidence >= self.min_confidence
                )
                if digits:
                    numbers.append(Number(digits, likelihood))
            if numbers:
                rows.append(tuple(numbers))
        return _Found(tuple(rows), is_clear)

    def _read_whole(
        self,
        group: Sequence[Candidate],
        number: list[Candidate],
        ink: InkMap,
        is_clear: bool,
        stopwatch: "_Stopwatch",
    ) -> tuple[list[Candidate], float]:
        """Read a number as a whole where its digits leave doubt.

        Args:
            group: All that may be digits.
            number: Those that were taken.
            ink: Where they stand.
            is_clear: Whether what looks like a digit is one, but for a few.
            stopwatch: For the time that models take.

        Returns:
            What is likelier of its digits and what the whole is read as; and how likely that is, as
            a whole, 0 to 1: 1 where there is no doubt.
        """
        if not is_unsure(group, number, is_clear):
            return number, 1.0
        strip = cut_strip(ink, [c.blob for c in group])
        if strip is None:
            return number, 1.0
        with stopwatch:
            probabilities = self._lines.read(strip.image)[: math.ceil(strip.width / COLUMN_STEP)]
        seen, likelihood = choose_text(group, number, probabilities)
        if seen is not None:
            number = place_digits(seen, probabilities, strip, group, ink)
        return number, likelihood

    def _choose(
        self, found: Segmentation, gray: GrayImage, stopwatch: "_Stopwatch"
    ) -> list[list[Candidate]]:
        """Classify the blobs of each line, and the parts of those that may be several digits."""
        blobs = [blob for row in found.rows for blob in row]
        usual = [
            width for row in found.rows for width in [median(blob.width for blob in row)] * len(row)
        ]
        wholes = self._classify(found.ink, blobs, stopwatch)
        # Cutting costs more than reading, so only what is doubtful comes into a second batch.
        shares = [
            cut_ink(found.ink, whole.blob) if is_doubtful(whole, width) else None
            for whole, width in zip(wholes, usual, strict=True)
        ]
        pairs = [
            self._read_pair(share, stopwatch)
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
        cut = iter(self._classify(found.ink, parts, stopwatch))
        chosen: list[tuple[Candidate, ...]] = []
        for whole, own, width, pair in zip(wholes, ways, usual, pairs, strict=True):
            read = [(way.stretches, {key: next(cut) for key in way.blobs}) for way in own]
            best = choose_parts(whole, read, width, pair)
            if len(best) > 1:
                best = tuple(replace(part, parts=len(best)) for part in best)
            is_one = len(best) == 1 and best[0].prediction.digit == 1
            is_alone = is_one and not stands_between(wholes, len(chosen))
            chosen.append(() if is_alone and is_edge(gray, found, whole.blob) else best)
        of_blob = iter(chosen)
        return [[candidate for _ in row for candidate in next(of_blob)] for row in found.rows]

    def _read_pair(
        self, share: NDArray[np.float32], stopwatch: "_Stopwatch"
    ) -> tuple[Prediction, Prediction]:
        image = fit_pair(share)
        with stopwatch:
            return self._pairs.read(image)

    def _classify(self, ink: InkMap, blobs: list[Blob], stopwatch: "_Stopwatch") -> list[Candidate]:
        if not blobs:
            return []
        images = np.stack([fit_ink(cut_ink(ink, blob)) for blob in blobs])
        with stopwatch:
            predictions = self.classifier.predict_batch(images)
        return [Candidate(b, p) for b, p in zip(blobs, predictions, strict=True)]

    def show_stages(self, frame: Picture) -> list[tuple[str, Picture]]:
        """Return a picture of each stage that a frame goes through, with its name.

        Args:
            frame: As for `read`.

        Returns:
            Names, and pictures that are uint8 [height, width, 3].
        """
        gray = _as_gray(frame)
        # Of two ways to see it, the more likely comes first.
        (found, *_), _ = self._segment(gray)
        blobs = [blob for row in found.rows for blob in row]
        images = [fit_ink(cut_ink(found.ink, blob)) for blob in blobs]
        crops = np.hstack(images) if images else np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
        boxed = as_color(found.ink.contrast)
        for x, y, width, height in (blob.box for blob in blobs):
            cv2.rectangle(boxed, (x, y), (x + width, y + height), BOX_COLOR, 1)
        return [
            ("grey", as_color(gray)),
            ("ink", as_color(found.ink.contrast)),
            ("boxes", boxed),
            ("digits", as_color(crops)),
        ]


@dataclass(frozen=True)
class _Found:
    """What was read, with boxes in the picture that was looked at."""

    rows: Rows
    is_clear: bool  # what looked like a digit is one, but for a few


class _Stopwatch:
    """Adds up the milliseconds that are spent within it."""

    def __init__(self) -> None:
        self.ms = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.ms += 1e3 * (time.perf_counter() - self._started)


def _as_gray(frame: Picture) -> GrayImage:
    is_picture = isinstance(frame, np.ndarray) and frame.dtype == np.uint8
    if not is_picture or frame.shape[2:] not in ((), (3,)) or frame.ndim < 2 or frame.size == 0:
        raise InvalidInputError(
            "cannot read the frame",
            expected="uint8 [height, width, 3] or [height, width], at least one pixel",
            got=describe_array(frame),
        )
    gray = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return gray.astype(np.uint8, copy=False)


def _reduce(gray: GrayImage, side: int) -> GrayImage:
    """Return a picture whose longer side is at most so long."""
    scale = max(gray.shape) / side
    if scale <= 1:
        return gray
    size = (max(1, round(gray.shape[1] / scale)), max(1, round(gray.shape[0] / scale)))
    # Down to a half no pixel is passed over, and this is quicker.
    interpolation = cv2.INTER_LINEAR if scale < 2 else cv2.INTER_AREA
    return cv2.resize(gray, size, interpolation=interpolation).astype(np.uint8, copy=False)


def _is_small(found: Segmentation) -> bool:
    """Tell whether what was found is so small that it was worth another look, if anything was."""
    heights = [blob.height for row in found.rows for blob in row]
    return not heights or median(heights) < SMALL_PX


def _enlarge(rows: Rows, scale: float) -> Rows:
    """Return what was read with its boxes in a frame that is larger by a factor."""
    if scale == 1:
        return rows

    def enlarge(found: FoundDigit) -> FoundDigit:
        left, top, width, height = (round(scale * side) for side in found.box)
        return replace(found, box=(left, top, width, height))

    return tuple(
        tuple(replace(number, digits=tuple(map(enlarge, number.digits))) for number in row)
        for row in rows
    )


def _as_digit(prediction: Prediction, box: Box) -> FoundDigit:
    return FoundDigit(prediction.digit, prediction.confidence, box, prediction.probabilities)


def _weigh(rows: Rows) -> float:
    return weigh(Reading(rows).numbers)
