"""A tensor of a .tflite file, and what its numbers stand for."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import ModelError
from edge_mnist.flatbuffer import Table
from edge_mnist.tflite_schema import (
    SPARSE_INDEX_TYPES,
    TENSOR_TYPES,
    DimensionField,
    QuantizationField,
    SparsityField,
)

TYPE_BITS = dict(TENSOR_TYPES)


@dataclass(frozen=True)
class TensorQuantization:
    """What the numbers of a tensor stand for: (number - zero_point) * scale.

    Attributes:
        scale: One, or one for each channel.
        zero_point: As many.
        quantized_dimension: The axis of the channels; without a meaning if there is one scale.
    """

    scale: list[float]
    zero_point: list[int]
    quantized_dimension: int

    @property
    def is_per_channel(self) -> bool:
        """Whether channels have scales of their own."""
        return len(self.scale) > 1


@dataclass(frozen=True)
class FileTensor:
    """A tensor of a graph.

    Attributes:
        name: Empty if the file has none.
        shape: As stored; an axis that may change counts 1.
        shape_signature: The same with -1 for axes that may change; None if there are none.
        dtype: The type's name, in lower case.
        quantization: None for numbers that stand for themselves.
        buffer: Which of the file's buffers holds its values; None if they are computed.
        stored_bytes: How long that is, 0 without one: less than `size_bytes` if zeros are left out.
        is_variable: Whether it keeps its values from one run to the next.
    """

    index: int
    name: str
    shape: list[int]
    shape_signature: list[int] | None
    dtype: str
    quantization: TensorQuantization | None
    buffer: int | None
    stored_bytes: int
    is_variable: bool

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """The bytes that these take in memory; 0 for texts and handles, whose size is not fixed."""
        return (self.elements * TYPE_BITS.get(self.dtype, 0) + 7) // 8


def dequantize(values: NDArray[Any], tensor: FileTensor) -> NDArray[np.float32]:
    """Return what the numbers of a tensor stand for.

    Args:
        values: Of any type, in the tensor's shape.
        tensor: Whose they are.

    Returns:
        float32 of the same shape; numbers without a quantization stand for themselves.

    Raises:
        ModelError: If the scales do not fit the shape.
    """
    quantization = tensor.quantization
    if quantization is None:
        return values.astype(np.float32)
    along = [1] * values.ndim
    try:
        if quantization.is_per_channel:
            along[quantization.quantized_dimension] = -1
        scale = np.array(quantization.scale, np.float64).reshape(along)
        zero_point = np.array(quantization.zero_point, np.float64).reshape(along)
        stood_for: NDArray[np.float32] = ((values - zero_point) * scale).astype(np.float32)
    except (IndexError, ValueError) as exc:
        got = f"{len(quantization.scale)} on axis {quantization.quantized_dimension}"
        raise ModelError(
            f"tensor {tensor.index}", expected=f"scales that fit shape {tensor.shape}", got=got
        ) from exc
    return stood_for


def read_quantization(table: Table | None) -> TensorQuantization | None:
    """Return a tensor's quantization; None if it has none, or only ranges seen in training.

    Raises:
        ModelError: If the file is damaged.
    """
    if table is None:
        return None
    for field in (QuantizationField.MIN, QuantizationField.MAX):
        table.read_numbers(field, "f4")
    table.open_table(QuantizationField.DETAILS)
    scale = table.read_numbers(QuantizationField.SCALE, "f4")
    zero_point = table.read_numbers(QuantizationField.ZERO_POINT, "i8")
    axis = table.read_number(QuantizationField.QUANTIZED_DIMENSION)
    if scale is None or not scale.size:
        return None
    if not np.isfinite(scale).all():
        raise ModelError("it is damaged: scale", expected="numbers", got=str(scale.tolist()[:4]))
    points = [0] if zero_point is None else zero_point.tolist()
    if len(points) == 1:
        points *= scale.size
    return TensorQuantization(scale.astype(float).tolist(), points, axis)


def pass_over_sparsity(table: Table | None) -> None:
    """Read where a sparse tensor has numbers, for the count of what the file's bytes are for.

    Raises:
        ModelError: If the file is damaged.
    """
    if table is None:
        return
    for field in (SparsityField.TRAVERSAL_ORDER, SparsityField.BLOCK_MAP):
        table.read_numbers(field, "i4")
    for axis in table.open_tables(SparsityField.DIM_METADATA):
        for kind_field, field in (
            (DimensionField.ARRAY_SEGMENTS_TYPE, DimensionField.ARRAY_SEGMENTS),
            (DimensionField.ARRAY_INDICES_TYPE, DimensionField.ARRAY_INDICES),
        ):
            kind, places = axis.read_number(kind_field, "<B"), axis.open_table(field)
            if places is not None and 1 <= kind <= len(SPARSE_INDEX_TYPES):
                places.read_numbers(0, SPARSE_INDEX_TYPES[kind - 1])
