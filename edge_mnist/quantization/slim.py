"""Taking out of a .tflite file what no interpreter reads to run it, and what it says twice."""

from typing import Any

import flatbuffers
from tensorflow.lite.tools import flatbuffer_utils

from edge_mnist.model_file import TFLITE_IDENTIFIER


def slim(content: bytes) -> bytes:
    """Return the model without names, descriptions, metadata and signatures.

    Its outputs are the same to the bit: operators, weights and quantization stay as they are.

    Args:
        content: A .tflite file's content.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    model.description = None
    model.metadata = None
    model.metadataBuffer = None
    model.signatureDefs = None
    for subgraph in model.subgraphs:
        subgraph.name = None
        for tensor in subgraph.tensors:
            tensor.name = None
            # A shape signature says which axes may change; these models' are all fixed.
            tensor.shapeSignature = None
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
