import numpy as np
import pytest
import tf_keras

from edge_mnist.preprocessing import BOX_SIZE, is_normalized
from edge_mnist.runtime import compute_rejection_scores
from edge_mnist.training.architectures import build
from edge_mnist.training.config import TrainConfig
from edge_mnist.training.crops import make_crops
from edge_mnist.training.fit import _compile_extras, fit
from edge_mnist.training.run import predict_logits


def count_fine_detail(images):
    """Return how much neighbouring pixels differ, for each image."""
    return np.abs(np.diff(images.astype(int), axis=2)).sum(axis=(1, 2))


def test_crops_are_as_preprocessing_leaves_them(mnist):
    crops = make_crops(mnist.train.images[:300], seed=0)
    assert crops.shape == (300, 28, 28)
    assert crops.dtype == np.uint8
    assert np.mean([is_normalized(crop) for crop in crops]) > 0.9
    spans = [np.ptp(np.flatnonzero(crop.any(axis=0))) + 1 for crop in crops]
    assert max(spans) == BOX_SIZE


def test_crops_are_softer_than_mnist_by_amounts_of_their_own(mnist):
    images = mnist.train.images[:300]
    shares = count_fine_detail(make_crops(images, seed=0)) / count_fine_detail(images)
    assert np.median(shares) < 0.97
    assert np.ptp(np.quantile(shares, (0.1, 0.9))) > 0.15


def test_same_seed_gives_the_same_crops(mnist):
    images = mnist.train.images[:40]
    before = images.copy()
    crops = make_crops(images, seed=3)
    assert np.array_equal(crops, make_crops(images, seed=3))
    assert not np.array_equal(crops, make_crops(images, seed=4))
    assert np.array_equal(images, before)


def test_blank_picture_stays_blank():
    assert not make_crops(np.zeros((2, 28, 28), np.uint8), seed=0).any()


@pytest.mark.parametrize("kind", ["outliers", "pairs", "handwriting"])
def test_what_is_added_to_a_batch_is_as_soft_as_its_digits(kind, fewer_mnist, monkeypatch):
    monkeypatch.setattr("edge_mnist.training.fit.POOL_SIZE", 500)
    detail = []
    for crops in (0.0, 0.5):
        config = TrainConfig(arch="micro", epochs=1, batch_size=500, crops=crops, **{kind: 1.0})
        (draw,) = _compile_extras(fewer_mnist.train, config)
        images, _ = draw(np.array([0, 0], np.int32))
        detail.append(count_fine_detail(images.numpy()[..., 0]).mean())
    assert detail[1] < 0.97 * detail[0]


def test_training_with_crops_learns_that_they_are_digits(fewer_mnist):
    """Outliers are all soft from preprocessing: without crops, so are only they."""
    crops = make_crops(fewer_mnist.validation.images, seed=9)
    kept = {}
    for share in (0.0, 0.5):
        config = TrainConfig(
            arch="micro", epochs=6, learning_rate=4e-3, outliers=0.25, crops=share, seed=1
        )
        tf_keras.utils.set_random_seed(0)
        model = build(config.arch)
        fit(model, fewer_mnist.train, fewer_mnist.validation, config)
        own, others = (
            compute_rejection_scores(predict_logits(model, images).astype(np.float64))
            for images in (fewer_mnist.validation.images, crops)
        )
        kept[share] = (others <= np.quantile(own, 0.95)).mean()
    assert kept[0.5] > kept[0.0] + 0.04
