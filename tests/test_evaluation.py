import numpy as np
import pytest

from edge_mnist.errors import InvalidInputError
from edge_mnist.evaluation import evaluate, wilson_interval


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
