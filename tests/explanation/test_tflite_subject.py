import numpy as np
import pytest

from edge_mnist import Classifier
from edge_mnist.errors import ModelError
from edge_mnist.explanation.tflite_subject import TfliteSubject
from edge_mnist.model_store import find_model, shipped_models

SHIPPED = pytest.mark.parametrize("name", [model.name for model in shipped_models()])


def convolve(values, kernel, bias, stride, is_same):
    """Return a convolution by its definition: [height, width, out] of [height, width, in]."""
    out, height, width, _ = kernel.shape
    if is_same:
        rows, columns = (-(-size // stride) for size in values.shape[:2])
        down = max((rows - 1) * stride + height - values.shape[0], 0)
        right = max((columns - 1) * stride + width - values.shape[1], 0)
        values = np.pad(
            values, ((down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0))
        )
    rows = (values.shape[0] - height) // stride + 1
    columns = (values.shape[1] - width) // stride + 1
    made = np.empty((rows, columns, out))
    for row in range(rows):
        for column in range(columns):
            y, x = row * stride, column * stride
            made[row, column] = np.tensordot(kernel, values[y : y + height, x : x + width], 3)
    return made + bias


@SHIPPED
def test_each_layer_is_what_its_weights_make_of_the_layer_before(name, mnist, engine):
    """The int8 tensors, dequantized, against float arithmetic on what goes into each layer.

    An int8 convolution adds up whole numbers without a loss and rounds once, at its end: by half a
    step of its output's scale, and by a little more for the fixed-point multiplier.
    """
    subject = TfliteSubject(name, engine)
    file = subject._file
    graph = file.graphs[0]
    image = mnist.test.images[17]
    found = {a.layer: a for a in subject.record(image, subject.layers)}
    before, checked = None, 0
    for operator in graph.operators:
        activation = found.get(operator.layer)
        if operator.kind == "CONV_2D":
            kernel = file.dequantize(graph.tensors[operator.inputs[1]]).astype(np.float64)
            bias = file.dequantize(graph.tensors[operator.inputs[2]]).astype(np.float64)
            stride, is_same = tell_steps(before.shape, activation.values.shape, kernel.shape)
            made = np.maximum(convolve(before, kernel, bias, stride, is_same), 0)
            scale, zero_point = (
                activation.quantization.scale[0],
                activation.quantization.zero_point[0],
            )
            most = (127 - zero_point) * scale
            wrong = np.abs(np.minimum(made, most) - activation.values)
            assert wrong.max() <= 0.51 * scale, operator.layer
            checked += 1
        if activation is not None:
            before = activation.values.astype(np.float64)
    assert checked == len(subject.convolutions) >= 3


def tell_steps(source, target, kernel):
    """Return the stride and whether the border was padded: what fits the sizes of a layer."""
    for stride in (1, 2, 3):
        for is_same in (True, False):
            size = -(-source[0] // stride) if is_same else (source[0] - kernel[1]) // stride + 1
            if size == target[0]:
                return stride, is_same
    raise AssertionError((source, target, kernel))


@SHIPPED
def test_last_activation_is_what_the_model_gives(name, mnist, engine):
    subject = TfliteSubject(name, engine)
    images = mnist.test.images[:20]
    outputs = Classifier.load(name, engine=engine, delegate=False).run(images)
    for image, output in zip(images, outputs, strict=True):
        (last,) = subject.record(image, subject.layers[-1:])
        np.testing.assert_array_equal(last.codes, output)


def test_codes_stand_for_the_values(mnist, engine):
    subject = TfliteSubject("micro", engine)
    for activation in subject.record(mnist.test.images[0], subject.layers):
        (scale,), (zero_point,) = activation.quantization.scale, activation.quantization.zero_point
        expected = (activation.codes.astype(float) - zero_point) * scale
        np.testing.assert_allclose(activation.values, expected, rtol=1e-6)
        assert activation.codes.dtype.name == activation.dtype


@SHIPPED
def test_filters_are_those_that_the_engine_holds(name, engine):
    from edge_mnist.engines import EngineSetting, create_interpreter

    subject = TfliteSubject(name, engine)
    interpreter = create_interpreter(find_model(name).read_bytes(), EngineSetting(engine, False))
    held = [
        (told, interpreter.get_tensor(told["index"]))
        for told in interpreter.get_tensor_details()
        if len(told["shape"]) == 4 and len(told["quantization_parameters"]["scales"]) > 1
    ]
    assert len(held) == len(subject.convolutions)
    for layer in subject.convolutions:
        weights = subject.read_filters(layer).weights
        matches = [
            told
            for told, codes in held
            if codes.transpose(0, 3, 1, 2).shape == weights.shape
            and np.allclose(
                weights,
                (codes * told["quantization_parameters"]["scales"].reshape(-1, 1, 1, 1)).transpose(
                    0, 3, 1, 2
                ),
            )
        ]
        assert len(matches) == 1, layer


def test_layers_are_named_as_inspect_names_them():
    from edge_mnist.inspection import inspect_model

    subject = TfliteSubject("micro")
    operators = inspect_model(find_model("micro").read_bytes()).graphs[0].operators
    assert subject.layers == [operator.layer for operator in operators]


def test_other_models_are_refused(tmp_path):
    (tmp_path / "some.tflite").write_bytes(bytes(500))
    with pytest.raises(ModelError, match=r"^cannot use the model .*some\.tflite: it is not a"):
        TfliteSubject(tmp_path / "some.tflite")
