"""Two models on the same images: how often they agree, and whether one is better than the other."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError
from edge_mnist.evaluation import wilson_interval


@dataclass(frozen=True)
class Score:
    """How often one model is right."""

    accuracy: float  # 0 to 1
    low: float  # 95 % interval (Wilson)
    high: float


@dataclass(frozen=True)
class Disagreement:
    """An image that the two read differently."""

    index: int  # among the images
    label: int
    first: int  # what the first model reads
    second: int


@dataclass(frozen=True)
class Agreement:
    """What two models make of the same images.

    Attributes:
        agreement: The share of the images that both read the same, rightly or not, 0 to 1.
        only_first_right: Images that the first model alone reads rightly.
        only_second_right: And the second.
        p_value: McNemar's exact test: how likely a difference in accuracy as large as this one is
            if the models are equally good.
        confidence_shift: How much more confident the second is, on average.
        confidence_change: How far the confidences are apart, on average.
        largest_change: And at most.
    """

    images: int
    agreement: float
    first: Score
    second: Score
    only_first_right: int
    only_second_right: int
    p_value: float
    confidence_shift: float
    confidence_change: float
    largest_change: float
    disagreements: list[Disagreement]


def compare_readings(
    first: tuple[NDArray[np.int64], NDArray[np.float64]],
    second: tuple[NDArray[np.int64], NDArray[np.float64]],
    labels: NDArray[np.uint8],
) -> Agreement:
    """Compare what two models read in the same images.

    Args:
        first: Digits, int64 [N], and their confidences, float64 [N] from 0 to 1.
        second: The same of the other model.
        labels: uint8 [N].

    Raises:
        InvalidInputError: If there are no images, or not as many readings as labels.
    """
    (digits, confidences), (other_digits, other_confidences) = first, second
    sizes = {len(array) for array in (*first, *second, labels)}
    if sizes == {0} or len(sizes) != 1:
        raise InvalidInputError(
            "cannot compare readings", expected="as many as labels, at least 1", got=str(sizes)
        )
    is_right, other_is_right = digits == labels, other_digits == labels
    only_first = int((is_right & ~other_is_right).sum())
    only_second = int((other_is_right & ~is_right).sum())
    change = other_confidences - confidences
    return Agreement(
        images=len(labels),
        agreement=float((digits == other_digits).mean()),
        first=_score(is_right),
        second=_score(other_is_right),
        only_first_right=only_first,
        only_second_right=only_second,
        p_value=mcnemar(only_first, only_second),
        confidence_shift=float(change.mean()),
        confidence_change=float(np.abs(change).mean()),
        largest_change=float(np.abs(change).max()),
        disagreements=[
            Disagreement(int(i), int(labels[i]), int(digits[i]), int(other_digits[i]))
            for i in np.flatnonzero(digits != other_digits)
        ],
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the p-value of McNemar's exact test, two-sided.

    If both are equally good, which of them is right where only one is falls like a coin (McNemar,
    "Note on the sampling error of the difference between correlated proportions", 1947).

    Args:
        only_first: How many only the first got right.
        only_second: And the second.
    """
    trials = only_first + only_second
    heads = min(only_first, only_second)
    tail = sum(math.comb(trials, count) for count in range(heads + 1))
    return min(1.0, 2 * tail / (1 << trials))


def _score(is_right: NDArray[np.bool_]) -> Score:
    low, high = wilson_interval(int(is_right.sum()), len(is_right))
    return Score(float(is_right.mean()), low, high)
