import numpy as np
import pytest
import tf_keras

from edge_mnist.corruptions import CORRUPTIONS
from edge_mnist.dataset import Examples
from edge_mnist.runtime import compute_rejection_scores
from edge_mnist.training.architectures import build
from edge_mnist.training.config import TrainConfig
from edge_mnist.training.fit import fit
from edge_mnist.training.handwriting import make_handwriting
from edge_mnist.training.outliers import make_outliers, make_pairs
from edge_mnist.training.run import predict_logits
from edge_mnist.training.styles import draw_styles

pytestmark = pytest.mark.train


def train(dataset, **extras):
    """Train a small network for some seconds."""
    config = TrainConfig(
        arch="tutorial-3x3", epochs=12, batch_size=32, learning_rate=3e-3, **extras
    )
    tf_keras.utils.set_random_seed(0)
    model = build(config.arch)
    fit(model, dataset.train, dataset.validation, config)
    return model


@pytest.fixture(scope="module")
def outliers(optdigits):
    return make_outliers(optdigits.train, 350, seed=0)


def test_outliers_are_images_and_differ(outliers):
    assert outliers.shape == (350, 28, 28)
    assert outliers.dtype == np.uint8
    assert len({image.tobytes() for image in outliers}) > 330


def test_same_seed_gives_the_same_outliers(optdigits, outliers):
    assert np.array_equal(make_outliers(optdigits.train, 350, seed=0), outliers)
    assert not np.array_equal(make_outliers(optdigits.train, 350, seed=1), outliers)


@pytest.mark.parametrize(("setting", "make"), [("outliers", make_outliers), ("pairs", make_pairs)])
def test_training_with_outliers_learns_to_tell_them_from_digits(setting, make, optdigits):
    unseen = make(optdigits.validation, 210, seed=99)
    shares = {}
    for share in (0.0, 0.25):
        model = train(optdigits, **{setting: share})
        digits, others = (
            compute_rejection_scores(predict_logits(model, images).astype(np.float64))
            for images in (optdigits.validation.images, unseen)
        )
        shares[share] = (others > np.quantile(digits, 0.95)).mean()
    assert shares[0.25] > 0.8
    assert shares[0.25] > shares[0.0] + 0.1


def measure_widths(images):
    """Widths of the ink over its heights, and whether no column of paper parts it."""
    columns, rows = images.max(axis=1) > 60, images.max(axis=2) > 60
    spans = [np.flatnonzero(ink) for ink in columns]
    is_whole = np.array([span[-1] - span[0] + 1 == len(span) for span in spans])
    return columns.sum(axis=1) / rows.sum(axis=1), is_whole


def test_pairs_are_wider_than_a_digit_and_hang_together(optdigits):
    pairs = make_pairs(optdigits.train, 100, seed=0)
    assert pairs.shape == (100, 28, 28)
    assert np.array_equal(make_pairs(optdigits.train, 100, seed=0), pairs)
    widths, are_whole = measure_widths(pairs)
    assert np.median(widths) > 1.3 * np.median(measure_widths(optdigits.train.images)[0])
    assert are_whole.mean() > 0.9


def test_pairs_of_the_thinnest_strokes_are_made():
    stroke = np.zeros((1, 28, 28), np.uint8)
    stroke[0, 4:24, 14] = 255
    pairs = make_pairs(Examples(stroke, np.ones(1, np.uint8)), 50, seed=0)
    assert pairs.any(axis=(1, 2)).all()


def test_handwriting_has_an_even_share_of_each_habit(optdigits):
    made = make_handwriting(optdigits.train, 200, seed=0)
    habits = {c.digit for c in CORRUPTIONS.values() if c.digit is not None}
    assert set(made.labels) == habits
    assert set(np.bincount(made.labels)[sorted(habits)]) == {200 // len(habits)}
    again = make_handwriting(optdigits.train, 200, seed=0)
    assert np.array_equal(made.images, again.images)


def test_training_with_handwriting_learns_to_read_it(optdigits):
    assert_learns_to_read(
        make_handwriting(optdigits.validation, 400, seed=5), optdigits, "handwriting"
    )


def test_styles_have_an_even_share_of_each_digit():
    drawn = draw_styles(200, seed=0)
    assert drawn.images.shape == (200, 28, 28)
    assert set(np.bincount(drawn.labels)) == {20}
    assert np.array_equal(draw_styles(200, seed=0).images, drawn.images)
    assert not np.array_equal(draw_styles(200, seed=1).images, drawn.images)


def test_training_with_styles_learns_to_read_them(optdigits):
    assert_learns_to_read(draw_styles(400, seed=5), optdigits, "styles")


def assert_learns_to_read(unseen, optdigits, setting):
    accuracies = {}
    for share in (0.0, 0.5):
        model = train(optdigits, **{setting: share})
        accuracies[share] = (
            predict_logits(model, unseen.images).argmax(axis=1) == unseen.labels
        ).mean()
    assert accuracies[0.5] > 0.9
    assert accuracies[0.5] > accuracies[0.0] + 0.2


def test_data_that_lacks_digits_can_be_trained_on(optdigits):
    few = optdigits.train.take(np.flatnonzero(np.isin(optdigits.train.labels, (2, 8)))[:60])
    outliers = make_outliers(few, 70, seed=0)
    assert len(outliers) == 70
    assert len(make_handwriting(few, 100, seed=0)) == 0
    config = TrainConfig(
        arch="tutorial-3x3", epochs=1, batch_size=20, handwriting=0.5, outliers=0.5
    )
    history = fit(build(config.arch), few, few, config).history
    assert len(history) == 1
