import numpy as np
import pytest

from edge_mnist.errors import InvalidInputError
from edge_mnist.evaluation import (
    bin_confidences,
    calibration_error,
    evaluate,
    wilson_interval,
)


def test_counts_what_was_read_for_each_label():
    evaluation = evaluate(np.array([0, 1, 1, 1, 0, 9]), np.array([0, 0, 1, 1, 2, 9], np.uint8))
    counts = {(0, 0): 1, (0, 1): 1, (1, 1): 2, (2, 0): 1, (9, 9): 1}
    assert evaluation.confusion == [
        [counts.get((label, read), 0) for read in range(10)] for label in range(10)
    ]
    assert evaluation.accuracy == pytest.approx(4 / 6)
    assert evaluation.images == 6


@pytest.mark.parametrize(
    ("digit", "precision", "recall", "images"),
    [(0, 1 / 2, 1 / 2, 2), (1, 2 / 3, 1, 2), (2, 0, 0, 1), (3, 0, 0, 0), (9, 1, 1, 1)],
)
def test_reports_precision_and_recall_of_each_digit(digit, precision, recall, images):
    evaluation = evaluate(np.array([0, 1, 1, 1, 0, 9]), np.array([0, 0, 1, 1, 2, 9]))
    report = evaluation.classes[digit]
    assert (report.digit, report.images) == (digit, images)
    assert (report.precision, report.recall) == pytest.approx((precision, recall))


# Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17
# (1998), table I, method 3.
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("successes", "trials", "low", "high"), NEWCOMBE)
def test_interval_is_the_published_one(successes, trials, low, high):
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)
    # The failures' interval is its mirror image.
    mirrored = wilson_interval(trials - successes, trials)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_evaluation_carries_the_interval():
    labels = np.zeros(29, np.uint8)
    evaluation = evaluate(np.array([0] + [1] * 28), labels)
    assert (evaluation.low, evaluation.high) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@pytest.mark.parametrize(("predicted", "labels"), [(3, 4), (0, 0)])
def test_refuses_what_does_not_pair_up(predicted, labels):
    with pytest.raises(
        InvalidInputError,
        match=f"^cannot evaluate: expected as many predictions as labels, at least one, "
        f"got {predicted} and {labels}$",
    ):
        evaluate(np.zeros(predicted, int), np.zeros(labels, int))


@pytest.mark.parametrize(
    ("confidences", "right", "error"),
    [
        ([1.0, 1.0], [True, True], 0),
        ([1.0, 1.0], [True, False], 0.5),
        # One bin of 1/15: |1/2 - (0.81 + 0.85) / 2| = 0.33.
        ([0.81, 0.85], [True, False], 0.33),
        # Two bins, weighted 3 to 1: 3/4 * |2/3 - 0.62| + 1/4 * |0 - 0.9| = 0.035 + 0.225.
        ([0.61, 0.62, 0.63, 0.9], [True, True, False, False], 0.26),
        # In bins of their own, errors do not cancel: (0.5 + 0.5) / 2, where one bin would give 0.
        ([0.5, 0.5 + 1 / 15], [True, False], (0.5 + 0.5 + 1 / 15) / 2),
        # A bin holds its upper end: 0.2 = 3/15 stands with 0.15, not with 0.25.
        ([0.15, 0.2, 0.25], [False, True, False], (0.65 + 0.25) / 3),
        ([0.0], [False], 0),
    ],
)
def test_calibration_error_is_the_weighted_gap_of_fifteen_bins(confidences, right, error):
    found = calibration_error(np.array(confidences), np.array(right))
    assert found == pytest.approx(error, abs=1e-12)


def test_evaluation_tells_calibration_and_rejection_where_they_are_known():
    predicted, labels = np.array([3, 4]), np.array([3, 5])
    bare = evaluate(predicted, labels)
    assert (bare.calibration_error, bare.rejected) == (None, None)
    full = evaluate(predicted, labels, np.array([1.0, 0.75]), np.array([False, True]))
    assert (full.calibration_error, full.rejected) == (pytest.approx(0.375), 0.5)
    assert full.accuracy == 0.5  # what is rejected counts as it was read


def test_bins_of_a_reliability_diagram_tell_confidence_and_accuracy():
    confidences = np.array([1.0, 0.95, 0.94, 0.2])
    low, high = bin_confidences(confidences, np.array([True, True, False, False]))
    assert (low.images, low.confidence, low.accuracy) == (1, 0.2, 0.0)
    assert (low.low, low.high) == (pytest.approx(2 / 15), pytest.approx(3 / 15))
    assert (high.images, high.high) == (3, 1.0)
    assert (high.confidence, high.accuracy) == (pytest.approx(2.89 / 3), pytest.approx(2 / 3))
