"""`edge-mnist inspect`."""

import dataclasses
from typing import Annotated

import typer

from edge_mnist.cli.console import JsonOption, format_percent, print_result, render_table
from edge_mnist.errors import ModelError
from edge_mnist.inspection import (
    InspectedGraph,
    InspectedOperator,
    InspectedTensor,
    Inspection,
    inspect_model,
)
from edge_mnist.model_store import find_model
from edge_mnist.tflite_tensor import TensorQuantization

ABSENT = "-"
OPERATOR_HEADER = (
    "operator",
    "in",
    "out",
    "shape",
    "type",
    "parameters",
    "bytes",
    "multiply-adds",
    "alive bytes",
)
TENSOR_HEADER = ("tensor", "role", "shape", "type", "quantization", "bytes", "alive", "name")


def inspect(
    model: Annotated[
        str, typer.Argument(help="A .tflite file of any kind, or a shipped model's name.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Tell what each operator and each byte of a .tflite file costs; nothing is run.

    Example: edge-mnist inspect micro
    """
    path = find_model(model)
    try:
        inspection = inspect_model(path.read_bytes())
    except ModelError as exc:
        raise ModelError(f"cannot inspect {path}: {exc}") from exc
    fields = {"file": str(path), **dataclasses.asdict(inspection)}
    print_result(fields, _render(path.name, inspection), as_json)


def _render(name: str, inspection: Inspection) -> str:
    first = inspection.graphs[0]
    facts = [
        f"{name}: {inspection.size_bytes:,} bytes, {inspection.number_format}, "
        f"{inspection.parameters:,} parameters, {first.multiply_adds:,} multiply-adds, "
        f"{first.activation_bytes:,} bytes of activations at once"
    ]
    if inspection.description:
        facts.append(f"made by: {inspection.description}")
    if inspection.metadata:
        facts.append(f"metadata: {', '.join(inspection.metadata)}")
    parts = [
        [part, f"{count:,}", format_percent(count / inspection.size_bytes)]
        for part, count in sorted(inspection.parts.items(), key=lambda item: -item[1])
    ]
    texts = ["\n".join(facts)]
    for number, graph in enumerate(inspection.graphs):
        if len(inspection.graphs) > 1:
            texts.append(f"graph {number}: {graph.name or 'without a name'}")
        texts += _render_graph(graph)
    return "\n\n".join([*texts, render_table(("the file's bytes", "bytes", "share"), parts)])


def _render_graph(graph: InspectedGraph) -> list[str]:
    operators = [_describe_operator(operator, graph) for operator in graph.operators]
    tensors = [_describe_tensor(tensor, graph) for tensor in graph.tensors]
    texts = [render_table(OPERATOR_HEADER, operators)] if operators else []
    if graph.uncounted:
        texts.append(f"multiply-adds not counted: {', '.join(graph.uncounted)}")
    return [*texts, render_table(TENSOR_HEADER, tensors)] if tensors else texts


def _describe_operator(operator: InspectedOperator, graph: InspectedGraph) -> list[str]:
    made = [graph.tensors[index] for index in operator.outputs]
    count = operator.multiply_adds
    return [
        operator.layer + (" (custom)" if operator.is_custom else ""),
        " ".join(str(index) if index >= 0 else ABSENT for index in operator.inputs) or ABSENT,
        " ".join(map(str, operator.outputs)) or ABSENT,
        " ".join(_render_shape(tensor) for tensor in made) or ABSENT,
        " ".join(tensor.dtype for tensor in made) or ABSENT,
        f"{operator.parameters:,}",
        f"{operator.weight_bytes:,}",
        "?" if count is None else f"{count:,}",
        f"{operator.alive_bytes:,}",
    ]


def _describe_tensor(tensor: InspectedTensor, graph: InspectedGraph) -> list[str]:
    last = max(len(graph.operators) - 1, 0)
    first, until = tensor.alive or (0, last)
    alive = f"{graph.operators[first].layer} to {graph.operators[until].layer}"
    return [
        str(tensor.index),
        tensor.role,
        _render_shape(tensor),
        tensor.dtype,
        _render_quantization(tensor.quantization),
        f"{tensor.size_bytes:,}",
        ABSENT if tensor.alive is None else alive,
        tensor.name or ABSENT,
    ]


def _render_shape(tensor: InspectedTensor) -> str:
    """Return a shape as 1x28x28x1, with a question mark for what may change."""
    sizes = tensor.shape_signature or tensor.shape
    return "x".join("?" if size < 0 else str(size) for size in sizes) or "scalar"


def _render_quantization(quantization: TensorQuantization | None) -> str:
    if quantization is None:
        return ABSENT
    scales, points = quantization.scale, set(quantization.zero_point)
    point = f"zero point {points.pop()}" if len(points) == 1 else "zero points by channel"
    if not quantization.is_per_channel:
        return f"scale {scales[0]:.4g}, {point}"
    axis = quantization.quantized_dimension
    span = f"{min(scales):.4g} to {max(scales):.4g}"
    return f"{len(scales)} channels (axis {axis}), scale {span}, {point}"
