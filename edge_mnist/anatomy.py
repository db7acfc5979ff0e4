"""What a model consists of, read from its file by an interpreter that has loaded it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# Where each operator with weights has them among its inputs, and its biases after that
# (TensorFlow Lite's builtin operators).
WEIGHTS_INPUT = {
    "CONV_2D": 1,
    "DEPTHWISE_CONV_2D": 1,
    "FULLY_CONNECTED": 1,
    "TRANSPOSE_CONV": 1,
}
DELEGATE = "DELEGATE"  # what an engine puts in for the operators that its delegate takes over


@dataclass(frozen=True)
class Operator:
    """One operator of the graph."""

    name: str
    output_shape: list[int]
    parameters: int
    multiply_adds: int  # of one inference
    share: float  # of all multiply-adds, 0 to 1


@dataclass(frozen=True)
class Anatomy:
    """What a model consists of.

    Attributes:
        number_format: int8, float16, dynamic or float32.
        parameters: Weights and biases in the file, batch normalisation folded into them.
        activation_bytes: The most that is alive at once while the operators run in order: what a
            tensor arena needs at least, without what an interpreter keeps in it of its own.
    """

    number_format: str
    parameters: int
    multiply_adds: int
    activation_bytes: int
    operators: list[Operator]


def dissect(interpreter: Any) -> Anatomy:
    """Return what a loaded model consists of.

    Args:
        interpreter: An engine's Interpreter, its tensors allocated.
    """
    # The interpreters have no public list of operators; both have had this one since 2.4.
    operations = [op for op in interpreter._get_ops_details() if op["op_name"] != DELEGATE]
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    counted = [count_operator(operation, tensors) for operation in operations]
    total = sum(multiply_adds for _, multiply_adds in counted)
    operators = [
        Operator(
            name=operation["op_name"],
            output_shape=tensors[operation["outputs"][0]]["shape"].tolist(),
            parameters=parameters,
            multiply_adds=multiply_adds,
            share=multiply_adds / total if total else 0.0,
        )
        for operation, (parameters, multiply_adds) in zip(operations, counted, strict=True)
    ]
    source = interpreter.get_input_details()[0]["index"]
    return Anatomy(
        number_format=_tell_format(operations, tensors),
        parameters=sum(parameters for parameters, _ in counted),
        multiply_adds=total,
        activation_bytes=_peak_activation_bytes(operations, tensors, source),
        operators=operators,
    )


def count_operator(operation: Mapping[str, Any], tensors: Mapping[int, Any]) -> tuple[int, int]:
    """Return an operator's parameters and multiply-adds; 0 for one without weights.

    Args:
        operation: Its `op_name`, `inputs` and `outputs`, as interpreters tell them.
        tensors: The graph's, by index, each with its `shape`: an array.
    """
    place = WEIGHTS_INPUT.get(operation["op_name"])
    if place is None:
        return 0, 0
    # A transposed convolution has its input behind the weights.
    source = operation["inputs"][2] if operation["op_name"] == "TRANSPOSE_CONV" else None
    held = [
        tensors[index]["shape"]
        for index in operation["inputs"][place:]
        if index in tensors and index != source
    ]
    parameters = sum(math.prod(shape.tolist()) for shape in held)
    weights, output = held[0].tolist(), tensors[operation["outputs"][0]]["shape"].tolist()
    if operation["op_name"] == "FULLY_CONNECTED":
        return parameters, math.prod(weights) * math.prod(output) // weights[0]
    if operation["op_name"] == "DEPTHWISE_CONV_2D":  # weights [1, height, width, channels]
        return parameters, math.prod(output) * weights[1] * weights[2]
    # Weights [channels out, height, width, channels in]; a transposed one spreads its input.
    places = tensors[source]["shape"].tolist()[1:3] if source is not None else output[1:3]
    return parameters, math.prod(places) * math.prod(weights)


def _tell_format(operations: list[dict[str, Any]], tensors: dict[int, Any]) -> str:
    """Return how the first operator with weights holds its numbers."""
    # float16 weights are made float32 by operators of their own.
    made_from = {
        int(operation["outputs"][0]): int(operation["inputs"][0])
        for operation in operations
        if operation["op_name"] == "DEQUANTIZE"
    }
    for operation in operations:
        place = WEIGHTS_INPUT.get(operation["op_name"])
        if place is not None:
            held = int(operation["inputs"][place])
            weights = np.dtype(tensors[made_from.get(held, held)]["dtype"]).name
            output = np.dtype(tensors[operation["outputs"][0]]["dtype"]).name
            return "dynamic" if weights == "int8" and output == "float32" else weights
    return "float32"


def _peak_activation_bytes(
    operations: list[dict[str, Any]], tensors: dict[int, Any], source: int
) -> int:
    """Return the bytes of the activations that are alive at once, at the operator with the most."""
    born = {source: -1}
    dies = {source: -1}
    for time, operation in enumerate(operations):
        for index in operation["inputs"]:
            if int(index) in born:
                dies[int(index)] = time
        for index in operation["outputs"]:
            born[int(index)] = dies[int(index)] = time
    sizes = {
        index: math.prod(tensors[index]["shape"].tolist())
        * np.dtype(tensors[index]["dtype"]).itemsize
        for index in born
        if index in tensors
    }
    alive = (
        sum(size for index, size in sizes.items() if born[index] <= time <= dies[index])
        for time in range(len(operations))
    )
    return max(alive, default=0)
