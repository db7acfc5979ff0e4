"""Reading every handwritten number in a frame."""

import time

import cv2
import numpy as np

from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import normalize_digit
from edge_mnist.runtime import Classifier
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.reading import FoundDigit, Number, Reading

DEFAULT_MIN_CONFIDENCE = 0.5


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
        digit = normalize_digit(gray)
        segmented = time.perf_counter()
        rows: tuple[tuple[Number, ...], ...] = ()
        if digit is not None:
            prediction = self.classifier.predict(digit.image)
            if not prediction.rejected:
                found = FoundDigit(
                    prediction.digit, prediction.confidence, digit.box, prediction.probabilities
                )
                rows = ((Number((found,)),),)
        classified = time.perf_counter()
        ms = {"segment": 1e3 * (segmented - started), "classify": 1e3 * (classified - segmented)}
        return Reading(rows, ms)

    def show_stages(self, frame: Picture) -> list[tuple[str, Picture]]:
        """Return a picture of each stage that a frame goes through, with its name."""
        raise NotImplementedError
