"""What each operator and each byte of a .tflite file costs: from the file alone, of any origin."""

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from edge_mnist.anatomy import WEIGHTS_INPUT, count_operator
from edge_mnist.errors import ModelError
from edge_mnist.tflite_file import FileGraph, FileOperator, TfliteFile
from edge_mnist.tflite_schema import NO_TENSOR
from edge_mnist.tflite_tensor import FileTensor, TensorQuantization

# Builtin operators that multiply and add, but not in a way that is counted here.
UNCOUNTED_KINDS = """
    BATCH_MATMUL BIDIRECTIONAL_SEQUENCE_LSTM BIDIRECTIONAL_SEQUENCE_RNN CALL CALL_ONCE CONV_3D
    CONV_3D_TRANSPOSE IF LSTM RFFT2D RNN STABLEHLO_COMPOSITE STABLEHLO_CONVOLUTION
    STABLEHLO_DOT_GENERAL SVDF UNIDIRECTIONAL_SEQUENCE_LSTM UNIDIRECTIONAL_SEQUENCE_RNN WHILE
"""
UNCOUNTED = frozenset(UNCOUNTED_KINDS.split())
# Integers without a scale are shapes and axes: no one learned them.
NOT_LEARNED = frozenset({"int32", "int64", "bool", "string"})


@dataclass(frozen=True)
class InspectedTensor:
    """One tensor of a graph.

    Attributes:
        role: constant, input, output, activation (what operators make), variable or unused.
        size_bytes: In memory; of a constant, in the file.
        alive: The first and the last operator while whose run it must be kept, counted from 0; the
            input is there from the start and the output to the end. None for what stands in the
            file, or is unused.
    """

    index: int
    name: str
    role: str
    shape: list[int]
    shape_signature: list[int] | None  # with -1 for axes that may change; None if none may
    dtype: str
    quantization: TensorQuantization | None
    size_bytes: int
    alive: tuple[int, int] | None


@dataclass(frozen=True)
class InspectedOperator:
    """One operator of a graph.

    Attributes:
        layer: A name that is its alone.
        inputs: Indices of tensors; -1 for one that it does without.
        parameters: Learned numbers among its constants.
        multiply_adds: Of one run; None where they are not counted.
        weight_bytes: Of its constants in the file.
        alive_bytes: All that must be in memory while it runs, without constants.
    """

    layer: str
    kind: str
    is_custom: bool
    inputs: list[int]
    outputs: list[int]
    parameters: int
    multiply_adds: int | None
    weight_bytes: int
    alive_bytes: int


@dataclass(frozen=True)
class InspectedGraph:
    """One graph of a file.

    Attributes:
        parameters: Learned numbers; those that operators share count once.
        multiply_adds: Of those operators that are counted.
        uncounted: The kinds of those that are not.
        activation_bytes: The most that is alive at once: what an arena needs at least, without the
            operators' own scratch space.
    """

    name: str
    inputs: list[int]
    outputs: list[int]
    parameters: int
    multiply_adds: int
    uncounted: list[str]
    activation_bytes: int
    operators: list[InspectedOperator]
    tensors: list[InspectedTensor]


@dataclass(frozen=True)
class Inspection:
    """A whole file.

    Attributes:
        parameters: Learned numbers of all graphs; those that are stored once count once.
        number_format: int8, float16, dynamic, float32 or another type: that of the first weights.
        parts: The file's bytes by what they are for; they sum up to `size_bytes`.
        graphs: The first is the one that is run; others are called by its operators.
    """

    size_bytes: int
    schema_version: int
    description: str
    metadata: list[str]
    parameters: int
    number_format: str
    parts: dict[str, int]
    graphs: list[InspectedGraph]


def inspect_model(content: bytes) -> Inspection:
    """Return what a .tflite file consists of.

    Args:
        content: The file's bytes: a model of any kind and origin.

    Raises:
        ModelError: If it is no .tflite file, or damaged.
    """
    file = TfliteFile(content)
    try:
        graphs = [_inspect_graph(graph) for graph in file.graphs]
    # What counting ends in where an operator lacks its inputs, or these have other axes.
    except (IndexError, KeyError, TypeError, ZeroDivisionError, ValueError) as exc:
        expected = "operators with the tensors that they need"
        raise ModelError("it is damaged", expected=expected, got=repr(exc)) from exc
    return Inspection(
        file.size_bytes,
        file.version,
        file.description,
        file.metadata,
        _count_parameters(file.graphs),
        _tell_format(file.graphs[0]),
        file.part_bytes,
        graphs,
    )


