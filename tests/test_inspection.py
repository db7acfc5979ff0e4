import dataclasses
import json
import struct

import numpy as np
import pytest
from fuzz_models import corrupt

from edge_mnist.anatomy import dissect
from edge_mnist.engines import EngineSetting, create_interpreter, resolve_engine
from edge_mnist.errors import ModelError
from edge_mnist.inspection import inspect_model
from edge_mnist.model_store import find_model, shipped_models
from edge_mnist.tflite_file import TfliteFile
from edge_mnist.tflite_tensor import dequantize

MICRO = find_model("micro").read_bytes()
SHIPPED = pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)


def load(content, engine=None):
    setting = EngineSetting(engine or resolve_engine(), delegate=False)
    return create_interpreter(content, setting)


@SHIPPED
def test_every_byte_is_told_what_it_is_for(model):
    found = inspect_model(model.path.read_bytes())
    assert found.size_bytes == model.path.stat().st_size == sum(found.parts.values())
    (graph,) = found.graphs
    constants = [tensor for tensor in graph.tensors if tensor.role == "constant"]
    # Each buffer has its length before it.
    assert found.parts["weights"] == sum(4 + tensor.size_bytes for tensor in constants)
    # Shipped files have been stripped of these.
    assert found.parts["names"] == found.parts["metadata"] == found.parts["signatures"] == 0
    assert 0 < found.parts["padding"] < 100


@SHIPPED
def test_figures_are_those_that_a_loaded_model_has(model):
    content = model.path.read_bytes()
    found, anatomy = inspect_model(content), dissect(load(content))
    (graph,) = found.graphs
    assert found.number_format == anatomy.number_format
    assert graph.parameters == anatomy.parameters
    assert graph.multiply_adds == anatomy.multiply_adds == model.card.multiply_adds
    assert graph.activation_bytes == anatomy.activation_bytes
    assert [operator.kind for operator in graph.operators] == model.card.operators
    assert graph.uncounted == []


@SHIPPED
def test_tensors_are_those_that_the_engine_sees(model, engine):
    content = model.path.read_bytes()
    interpreter, file = load(content, engine), TfliteFile(content)
    details = {told["index"]: told for told in interpreter.get_tensor_details()}
    for tensor in file.graphs[0].tensors:
        told = details[tensor.index]
        assert tensor.shape == told["shape"].tolist()
        assert tensor.dtype == np.dtype(told["dtype"]).name
        quantization = told["quantization_parameters"]
        assert tensor.quantization is not None
        assert tensor.quantization.scale == quantization["scales"].tolist()
        assert tensor.quantization.zero_point == quantization["zero_points"].tolist()
        assert tensor.size_bytes == np.prod(told["shape"]) * np.dtype(told["dtype"]).itemsize
        if tensor.buffer is not None:
            held = interpreter.get_tensor(tensor.index)
            np.testing.assert_array_equal(file.read_constant(tensor), held, strict=True)
    graph = file.graphs[0]
    assert graph.inputs == [told["index"] for told in interpreter.get_input_details()]
    assert graph.outputs == [told["index"] for told in interpreter.get_output_details()]


def test_channels_are_dequantized_with_their_own_scales():
    file = TfliteFile(MICRO)
    kernel = file.graphs[0].tensors[file.graphs[0].operators[1].inputs[1]]
    assert kernel.quantization is not None
    assert kernel.quantization.is_per_channel
    values = file.dequantize(kernel)
    for channel, scale in enumerate(kernel.quantization.scale):
        expected = file.read_constant(kernel)[channel] * scale
        np.testing.assert_allclose(values[channel], expected, rtol=1e-6)


def test_scales_that_do_not_fit_are_refused():
    file = TfliteFile(MICRO)
    kernel = file.graphs[0].tensors[file.graphs[0].operators[1].inputs[1]]
    with pytest.raises(ModelError, match=r"expected scales that fit shape .*, got 8 on axis 0$"):
        dequantize(np.zeros((3, 5, 5, 1), np.int8), kernel)


def test_what_is_computed_is_no_constant():
    file = TfliteFile(MICRO)
    with pytest.raises(ModelError, match="got one that is computed"):
        file.read_constant(file.graphs[0].tensors[file.graphs[0].inputs[0]])


