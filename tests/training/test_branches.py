from dataclasses import replace

import numpy as np
import pytest
import tf_keras

from edge_mnist.errors import TrainingError
from edge_mnist.training.architectures import build
from edge_mnist.training.branches import merge_branches
from edge_mnist.training.fit import fit
from edge_mnist.training.run import load_run, load_run_config, predict_logits, train_run

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def branched(tiny):
    return replace(tiny, branches=3, optimizer="adamw", average_epochs=1.0)


@pytest.fixture(scope="module")
def trained(branched, optdigits):
    model = build("micro", branches=3)
    fit(model, optdigits.train, optdigits.validation, branched)
    return model


@pytest.fixture(scope="module")
def merged(trained, optdigits):
    plain = build("micro")
    merge_branches(trained, plain, optdigits.train.images)
    return plain


def test_merged_network_computes_the_same(trained, merged, optdigits):
    images = optdigits.test.images
    before, after = predict_logits(trained, images), predict_logits(merged, images)
    assert np.abs(before).max() > 1, "a network that says nothing"
    np.testing.assert_allclose(after, before, atol=1e-3)


def test_statistics_are_of_the_images(merged, optdigits):
    """Who trains it further normalises by batches: it has to compute about the same then."""
    images = optdigits.train.images[:1000, ..., None].astype(np.float32) / 255
    in_use, in_training = (merged(images, training=flag).numpy() for flag in (False, True))
    np.testing.assert_allclose(in_training, in_use, atol=1e-2)


@pytest.mark.parametrize("name", ["classic", "tutorial-3x3"])
def test_architecture_with_nothing_to_branch_is_refused(name):
    with pytest.raises(TrainingError) as caught:
        build(name, branches=2)
    assert str(caught.value) == (
        "branches: expected an architecture whose convolutions have batch normalisation, "
        f"got {name}; leave --branches out, or choose another --arch"
    )


def test_dense_layers_and_dropout_come_along(optdigits):
    tf_keras.utils.set_random_seed(0)
    trained, plain = build("classic-bn", branches=2), build("classic-bn")
    images = optdigits.test.images[:50]
    merge_branches(trained, plain, images)
    np.testing.assert_allclose(
        predict_logits(plain, images), predict_logits(trained, images), atol=1e-4
    )


def test_run_leaves_a_network_of_the_architecture(branched, optdigits, tmp_path):
    metrics = train_run(branched, optdigits, tmp_path)
    model = load_run(tmp_path)
    assert load_run_config(tmp_path).branches == 3
    assert metrics.parameters == model.count_params() == build("micro").count_params()
    right = predict_logits(model, optdigits.validation.images).argmax(axis=1)
    assert metrics.validation.accuracy == np.mean(right == optdigits.validation.labels) > 0.5
