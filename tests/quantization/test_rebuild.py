import flatbuffers
import numpy as np
import pytest
from tensorflow.lite.python.schema_py_generated import (
    ActivationFunctionType,
    BuiltinOperator,
)
from tensorflow.lite.tools import flatbuffer_utils

from edge_mnist.errors import ModelError
from edge_mnist.isolation import run_isolated
from edge_mnist.model_store import find_model, shipped_models
from edge_mnist.quantization.convert import convert_float, convert_int8
from edge_mnist.quantization.rebuild import rebuild
from edge_mnist.training.architectures import build

pytestmark = pytest.mark.train

FORMATS = ("float32", "float16", "dynamic", "int8")


def read_keras(model, images):
    return model(images[..., None].astype(np.float32) / 255, training=False).numpy()


def convert(model, number_format, images):
    if number_format == "int8":
        return convert_int8(model, images)
    return convert_float(model, number_format)


def edit(content, change):
    """Return a .tflite with something changed in its object tree."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    change(model)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def operators_of(model, kind):
    return [
        operator
        for operator in model.subgraphs[0].operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode == kind
    ]


@pytest.fixture(scope="module")
def varied(digits):
    """A network with every layer that can be rebuilt, and probabilities at its end."""
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    layers = tf_keras.layers
    image = tf_keras.Input((28, 28, 1))
    tensor = layers.Conv2D(12, (3, 5), strides=2, padding="same", activation="relu")(image)
    tensor = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(tensor)
    tensor = layers.ReLU(6.0)(tensor)
    tensor = layers.AveragePooling2D(3, strides=2, padding="same")(tensor)
    tensor = layers.Conv2D(16, 3, dilation_rate=(2, 2), use_bias=False)(tensor)
    tensor = layers.MaxPool2D((3, 1))(layers.ReLU()(tensor))
    tensor = layers.Reshape((3, 16))(layers.Conv2D(16, 1)(tensor))
    tensor = layers.GlobalAveragePooling2D()(layers.Reshape((3, 1, 16))(tensor))
    tensor = layers.Dense(24, activation="relu")(tensor)
    model = tf_keras.Model(image, layers.Dense(10, activation="softmax")(tensor))
    _fit(model, digits, from_logits=False, epochs=8)
    return model


@pytest.fixture(scope="module", params=["tutorial-3x3", "tutorial-4x4", "classic"])
def known(request, digits):
    """A network of tutorials, trained until it is sure of most digits."""
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    model = build(request.param)
    _fit(model, digits, from_logits=True, epochs=1 if request.param == "classic" else 5)
    return model


def _fit(model, digits, from_logits, epochs=2):
    import tf_keras

    loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    model.compile("adam", loss)
    images = digits.train.images[..., None].astype(np.float32) / 255
    model.fit(images, digits.train.labels, batch_size=64, epochs=epochs, verbose=0)


@pytest.mark.parametrize("name", [model.name for model in shipped_models()])
def test_shipped_model_reads_the_same_digits(name, digits):
    content = find_model(name).read_bytes()
    run = run_isolated(content, digits.test.images)
    rebuilt = read_keras(rebuild(content), digits.test.images)
    assert rebuilt.shape == (500, 10)
    assert (rebuilt.argmax(1) == run.outputs.argmax(1)).mean() >= 0.995
    # Outputs are whole numbers of steps; the rounding of the layers before adds up to a few.
    assert np.abs(rebuilt - run.values).mean() < 0.05 * run.values.std()


@pytest.mark.parametrize("number_format", FORMATS)
def test_known_network_of_any_format_reads_the_same_digits(number_format, known, digits):
    content = convert(known, number_format, digits.train.images[:300])
    check_agreement(content, number_format, digits.test.images, tolerance=1e-4)


@pytest.mark.parametrize("number_format", FORMATS)
def test_every_layer_of_any_format_is_rebuilt(number_format, varied, digits):
    content = convert(varied, number_format, digits.train.images[:300])
    check_agreement(content, number_format, digits.test.images, tolerance=1e-5)
    outputs = read_keras(rebuild(content), digits.test.images)
    assert outputs.sum(axis=1) == pytest.approx(1, abs=1e-5)


def check_agreement(content, number_format, images, tolerance):
    run = run_isolated(content, images)
    rebuilt = read_keras(rebuild(content), images)
    # Where two digits are as good as equal the engine's rounding decides.
    *_, second, first = np.sort(rebuilt, axis=1).T
    is_clear = first - second > 0.25 * rebuilt.std()
    assert is_clear.mean() > 0.8
    assert (rebuilt.argmax(1) == run.outputs.argmax(1))[is_clear].mean() >= 0.99
    assert np.abs(rebuilt - run.values).mean() < 0.05 * run.values.std()
    # With int8 weights alone the engine rounds what comes in to each layer, too.
    if number_format in ("float32", "float16"):
        assert rebuilt == pytest.approx(run.values, abs=tolerance)


def test_rebuilt_model_can_be_exported_again(marked):
    content = convert_float(marked.model, "float32")
    again = convert_float(rebuild(content), "float32")
    assert run_isolated(again, marked.images[:10]).outputs.argmax(1).tolist() == list(range(10))


def test_unknown_operator_is_named(marked):
    def change(model):
        model.operatorCodes[-1].builtinCode = BuiltinOperator.SVDF
        model.operatorCodes[-1].deprecatedBuiltinCode = BuiltinOperator.SVDF

    with pytest.raises(ModelError, match=r"cannot be rebuilt: an operator: .*, got SVDF$"):
        rebuild(edit(convert_float(marked.model, "float32"), change))


def test_unknown_activation_is_named(marked):
    def change(model):
        (dense,) = operators_of(model, BuiltinOperator.FULLY_CONNECTED)
        dense.builtinOptions.fusedActivationFunction = ActivationFunctionType.TANH

    with pytest.raises(ModelError, match="expected RELU or RELU6, got TANH"):
        rebuild(edit(convert_float(marked.model, "float32"), change))


def test_branches_are_refused(varied):
    def change(model):
        convolutions = operators_of(model, BuiltinOperator.CONV_2D)
        convolutions[-1].inputs[0] = convolutions[0].inputs[0]

    with pytest.raises(ModelError, match="CONV_2D: expected a plain row of operators, got one"):
        rebuild(edit(convert_float(varied, "float32"), change))


def test_other_input_is_refused(marked):
    def change(model):
        model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].shape[1] = 32

    with pytest.raises(ModelError, match=r"expected shape \[1, 28, 28, 1\], got \[1, 32, 28, 1\]"):
        rebuild(edit(convert_float(marked.model, "float32"), change))


def test_damaged_file_is_refused(marked):
    content = convert_float(marked.model, "float32")
    with pytest.raises(ModelError, match=r"it is not a \.tflite file"):
        rebuild(bytes(1000))
    with pytest.raises(ModelError, match="cannot be rebuilt"):
        rebuild(content[:40] + bytes(len(content) - 40))
