"""Reading every handwritten number in a frame."""

import math
import time
from dataclasses import dataclass

import cv2
import numpy as np

from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import fit_ink
from edge_mnist.runtime import Classifier, Prediction
from edge_mnist.vision.blobs import Blob, cut_ink
from edge_mnist.vision.cutting import propose_parts
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.reading import FoundDigit, Number, Reading
from edge_mnist.vision.segmentation import frame_box, segment

DEFAULT_MIN_CONFIDENCE = 0.5
NO_DIGIT_COST = 3.0
CUT_COST = 0.7
NUMBER_GAP = 1.6


class _Stopwatch:
    """Adds up the time spent within it."""

    def __init__(self):
        self.ms = 0.0

    def __enter__(self):
        self._started = time.perf_counter()

    def __exit__(self, *_):
        self.ms += 1e3 * (time.perf_counter() - self._started)


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
        found = segment(gray)
        classify = _Stopwatch()
        wholes = self._classify(found.ink, [blob for row in found.rows for blob in row], classify)
        it = iter(wholes)
        first = [[next(it) for _ in row] for row in found.rows]
        parts = []
        for row, preds in zip(found.rows, first):
            for blob, p in zip(row, preds):
                parts.append(propose_parts(blob) if self._is_doubtful(blob, p) else {})
        cut = iter(self._classify(found.ink, [b for p in parts for b in p.values()], classify))
        result = []
        pit = iter(parts)
        for row, preds in zip(found.rows, first):
            digits = []
            for blob, p in zip(row, preds):
                pp = next(pit)
                digits.extend(self._choose(blob, p, pp, {k: next(cut) for k in pp}))
            digits = [
                FoundDigit(p.digit, p.confidence, frame_box(b, found), p.probabilities)
                for b, p in digits
                if not p.rejected and p.confidence >= self.min_confidence
            ]
            if digits:
                result.append(tuple(self._numbers(digits)))
        whole_ms = 1e3 * (time.perf_counter() - started)
        return Reading(tuple(result), {"segment": whole_ms - classify.ms, "classify": classify.ms})

    def _is_doubtful(self, blob, p):
        return blob.width > 1.4 * blob.height or (
            blob.width > 0.5 * blob.height and self._score(p) < -0.3
        )

    def _classify(self, ink, blobs, watch):
        if not blobs:
            return []
        images = np.stack([fit_ink(cut_ink(ink, blob)) for blob in blobs])
        with watch:
            return self.classifier.predict_batch(images)

    def _numbers(self, found):
        groups = [[found[0]]]
        for a, b in zip(found, found[1:]):
            gap = b.box[0] - a.box[0] - a.box[2]
            if gap > NUMBER_GAP * max(a.box[3], b.box[3]):
                groups.append([])
            groups[-1].append(b)
        return [Number(tuple(g)) for g in groups]

    def _score(self, p: Prediction) -> float:
        if p.rejected:
            return -NO_DIGIT_COST
        return max(
            -NO_DIGIT_COST, math.log(p.confidence) + math.log(max(1e-6, 1 - p.rejection_score))
        )

    def _choose(self, blob, wp, parts, pp):
        best = [(self._score(wp) - 2 * max(0, blob.width / blob.height - 1.3), [(blob, wp)])]
        if parts:
            last = max(end for _, end in parts)
            ways = {0: (0.0, [])}
            for end in range(1, last + 1):
                options = []
                for start in range(end):
                    if (start, end) in parts and start in ways:
                        s, path = ways[start]
                        options.append(
                            (
                                s + self._score(pp[start, end]) - (CUT_COST if start else 0),
                                [*path, (parts[start, end], pp[start, end])],
                            )
                        )
                if options:
                    ways[end] = max(options, key=lambda o: o[0])
            if last in ways:
                best.append(ways[last])
        return max(best, key=lambda o: o[0])[1]

    def show_stages(self, frame: Picture) -> list[tuple[str, Picture]]:
        """Return a picture of each stage that a frame goes through, with its name."""
        raise NotImplementedError
