import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge_mnist.anatomy import dissect
from edge_mnist.engines import EngineSetting, create_interpreter, installed_engines, resolve_engine
from edge_mnist.model_store import shipped_models


def tensor(index, shape, dtype=np.int8):
    return {"index": index, "shape": np.array(shape), "dtype": dtype}


def operator(name, inputs, outputs):
    return {"op_name": name, "inputs": np.array(inputs), "outputs": np.array(outputs)}


def interpreter(tensors, operators):
    return SimpleNamespace(
        get_tensor_details=lambda: tensors,
        get_input_details=lambda: tensors[:1],
        _get_ops_details=lambda: operators,
    )


def test_counts_what_can_be_counted_by_hand():
    tensors = [
        tensor(0, [1, 8, 8, 2]),
        tensor(1, [4, 3, 3, 2]),
        tensor(2, [4], np.int32),
        tensor(3, [1, 6, 6, 4]),
        tensor(4, [1, 3, 3, 4]),
        tensor(5, [1, 4, 4, 4]),
        tensor(6, [10, 64]),
        tensor(7, [1, 10]),
    ]
    operators = [
        operator("CONV_2D", [0, 1, 2], [3]),
        operator("DEPTHWISE_CONV_2D", [3, 4, -1], [5]),
        operator("FULLY_CONNECTED", [5, 6, -1], [7]),
        operator("DELEGATE", [0], [7]),
    ]
    found = dissect(interpreter(tensors, operators))
    convolution, depthwise, dense = found.operators
    assert (convolution.parameters, convolution.multiply_adds) == (72 + 4, 36 * 72)
    assert (depthwise.parameters, depthwise.multiply_adds) == (36, 16 * 4 * 9)
    assert (dense.parameters, dense.multiply_adds) == (640, 640)
    assert found.parameters == 76 + 36 + 640
    assert found.multiply_adds == 2592 + 576 + 640
    assert convolution.share == pytest.approx(2592 / 3808)
    # Input and first output are alive together: 128 and 144 bytes; later 144 and 64, 64 and 10.
    assert found.activation_bytes == 128 + 144


def test_input_of_a_transposed_convolution_is_no_parameter():
    tensors = [
        tensor(0, [1, 8, 8, 3]),
        tensor(1, [4], np.int32),  # the output's shape
        tensor(2, [4, 3, 3, 3]),
        tensor(3, [4], np.int32),
        tensor(4, [1, 17, 17, 4]),
    ]
    operators = [operator("TRANSPOSE_CONV", [1, 2, 0, 3], [4])]
    found = dissect(interpreter(tensors, operators))
    assert (found.parameters, found.multiply_adds) == (108 + 4, 64 * 108)


def test_activation_that_is_needed_later_stays_alive():
    tensors = [tensor(0, [1, 100]), tensor(1, [1, 50]), tensor(2, [1, 70]), tensor(3, [1, 10])]
    operators = [
        operator("RELU", [0], [1]),
        operator("RELU", [1], [2]),
        operator("ADD", [0, 2], [3]),  # a shortcut past both
    ]
    assert dissect(interpreter(tensors, operators)).activation_bytes == 100 + 50 + 70


@pytest.mark.parametrize(
    ("weights", "output", "expected"),
    [
        (np.int8, np.int8, "int8"),
        (np.int8, np.float32, "dynamic"),
        (np.float32, np.float32, "float32"),
    ],
)
def test_number_format_is_that_of_the_weights(weights, output, expected):
    tensors = [tensor(0, [1, 4]), tensor(1, [2, 4], weights), tensor(2, [1, 2], output)]
    operators = [operator("FULLY_CONNECTED", [0, 1], [2])]
    assert dissect(interpreter(tensors, operators)).number_format == expected


def test_weights_that_are_made_float_at_the_start_are_what_they_are_in_the_file():
    tensors = [
        tensor(0, [1, 4], np.float32),
        tensor(1, [2, 4], np.float16),
        tensor(2, [2, 4], np.float32),
        tensor(3, [1, 2], np.float32),
    ]
    operators = [operator("DEQUANTIZE", [1], [2]), operator("FULLY_CONNECTED", [0, 2], [3])]
    assert dissect(interpreter(tensors, operators)).number_format == "float16"


def test_graph_without_weights_has_no_multiply_adds():
    tensors = [tensor(0, [1, 4]), tensor(1, [1, 4])]
    found = dissect(interpreter(tensors, [operator("RELU", [0], [1])]))
    assert (found.parameters, found.multiply_adds, found.operators[0].share) == (0, 0, 0.0)


ARENAS = Path(__file__).parent.parent / "benchmarks" / "reference" / "arena.json"


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)
def test_activations_need_what_tensorflow_lite_micro_plans_for_them(model):
    measured = json.loads(ARENAS.read_text())["models"][model.name]
    content = model.path.read_bytes()
    found = dissect(create_interpreter(content, EngineSetting(resolve_engine())))
    assert found.activation_bytes == measured["tensor_bytes"]


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)
def test_shipped_models_consist_of_what_their_cards_say(model):
    content = model.path.read_bytes()
    found = [
        dissect(create_interpreter(content, EngineSetting(engine, delegate)))
        for engine in installed_engines()
        for delegate in (True, False)
    ]
    assert all(anatomy == found[0] for anatomy in found)
    assert found[0].number_format == "int8"
    assert found[0].multiply_adds == model.card.multiply_adds
    assert [operator.name for operator in found[0].operators] == model.card.operators
    # Batch normalisation's parameters are folded into the others.
    assert 0.9 * model.card.parameters < found[0].parameters < model.card.parameters
