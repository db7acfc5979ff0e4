import numpy as np
import pytest
import tf_keras

from edge_mnist.errors import TrainingError
from edge_mnist.training.architectures import (
    ARCHITECTURES,
    DEFAULT_ARCHITECTURE,
    build,
    count_multiply_adds,
    plan_multiply_adds,
)

pytestmark = pytest.mark.train
layers = tf_keras.layers


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_maps_images_to_ten_logits(name):
    model = build(name)
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    logits = model(images).numpy()
    assert model.name == name
    assert logits.shape == (3, 10)
    assert logits.dtype == np.float32
    assert (logits < 0).any(), "probabilities in place of logits"


@pytest.mark.parametrize(("name", "parameters"), [("tutorial-3x3", 7184), ("tutorial-4x4", 6320)])
def test_tutorial_networks_have_the_published_sizes(name, parameters):
    assert build(name).count_params() == parameters


def test_default_fits_a_microcontroller():
    assert build(DEFAULT_ARCHITECTURE).count_params() < 16_000


def test_multiply_adds_of_a_tutorial_network():
    first = 28 * 28 * 8 * (4 * 4 * 1)  # padded: as many outputs as pixels
    second = 12 * 12 * 16 * (3 * 3 * 8)  # 14 after pooling, 12 without padding
    dense = 6 * 6 * 16 * 10 + 10 * 10
    assert count_multiply_adds(build("tutorial-3x3")) == first + second + dense


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_multiply_adds_are_the_same_planned_and_built(name):
    assert plan_multiply_adds(name) == count_multiply_adds(build(name))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        pytest.param(
            lambda: layers.Conv2D(4, 3, strides=2), 13 * 13 * 4 * (3 * 3 * 2), id="strided"
        ),
        pytest.param(
            lambda: layers.Conv2D(4, (5, 3), groups=2), 24 * 26 * 4 * (5 * 3 * 1), id="grouped"
        ),
        pytest.param(lambda: layers.DepthwiseConv2D(3), 26 * 26 * 2 * (3 * 3), id="depthwise"),
        pytest.param(lambda: layers.MaxPool2D(2), 0, id="pooling"),
    ],
)
def test_multiply_adds_by_hand(layer, expected):
    image = layers.Input((28, 28, 2))
    hidden = layer()(image)
    logits = layers.Dense(10)(layers.GlobalAveragePooling2D()(hidden))
    dense = hidden.shape[-1] * 10
    assert count_multiply_adds(tf_keras.Model(image, logits)) == expected + dense


def test_batch_normalisation_stands_between_convolution_and_activation():
    # Only so does it fold into the weights when quantized.
    kinds = [type(layer).__name__ for layer in build("micro").layers]
    assert kinds[1:4] == ["Conv2D", "BatchNormalization", "ReLU"]


def test_unknown_architecture_is_answered_with_the_known_ones():
    with pytest.raises(TrainingError) as caught:
        build("resnet")
    assert str(caught.value) == (
        f"unknown architecture: expected {', '.join(ARCHITECTURES)}, got 'resnet'"
    )
