import numpy as np
import pytest

from edge_mnist.agreement import compare_readings, mcnemar
from edge_mnist.errors import InvalidInputError


def readings(digits, confidences=None):
    return np.array(digits), np.array(confidences or [0.9] * len(digits))


def test_counts_what_can_be_counted_by_hand():
    labels = np.array([1, 2, 3, 4, 5], np.uint8)
    first = readings([1, 2, 3, 4, 0], [0.9, 0.8, 0.7, 0.6, 0.5])
    second = readings([1, 2, 3, 0, 0], [0.9, 0.9, 0.7, 0.2, 0.5])
    found = compare_readings(first, second, labels)
    assert (found.images, found.agreement) == (5, 0.8)
    assert (found.first.accuracy, found.second.accuracy) == (0.8, 0.6)
    assert found.second.low < 0.6 < found.second.high
    assert (found.only_first_right, found.only_second_right) == (1, 0)
    assert found.confidence_shift == pytest.approx((0.1 - 0.4) / 5)
    assert found.confidence_change == pytest.approx(0.5 / 5)
    assert found.largest_change == pytest.approx(0.4)
    (one,) = found.disagreements
    assert (one.index, one.label, one.first, one.second) == (3, 4, 4, 0)


def test_both_wrong_in_different_ways_is_a_disagreement_that_favours_none():
    found = compare_readings(readings([3]), readings([4]), np.array([5], np.uint8))
    assert found.agreement == 0
    assert (found.only_first_right, found.only_second_right, found.p_value) == (0, 0, 1)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 1, 1.0),
        # Two-sided sign tests: 2 / 2**5, and 2 * (1 + 10) / 2**10.
        (5, 0, 2 / 32),
        (1, 9, 22 / 1024),
    ],
)
def test_mcnemar_is_a_coins_two_sided_test(first, second, expected):
    assert mcnemar(first, second) == pytest.approx(expected)
    assert mcnemar(second, first) == pytest.approx(expected)


def test_mcnemar_of_many_is_a_number():
    assert mcnemar(3000, 3100) == pytest.approx(0.205, abs=0.01)  # normal: z = 100 / sqrt(6100)


@pytest.mark.parametrize("labels", [[], [1, 2]])
def test_refuses_what_does_not_fit(labels):
    with pytest.raises(InvalidInputError, match="cannot compare readings"):
        compare_readings(
            readings([1] if labels else []),
            readings([1] if labels else []),
            np.array(labels, np.uint8),
        )
