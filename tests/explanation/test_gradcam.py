import numpy as np
import pytest

tf_keras = pytest.importorskip("tf_keras")

from edge_mnist.errors import ModelError  # noqa: E402
from edge_mnist.explanation.gradcam import compute_gradcam  # noqa: E402
from edge_mnist.explanation.keras_subject import KerasSubject  # noqa: E402
from edge_mnist.explanation.tflite_subject import TfliteSubject  # noqa: E402
from edge_mnist.quantization.convert import convert_float  # noqa: E402
from edge_mnist.training.run import save_model  # noqa: E402

pytestmark = pytest.mark.train
layers = tf_keras.layers
SIDE = 14


def build_corner_network(end=None):
    """A network that looks at one corner only: the top left for 3, the bottom right for 8.

    Each branch cuts its corner out and puts it back on blank paper. A convolution of 1x1 passes
    the two on as they are, but for a factor: 2 for the first map, 1 for the second. The logit of 3
    is the mean of the first map minus half of the mean of the second, and that of 8 the reverse.
    """
    image = tf_keras.Input((28, 28, 1))
    first = layers.Cropping2D(((0, SIDE), (0, SIDE)))(image)
    first = layers.ZeroPadding2D(((0, SIDE), (0, SIDE)))(first)
    second = layers.Cropping2D(((SIDE, 0), (SIDE, 0)))(image)
    second = layers.ZeroPadding2D(((SIDE, 0), (SIDE, 0)))(second)
    maps = layers.Conv2D(2, 1, use_bias=False, name="look")(layers.Concatenate()([first, second]))
    means = layers.GlobalAveragePooling2D()(maps)
    tensor = layers.Dense(10, use_bias=False, activation=end if end == "softmax" else None)(means)
    if end == "layer":
        tensor = layers.Softmax()(tensor)
    model = tf_keras.Model(image, tensor)
    wiring = np.zeros((2, 10), np.float32)
    wiring[:, 3] = 1, -0.5
    wiring[:, 8] = -0.5, 1
    model.set_weights([np.array([[[[2, 0], [0, 1]]]], np.float32), wiring])
    return model


@pytest.mark.parametrize("end", [None, "softmax", "layer"])
def test_heat_is_in_the_corner_that_the_network_looks_at(end, four_corners):
    model = build_corner_network(end)
    ink = four_corners / 255
    found = compute_gradcam(model, four_corners, 3, model.get_layer("look"))
    # A mean over 784 places has a gradient of 1/784 each; the map itself is twice the ink.
    expected = np.zeros((28, 28))
    expected[:SIDE, :SIDE] = 2 * ink[:SIDE, :SIDE] / 784
    np.testing.assert_allclose(found.heat, expected, rtol=1e-4, atol=1e-9)
    assert (found.layer, found.digit) == ("look", 3)
    found = compute_gradcam(model, four_corners, 8, model.get_layer("look"))
    expected = np.zeros((28, 28))
    expected[SIDE:, SIDE:] = ink[SIDE:, SIDE:] / 784
    np.testing.assert_allclose(found.heat, expected, rtol=1e-4, atol=1e-9)


def test_digit_that_nothing_speaks_for_has_no_heat(four_corners):
    model = build_corner_network()
    found = compute_gradcam(model, four_corners, 0, model.get_layer("look"))
    assert found.heat.shape == (28, 28)
    assert not found.heat.any()


def test_heat_moves_with_the_ink_inside_the_corner_and_not_outside():
    model = build_corner_network()
    for row, column in ((3, 9), (11, 2), (3, 20)):
        image = np.zeros((28, 28), np.uint8)
        image[row : row + 2, column : column + 2] = 255
        heat = compute_gradcam(model, image, 3, model.get_layer("look")).heat
        is_seen = row < SIDE and column < SIDE
        assert heat.any() == is_seen
        if is_seen:
            assert np.argwhere(heat).mean(axis=0).tolist() == [row + 0.5, column + 0.5]


@pytest.fixture(scope="module")
def small():
    """A network with normalisation and with every kind of convolution, of random weights."""
    tf_keras.utils.set_random_seed(3)
    image = tf_keras.Input((28, 28, 1))
    tensor = layers.Conv2D(6, 5, strides=2, use_bias=False)(image)
    tensor = layers.ReLU()(layers.BatchNormalization()(tensor))
    tensor = layers.ReLU()(layers.DepthwiseConv2D(3, padding="same")(tensor))
    tensor = layers.ReLU()(layers.Conv2D(8, 3, strides=2)(layers.MaxPool2D()(tensor)))
    tensor = layers.Dense(10)(layers.Flatten()(tensor))
    return tf_keras.Model(image, tensor)


@pytest.fixture(scope="module")
def subjects(small, tmp_path_factory):
    """The same network as a .keras file and as a .tflite of floats."""
    folder = tmp_path_factory.mktemp("subjects")
    save_model(small, folder / "small.keras")
    (folder / "small.tflite").write_bytes(convert_float(small, "float32"))
    return KerasSubject(folder / "small.keras"), TfliteSubject(folder / "small.tflite")


def test_both_kinds_of_file_are_explained_alike(subjects, mnist):
    image = mnist.test.images[3]
    keras, tflite = subjects
    assert tflite.convolutions == ["conv_2d_1", "depthwise_conv_2d_1", "conv_2d_2"]
    assert len(keras.convolutions) == 3
    np.testing.assert_allclose(keras.read(image[None]), tflite.read(image[None]), atol=1e-5)
    for digit in (0, 7):
        ours = keras.compute_gradcams(image, digit, keras.convolutions)
        theirs = tflite.compute_gradcams(image, digit, tflite.convolutions)
        assert [found.layer for found in theirs] == tflite.convolutions
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one.heat, other.heat, atol=1e-5)
    # Into the filters of a .tflite that takes pixels of 0 to 255 their range is folded, and the
    # scale of a normalisation that has seen no images yet, all but 1.
    for one, other, gain in zip(keras.convolutions, tflite.convolutions, (255, 1, 1), strict=True):
        filters = gain * tflite.read_filters(other).weights
        np.testing.assert_allclose(keras.read_filters(one).weights, filters, atol=1e-3)


def test_activations_of_both_are_the_same(subjects, mnist):
    keras, tflite = subjects
    image = mnist.test.images[5]
    theirs = {a.layer: a.values for a in tflite.record(image, tflite.layers)}
    ours = [a.values for a in keras.record(image, keras.layers)]
    for layer in tflite.convolutions:
        assert any(
            values.shape == theirs[layer].shape and np.allclose(values, theirs[layer], atol=1e-4)
            for values in ours
        ), layer


def test_units_that_stand_for_digits_are_the_last(subjects, mnist):
    for subject in subjects:
        activations = subject.record(mnist.test.images[5], subject.layers)
        assert [a.is_output for a in activations] == [False] * (len(activations) - 1) + [True]
        (alone,) = subject.record(mnist.test.images[5], subject.layers[:1])
        assert not alone.is_output


def test_network_that_cannot_be_rebuilt_is_an_error(tmp_path):
    image = tf_keras.Input((28, 28, 1))
    flat = layers.Flatten()(image)
    model = tf_keras.Model(image, layers.Dense(10, activation="tanh")(flat))
    (tmp_path / "tanh.tflite").write_bytes(convert_float(model, "float32"))
    subject = TfliteSubject(tmp_path / "tanh.tflite")
    with pytest.raises(ModelError, match="cannot be rebuilt"):
        subject.compute_gradcams(np.zeros((28, 28), np.uint8), 0, [])
