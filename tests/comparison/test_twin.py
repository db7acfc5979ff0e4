import sys

import numpy as np
import pytest
import tf_keras

from edge_mnist.comparison.peers import find_peer, installed_peers, load_peer, write_twin
from edge_mnist.errors import MissingDependencyError, ModelError
from edge_mnist.isolation import run_isolated
from edge_mnist.quantization.convert import convert_float
from edge_mnist.training.architectures import build

pytestmark = pytest.mark.train

IMAGES = np.random.default_rng(1).integers(0, 256, (10, 28, 28), np.uint8)


@pytest.fixture(scope="module", params=["pooling", "probabilities"])
def network(request):
    tf_keras.utils.set_random_seed(1)
    if request.param == "pooling":
        return build("tutorial-3x3")
    layers = tf_keras.layers
    image = tf_keras.Input((28, 28, 1))
    tensor = layers.Conv2D(6, 5, strides=2, padding="same", activation="relu")(image)
    tensor = layers.DepthwiseConv2D(3, depth_multiplier=2)(tensor)
    tensor = layers.AveragePooling2D(3, strides=2, padding="same")(layers.ReLU(6.0)(tensor))
    tensor = layers.Dense(16, activation="relu")(layers.GlobalAveragePooling2D()(tensor))
    model = tf_keras.Model(image, layers.Dense(10, activation="softmax")(tensor))
    # Fresh weights make all probabilities nearly the same.
    model.set_weights([3 * weights for weights in model.get_weights()])
    return model


@pytest.mark.parametrize("number_format", ["float32", "dynamic"])
def test_every_peer_runs_every_layer(number_format, network, tmp_path):
    twin = write_twin(convert_float(network, number_format), tmp_path / "twin")
    expected = network(IMAGES[..., None].astype(np.float32) / 255, training=False).numpy()
    assert np.ptp(expected, axis=0).max() > 0.01  # the images do differ
    # Weights of 8 bits are at most half a step of 127 from what they were.
    tolerance = 1e-5 if number_format == "float32" else 0.05
    for name in installed_peers():
        run = load_peer(name, twin)
        assert np.stack([run(image) for image in IMAGES]) == pytest.approx(expected, abs=tolerance)


def test_twin_of_a_model_reads_the_same_digits_in_the_engines(twin, mnist):
    from edge_mnist.model_store import find_model

    # Digits, not noise, of which no model is sure: there the int8 steps alone decide.
    images = mnist.validation.images[:50]
    whole = run_isolated(find_model().read_bytes(), images)
    run = run_isolated((twin / "twin.tflite").read_bytes(), images)
    assert set(run.tensor_dtypes) <= {"float32", "uint8", "int32"}
    assert run.outputs.argmax(1).tolist() == whole.outputs.argmax(1).tolist()


def test_onnx_has_its_channels_first_from_image_to_dense_layer(twin):
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(twin / "twin.onnx").graph
    shape = [size.dim_value for size in graph.input[0].type.tensor_type.shape.dim]
    assert shape == [1, 1, 28, 28]
    assert "Transpose" not in {node.op_type for node in graph.node}


def test_without_tf2onnx_the_others_can_be_compared(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    twin = write_twin(convert_float(build("pico"), "float32"), tmp_path)
    for name in installed_peers():
        if find_peer(name).file == "twin.onnx":
            with pytest.raises(MissingDependencyError, match=r"there is no twin\.onnx; .*compare"):
                load_peer(name, twin)
        else:
            assert load_peer(name, twin)(IMAGES[0]).shape == (10,)


def test_network_that_cannot_be_rebuilt_leaves_nothing(tmp_path):
    with pytest.raises(ModelError, match=r"not a \.tflite file"):
        write_twin(bytes(1000), tmp_path / "twin")
    assert not (tmp_path / "twin").exists()
