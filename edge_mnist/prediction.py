"""What a model says of an image."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Prediction:
    """What a model says of one image; it unpacks to digit, confidence and probabilities.

    Attributes:
        digit: The most probable digit, 0 to 9.
        confidence: Its probability, 0 to 1, if the image is a digit at all.
        rejection_score: 0 to 1: the more, the less the image is like any digit.
        rejected: Whether the score is above the model's threshold, which more than 99 % of the
            digits in its validation images stay below. Without one in its card a model rejects
            nothing.
    """

    # Ten thousands of these are made where images come in batches: a dictionary each would cost
    # as much time as half of the rest.
    __slots__ = (
        "_probabilities",
        "_total",
        "_weights",
        "confidence",
        "digit",
        "rejected",
        "rejection_score",
    )

    def __init__(
        self,
        digit: int,
        confidence: float,
        rejection_score: float,
        rejected: bool,
        weights: list[float] | NDArray[np.float64],
        total: float,
    ) -> None:
        """Hold what was decoded.

        Args:
            digit: The most probable digit.
            confidence: Its probability.
            rejection_score: 0 to 1.
            rejected: Whether that is above the model's threshold.
            weights: Ten numbers in proportion to the probabilities.
            total: Their sum.
        """
        self.digit = digit
        self.confidence = confidence
        self.rejection_score = rejection_score
        self.rejected = rejected
        self._weights = weights
        self._total = total
        self._probabilities: NDArray[np.float64] | None = None

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """float64 [10], they sum to 1; made when they are first asked for."""
        if self._probabilities is None:
            self._probabilities = np.array(self._weights) / self._total
        return self._probabilities

    def __iter__(self) -> Iterator[Any]:
        yield self.digit
        yield self.confidence
        yield self.probabilities

    def __repr__(self) -> str:
        return (
            f"Prediction(digit={self.digit}, confidence={self.confidence:.4g}, "
            f"rejection_score={self.rejection_score:.4g}, rejected={self.rejected})"
        )
