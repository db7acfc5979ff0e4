"""What a model makes of labelled images: figures, samples, mistakes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.dataset import Examples
from edge_mnist.evaluation import ConfidenceBin, Evaluation, bin_confidences, evaluate
from edge_mnist.preprocessing import NUM_CLASSES
from edge_mnist.runtime import Classifier

SAMPLES_A_DIGIT = 2
MOST_MISTAKES = 24
# What is read without a doubt has a probability of 1, and its rivals of 0.
LEAST_PROBABILITY = 1e-300

Reader = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float64], NDArray[np.bool_] | None]]
"""Takes images, uint8 [N, 28, 28]; gives probabilities, [N, 10], and which it rejects, [N]."""


@dataclass(frozen=True)
class Reading:
    """One image and what was read."""

    index: int  # among the images
    image: NDArray[np.uint8]  # [28, 28]
    label: int
    digit: int
    confidence: float  # 0 to 1

    @property
    def is_right(self) -> bool:
        """Whether it was read rightly."""
        return self.digit == self.label


@dataclass(frozen=True)
class Measurement:
    """What a model did on images.

    Attributes:
        samples: The first images of each digit.
        mistakes: The worst, worst first: those whose wrong digit was the most times as probable as
            the right one.
        mistaken: How many images were read wrongly.
    """

    evaluation: Evaluation
    bins: list[ConfidenceBin]
    samples: list[Reading]
    mistakes: list[Reading]
    mistaken: int


def read_with_classifier(classifier: Classifier) -> Reader:
    """Return what reads with a .tflite file."""

    def read(images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
        predictions = classifier.predict_batch(images)
        return (
            np.array([prediction.probabilities for prediction in predictions]),
            np.array([prediction.rejected for prediction in predictions]),
        )

    return read


def measure(read: Reader, examples: Examples) -> Measurement:
    """Run a model on images.

    Args:
        read: The model.
        examples: At least one.
    """
    probabilities, rejected = read(examples.images)
    digits = probabilities.argmax(axis=1)
    rows = np.arange(len(digits))
    confidences = probabilities[rows, digits]
    is_right = digits == examples.labels
    logs = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    lead = logs[rows, digits] - logs[rows, examples.labels]
    # Stable: images that are as bad stay in their order.
    worst = np.argsort(-lead, kind="stable")[: int((~is_right).sum())]
    first = [
        np.flatnonzero(examples.labels == digit)[:SAMPLES_A_DIGIT] for digit in range(NUM_CLASSES)
    ]

    def choose(indices: NDArray[Any]) -> list[Reading]:
        return [
            Reading(
                int(index),
                examples.images[index],
                int(examples.labels[index]),
                int(digits[index]),
                float(confidences[index]),
            )
            for index in indices
        ]

    return Measurement(
        evaluate(digits, examples.labels, confidences, rejected),
        bin_confidences(confidences, is_right),
        choose(np.concatenate(first)),
        choose(worst[:MOST_MISTAKES]),
        int((~is_right).sum()),
    )