def _inspect_graph(graph: FileGraph) -> InspectedGraph:
    lives = _find_lives(graph)
    tensors = [_inspect_tensor(tensor, graph, lives) for tensor in graph.tensors]
    shapes = {tensor.index: {"shape": np.array(tensor.shape)} for tensor in graph.tensors}
    changes = [0] * (len(graph.operators) + 1)
    for tensor in tensors:
        if tensor.alive is not None and graph.operators:
            changes[tensor.alive[0]] += tensor.size_bytes
            changes[tensor.alive[1] + 1] -= tensor.size_bytes
    alive = list(accumulate(changes[:-1]))
    operators = [
        _inspect_operator(operator, graph, shapes, alive_bytes)
        for operator, alive_bytes in zip(graph.operators, alive, strict=True)
    ]
    return InspectedGraph(
        graph.name,
        graph.inputs,
        graph.outputs,
        _count_parameters([graph]),
        sum(operator.multiply_adds or 0 for operator in operators),
        sorted({operator.kind for operator in operators if operator.multiply_adds is None}),
        max(alive, default=0),
        operators,
        tensors,
    )


def _find_lives(graph: FileGraph) -> dict[int, tuple[int, int]]:
    """Return the first and last operator of each tensor that is no constant, by its index."""
    last = max(len(graph.operators) - 1, 0)
    lives = dict.fromkeys(graph.inputs, (0, 0))
    for time, operator in enumerate(graph.operators):
        for index in operator.inputs:
            if index in lives:
                lives[index] = (lives[index][0], time)
        for index in operator.outputs:
            lives[index] = (lives.get(index, (time, time))[0], time)
    for index in graph.outputs:
        if index in lives:
            lives[index] = (lives[index][0], last)
    for tensor in graph.tensors:
        if tensor.is_variable:
            lives[tensor.index] = (0, last)
    return {index: life for index, life in lives.items() if graph.tensors[index].buffer is None}


def _inspect_tensor(
    tensor: FileTensor, graph: FileGraph, lives: dict[int, tuple[int, int]]
) -> InspectedTensor:
    index = tensor.index
    roles = {
        "constant": tensor.buffer is not None,
        "variable": tensor.is_variable,
        "input": index in graph.inputs,
        "output": index in graph.outputs,
        "activation": index in lives,
    }
    role = next((name for name, applies in roles.items() if applies), "unused")
    return InspectedTensor(
        index,
        tensor.name,
        role,
        tensor.shape,
        tensor.shape_signature,
        tensor.dtype,
        tensor.quantization,
        tensor.size_bytes if tensor.buffer is None else tensor.stored_bytes,
        lives.get(index),
    )


def _inspect_operator(
    operator: FileOperator, graph: FileGraph, shapes: dict[int, Any], alive_bytes: int
) -> InspectedOperator:
    used = [graph.tensors[index] for index in set(operator.inputs) - {NO_TENSOR}]
    operation = {
        "op_name": operator.kind,
        "inputs": operator.inputs,
        "outputs": operator.outputs,
    }
    is_counted = not operator.is_custom and operator.kind not in UNCOUNTED
    return InspectedOperator(
        operator.layer,
        operator.kind,
        operator.is_custom,
        operator.inputs,
        operator.outputs,
        sum(map(_count_learned, used)),
        count_operator(operation, shapes)[1] if is_counted else None,
        sum(tensor.stored_bytes for tensor in used),
        alive_bytes,
    )


def _count_parameters(graphs: list[FileGraph]) -> int:
    """Return how many numbers were learned; those that are stored once count once."""
    by_buffer = {
        graph.tensors[index].buffer: _count_learned(graph.tensors[index])
        for graph in graphs
        for operator in graph.operators
        for index in operator.inputs
        if index != NO_TENSOR
    }
    return sum(by_buffer.values())


def _count_learned(tensor: FileTensor) -> int:
    is_learned = tensor.dtype not in NOT_LEARNED or tensor.quantization is not None
    return tensor.elements if tensor.buffer is not None and is_learned else 0


def _tell_format(graph: FileGraph) -> str:
    """Return how the first operator with weights holds its numbers."""
    # float16 weights are made float32 by operators of their own.
    made_from = {
        operator.outputs[0]: operator.inputs[0]
        for operator in graph.operators
        if operator.kind == "DEQUANTIZE" and operator.outputs and operator.inputs
    }
    for operator in graph.operators:
        place = WEIGHTS_INPUT.get(operator.kind)
        if place is not None:
            held = operator.inputs[place]
            weights = graph.tensors[made_from.get(held, held)].dtype
            output = graph.tensors[operator.outputs[0]].dtype
            return "dynamic" if weights == "int8" and output == "float32" else weights
    return "float32"
