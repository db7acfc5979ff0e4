"""How often a model is right, and where it is wrong."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import NUM_CLASSES

# The two-sided 95 % point of the normal distribution.
Z_95 = 1.959964

# Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017.
CALIBRATION_BINS = 15


@dataclass(frozen=True)
class ClassReport:
    """One digit's figures; a ratio with nothing to divide by is 0."""

    digit: int
    precision: float  # of those read as this digit, the share that are
    recall: float  # of those that are this digit, the share read so
    images: int


@dataclass(frozen=True)
class Evaluation:
    """What a model did on labelled images.

    Attributes:
        accuracy: 0 to 1.
        low: Lower end of its 95 % interval.
        high: Upper end.
        images: How many there were.
        classes: A report for each digit.
        confusion: Ten rows of ten counts: row is the label, column is what was read.
        calibration_error: Of the confidences; None if there were none.
        rejected: Share of the images that the model said were no digit; None if it was not asked.
    """

    accuracy: float
    low: float
    high: float
    images: int
    classes: list[ClassReport]
    confusion: list[list[int]]
    calibration_error: float | None = None
    rejected: float | None = None


@dataclass(frozen=True)
class ConfidenceBin:
    """Images whose confidences lie close together."""

    low: float  # the bin's lower end, 0 to 1, not in it
    high: float  # its upper end
    images: int  # at least 1
    confidence: float  # their mean, 0 to 1
    accuracy: float  # the share that was read rightly


def evaluate(
    predicted: NDArray[Any],
    labels: NDArray[Any],
    confidences: NDArray[np.float64] | None = None,
    rejected: NDArray[np.bool_] | None = None,
) -> Evaluation:
    """Compare what was read with what it was.

    Args:
        predicted: Integers [N], 0 to 9, N at least 1.
        labels: Integers [N], 0 to 9.
        confidences: Probability of what was read, [N], 0 to 1.
        rejected: Whether the model took it for no digit, [N]; it counts as read all the same.

    Raises:
        InvalidInputError: If the two differ in length or are empty.
    """
    if len(predicted) != len(labels) or len(labels) == 0:
        raise InvalidInputError(
            "cannot evaluate",
            expected="as many predictions as labels, at least one",
            got=f"{len(predicted)} and {len(labels)}",
        )
    pairs = np.asarray(labels, np.int64) * NUM_CLASSES + np.asarray(predicted, np.int64)
    confusion = np.bincount(pairs, minlength=NUM_CLASSES**2).reshape(NUM_CLASSES, NUM_CLASSES)
    right = confusion.diagonal()
    precision = right / np.maximum(confusion.sum(axis=0), 1)
    recall = right / np.maximum(confusion.sum(axis=1), 1)
    low, high = wilson_interval(int(right.sum()), len(labels))
    return Evaluation(
        accuracy=float(right.sum() / len(labels)),
        low=low,
        high=high,
        images=len(labels),
        classes=[
            ClassReport(
                digit, float(precision[digit]), float(recall[digit]), int(confusion[digit].sum())
            )
            for digit in range(NUM_CLASSES)
        ],
        confusion=confusion.tolist(),
        calibration_error=None
        if confidences is None
        else calibration_error(confidences, np.asarray(predicted) == np.asarray(labels)),
        rejected=None if rejected is None else float(rejected.mean()),
    )


def calibration_error(confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error: how far confidence is from accuracy, 0 to 1.

    Images are binned as by `bin_confidences`; the error is the mean over the bins of
    |share right - mean confidence|, weighted by their images.

    Args:
        confidences: [N], 0 to 1, N at least 1.
        right: Whether each was right, [N].
    """
    gaps = np.bincount(_number_bins(confidences), weights=right - confidences)
    return float(np.abs(gaps).sum() / len(confidences))


def bin_confidences(
    confidences: NDArray[np.float64], right: NDArray[np.bool_]
) -> list[ConfidenceBin]:
    """Return what a reliability diagram shows: the bins that hold images, by confidence.

    There are `CALIBRATION_BINS` of equal width, which hold their upper end.

    Args:
        confidences: [N], 0 to 1.
        right: Whether each was right, [N].
    """
    numbers = _number_bins(confidences)
    return [
        ConfidenceBin(
            low=number / CALIBRATION_BINS,
            high=(number + 1) / CALIBRATION_BINS,
            images=int((numbers == number).sum()),
            confidence=float(confidences[numbers == number].mean()),
            accuracy=float(right[numbers == number].mean()),
        )
        for number in np.unique(numbers).tolist()
    ]


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson, "Probable inference", JASA 22, 1927)."""
    share = successes / trials
    spread = Z_95**2 / trials
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return max(0.0, middle - half), min(1.0, middle + half)


def _number_bins(confidences: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of each confidence's bin, from 0."""
    numbers: NDArray[np.int64] = np.clip(
        np.ceil(confidences * CALIBRATION_BINS) - 1, 0, None
    ).astype(np.int64)
    return numbers
