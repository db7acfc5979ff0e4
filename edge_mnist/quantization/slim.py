"""Taking out of a .tflite file what no interpreter reads to run it, and what it says twice."""

from typing import Any

import flatbuffers
import numpy as np
from tensorflow.lite.python.schema_py_generated import BuiltinOperator
from tensorflow.lite.tools import flatbuffer_utils

from edge_mnist.model_file import TFLITE_IDENTIFIER
from edge_mnist.tflite_schema import NO_TENSOR


def slim(content: bytes) -> bytes:
    """Return the model without names, descriptions, metadata, signatures and needless reshapes.

    Its outputs are the same to the bit: arithmetic, weights and quantization stay as they are.
    The quantization of biases stays too, though it follows from that of inputs and weights:
    without it ai-edge-litert's delegate leaves the convolutions alone.

    Args:
        content: A .tflite file's content.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    model.description = None
    model.metadata = None
    model.metadataBuffer = None
    model.signatureDefs = None
    for subgraph in model.subgraphs:
        _drop_flattening(model, subgraph)
        subgraph.name = None
        for tensor in subgraph.tensors:
            tensor.name = None
            # A shape signature says which axes may change; these models' are all fixed.
            tensor.shapeSignature = None
            # Only told apart from "any rank" by shapes that may change.
            tensor.hasRank = False
            _slim_quantization(tensor.quantization)
    _drop_unused_buffers(model)
    builder = _SharingBuilder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=TFLITE_IDENTIFIER)
    return bytes(builder.Output())


class _SharingBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """Writes equal vectors once: the format lets any number of tables point to one.

    Most are the zero points of per-channel weights and their biases: a row of zeros, eight bytes
    each.
    """

    def __init__(self, initial_size: int) -> None:
        super().__init__(initial_size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: Any) -> int:  # noqa: N802 - the library's name
        key = (str(x.dtype), x.tobytes())
        if key not in self._written:
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]


def _drop_flattening(model: Any, subgraph: Any) -> None:
    """Leave out reshapes in front of fully connected layers: those flatten what they get."""
    kinds = [model.operatorCodes[op.opcodeIndex].builtinCode for op in subgraph.operators]
    for index, reshape in reversed(list(enumerate(subgraph.operators[:-1]))):
        following = subgraph.operators[index + 1]
        flat = reshape.outputs[0]
        is_flattening = (
            kinds[index : index + 2] == [BuiltinOperator.RESHAPE, BuiltinOperator.FULLY_CONNECTED]
            and following.inputs[0] == flat
            and not following.builtinOptions.keepNumDims
            and sum(flat in op.inputs for op in subgraph.operators) == 1
            and flat not in subgraph.outputs
        )
        if is_flattening:
            following.inputs = np.array([reshape.inputs[0], *following.inputs[1:]], np.int32)
            del subgraph.operators[index]
    _renumber(model, subgraph)


def _renumber(model: Any, subgraph: Any) -> None:
    """Leave out tensors and operator codes that nothing refers to."""
    parts = [subgraph, *subgraph.operators]
    used = {
        int(tensor) for part in parts for side in (part.inputs, part.outputs) for tensor in side
    }
    kept = sorted(used - {NO_TENSOR})
    places = {old: new for new, old in enumerate(kept)} | {NO_TENSOR: NO_TENSOR}
    subgraph.tensors = [subgraph.tensors[index] for index in kept]
    for part in parts:
        part.inputs = np.array([places[int(tensor)] for tensor in part.inputs], np.int32)
        part.outputs = np.array([places[int(tensor)] for tensor in part.outputs], np.int32)
    codes = sorted({op.opcodeIndex for op in subgraph.operators})
    model.operatorCodes = [model.operatorCodes[code] for code in codes]
    for op in subgraph.operators:
        op.opcodeIndex = codes.index(op.opcodeIndex)


def _slim_quantization(quantization: Any) -> None:
    if quantization is not None:
        # Ranges seen in training; the scale and zero point made of them are what counts.
        quantization.min = None
        quantization.max = None


def _drop_unused_buffers(model: Any) -> None:
    """Leave out buffers that no tensor uses, and let all tensors without content share one.

    The schema reserves buffer 0 as the empty one.
    """
    kept = [model.buffers[0]]
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            buffer = model.buffers[tensor.buffer]
            is_empty = buffer.data is None or len(buffer.data) == 0
            if is_empty:
                tensor.buffer = 0
            else:
                kept.append(buffer)
                tensor.buffer = len(kept) - 1
    model.buffers = kept
