"""Reading every handwritten number in a frame."""

import time

import cv2
import numpy as np

from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import fit_ink
from edge_mnist.runtime import Classifier
from edge_mnist.vision.blobs import Blob, cut_ink
from edge_mnist.vision.choosing import (
    Candidate,
    choose_parts,
    is_doubtful,
    judge,
    part_numbers,
)
from edge_mnist.vision.cutting import propose_parts
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.ink import InkMap, map_ink
from edge_mnist.vision.reading import FoundDigit, Number, Reading
from edge_mnist.vision.segmentation import Segmentation, frame_box, segment

DEFAULT_MIN_CONFIDENCE = 0.5


Rows = tuple[tuple[Number, ...], ...]


class Reader:
    """Finds and reads the digits in frames; one instance serves one thread at a time."""

    def __init__(
        self, classifier: Classifier, min_confidence: float = DEFAULT_MIN_CONFIDENCE
    ) -> None:
        """Make a reader.

        Args:
            classifier: What reads the digits.
            min_confidence: Digits of which it is less sure are left out, 0 to 1.

        Raises:
            InvalidInputError: If `min_confidence` is no share.
        """
        if not 0 <= min_confidence <= 1:
            raise InvalidInputError(
                "minimum confidence", expected="0 to 1", got=str(min_confidence)
            )
        self.classifier = classifier
        self.min_confidence = min_confidence

    def read(self, frame: Picture) -> Reading:
        """Read a frame.

        Args:
            frame: uint8 [height, width, 3] (blue, green, red) or [height, width].

        Raises:
            InvalidInputError: If it is something else.
        """
        started = time.perf_counter()
        gray = (
            frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.uint8)
        )
        stopwatch = _Stopwatch()
        readings = [self._read_ink(segment(ink), stopwatch) for ink in map_ink(gray)]
        rows = max(readings, key=_weigh)
        whole_ms = 1e3 * (time.perf_counter() - started)
        return Reading(rows, {"segment": whole_ms - stopwatch.ms, "classify": stopwatch.ms})

    def _read_ink(self, found: Segmentation, stopwatch: "_Stopwatch") -> Rows:
        blobs = [blob for row in found.rows for blob in row]
        wholes = self._classify(found.ink, blobs, stopwatch)
        parts = [
            propose_parts(whole.blob, cut_ink(found.ink, whole.blob)) if is_doubtful(whole) else {}
            for whole in wholes
        ]
        cut = iter(self._classify(found.ink, [b for p in parts for b in p.values()], stopwatch))
        chosen = iter(
            [
                choose_parts(whole, {key: next(cut) for key in own})
                for whole, own in zip(wholes, parts, strict=True)
            ]
        )
        groups = [
            part_numbers([candidate for _ in row for candidate in next(chosen)])
            for row in found.rows
        ]
        self.debug = [
            [(c, frame_box(c.blob, found)) for c in group] for row in groups for group in row
        ]
        judged = iter(judge([group for row in groups for group in row], self.min_confidence))
        numbers = [[next(judged) for _ in row] for row in groups]
        rows = [
            tuple(Number(tuple(_as_digit(c, found) for c in number)) for number in row if number)
            for row in numbers
        ]
        return tuple(row for row in rows if row)

    def _classify(self, ink: InkMap, blobs: list[Blob], stopwatch: "_Stopwatch") -> list[Candidate]:
        if not blobs:
            return []
        images = np.stack([fit_ink(cut_ink(ink, blob)) for blob in blobs])
        with stopwatch:
            predictions = self.classifier.predict_batch(images)
        return [Candidate(b, p) for b, p in zip(blobs, predictions, strict=True)]

    def show_stages(self, frame: Picture) -> list[tuple[str, Picture]]:
        """Return a picture of each stage that a frame goes through, with its name."""
        raise NotImplementedError


class _Stopwatch:
    """Adds up the milliseconds that are spent within it."""

    def __init__(self) -> None:
        self.ms = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.ms += 1e3 * (time.perf_counter() - self._started)


def _as_digit(candidate: Candidate, found: Segmentation) -> FoundDigit:
    prediction = candidate.prediction
    return FoundDigit(
        prediction.digit,
        prediction.confidence,
        frame_box(candidate.blob, found),
        prediction.probabilities,
    )


def _weigh(rows: Rows) -> float:
    """Return how much was read: the confidence, and more for what is larger."""
    digits = [found for row in rows for number in row for found in number.digits]
    return sum(found.confidence * found.box[3] for found in digits)