def test_lifetimes_are_those_of_a_chain():
    (graph,) = inspect_model(MICRO).graphs
    alive = {tensor.index: tensor.alive for tensor in graph.tensors}
    for time, operator in enumerate(graph.operators):
        assert alive[operator.inputs[0]][1] == time
        assert alive[operator.outputs[0]][0] == time
        both = [graph.tensors[i].size_bytes for i in (operator.inputs[0], operator.outputs[0])]
        assert operator.alive_bytes == sum(both)
    assert all((tensor.alive is None) == (tensor.role == "constant") for tensor in graph.tensors)


def test_damaged_files_are_errors_and_nothing_else():
    rng = np.random.default_rng(5)
    outcomes = {"refused": 0, "read": 0}
    for _ in range(1500):
        try:
            found = inspect_model(corrupt(MICRO, rng))
        except ModelError:
            outcomes["refused"] += 1
            continue
        json.dumps(dataclasses.asdict(found))
        assert sum(found.parts.values()) == found.size_bytes
        outcomes["read"] += 1
    assert min(outcomes.values()) > 100, outcomes


def build_crowd(count):
    """A file of `count` graphs of `count` tensors, which are one graph and one tensor."""
    model, graphs = 20, 28
    graph = graphs + 4 + 4 * count + 8
    tensors = graph + 8
    tensor = tensors + 4 + 4 * count + 4
    content = struct.pack("<I4s", model, b"TFL3")
    content += struct.pack("<HHHHHH", 10, 8, 0, 0, 4, 0) + struct.pack("<iI", 12, 4)
    content += struct.pack("<I", count)
    content += b"".join(
        struct.pack("<I", graph - (graphs + 4 + 4 * place)) for place in range(count)
    )
    content += struct.pack("<HHHH", 6, 8, 4, 0) + struct.pack("<iI", 8, 4)
    content += struct.pack("<I", count)
    content += b"".join(
        struct.pack("<I", tensor - (tensors + 4 + 4 * place)) for place in range(count)
    )
    return content + struct.pack("<HHi", 4, 4, 4) + bytes(40)


def test_file_that_refers_to_the_same_part_without_end_is_refused():
    (graph,) = inspect_model(build_crowd(1)).graphs
    assert len(graph.tensors) == 1
    with pytest.raises(ModelError, match=r"it is damaged: .*, got tables without end$"):
        inspect_model(build_crowd(3000))


def build_tensors_of_one_shape(count):
    """A file of one graph of `count` tensors, which are one tensor with a shape of `count` axes."""
    model, graph, tensors = 20, 44, 52
    tensor = tensors + 4 + 4 * count + 8
    content = struct.pack("<I4s", model, b"TFL3")
    content += struct.pack("<HHHHHH", 10, 8, 0, 0, 4, 0) + struct.pack("<iI", 12, 4)
    content += struct.pack("<II", 1, graph - 32)
    content += struct.pack("<HHHH", 6, 8, 4, 0) + struct.pack("<iI", 8, 4)
    content += struct.pack("<I", count)
    content += b"".join(
        struct.pack("<I", tensor - (tensors + 4 + 4 * place)) for place in range(count)
    )
    content += struct.pack("<HHHH", 6, 8, 4, 0) + struct.pack("<iI", 8, 4)
    return content + struct.pack(f"<I{count}i", count, *[1] * count) + bytes(40)


def test_file_that_has_the_same_list_read_without_end_is_refused():
    (graph,) = inspect_model(build_tensors_of_one_shape(2)).graphs
    assert [tensor.shape for tensor in graph.tensors] == [[1, 1], [1, 1]]
    with pytest.raises(ModelError, match=r"it is damaged: .*, got the same bytes without end$"):
        inspect_model(build_tensors_of_one_shape(2000))


def test_scale_that_is_no_number_is_refused():
    scale = struct.pack("<f", inspect_model(MICRO).graphs[0].tensors[0].quantization.scale[0])
    assert MICRO.count(scale) >= 1
    with pytest.raises(ModelError, match=r"it is damaged: scale: expected numbers, got \[inf\]$"):
        inspect_model(MICRO.replace(scale, struct.pack("<f", np.inf)))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is too short"),
        (bytes(1000), "it is not a .tflite file"),
        (struct.pack("<I4s", 900, b"TFL3") + bytes(1000), "it is damaged: expected at least one"),
        (MICRO[:2000], "it is damaged: expected parts inside 2000 bytes"),
    ],
)
def test_other_files_are_refused(content, told):
    with pytest.raises(ModelError) as error:
        inspect_model(content)
    assert str(error.value).startswith(told)
