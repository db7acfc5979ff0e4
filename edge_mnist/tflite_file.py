"""What stands in a .tflite file: graphs, operators, tensors, constants, and bytes by purpose.

Nothing is run and no engine is needed: any model of any origin can be read, those too that no
engine on this machine would load.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import ModelError
from edge_mnist.flatbuffer import FlatBuffer, Table
from edge_mnist.model_file import check_structure
from edge_mnist.tflite_schema import (
    CUSTOM,
    OPERATORS,
    TENSOR_TYPES,
    BufferField,
    MetadataField,
    ModelField,
    OperatorCodeField,
    OperatorField,
    SignatureField,
    SubgraphField,
    TensorField,
)
from edge_mnist.tflite_tensor import FileTensor, dequantize, pass_over_sparsity, read_quantization

PADDING, WEIGHTS, QUANTIZATION = "padding", "weights", "quantization"
NAMES, METADATA, SIGNATURES, STRUCTURE = "names", "metadata", "signatures", "structure"
# What a file's bytes are for. Padding is what nothing refers to, nearly all of it for alignment.
PARTS = (PADDING, WEIGHTS, QUANTIZATION, NAMES, METADATA, SIGNATURES, STRUCTURE)

# A buffer's offset of 0 or 1 marks one that stands in the table itself.
LARGEST_NO_OFFSET = 1


@dataclass(frozen=True)
class FileOperator:
    """An operator of a graph.

    Attributes:
        layer: A name that is its alone: the kind in lower case, and which of that kind it is.
        kind: The builtin operator's name, or the custom one's.
        is_custom: Whether it is none of TensorFlow Lite's own.
        inputs: Indices of tensors, -1 for one that it does without.
        outputs: And of those that it makes.
    """

    layer: str
    kind: str
    is_custom: bool
    inputs: list[int]
    outputs: list[int]


@dataclass(frozen=True)
class FileGraph:
    """A graph: operators in the order they run in."""

    name: str
    inputs: list[int]
    outputs: list[int]
    operators: list[FileOperator]
    tensors: list[FileTensor]


class TfliteFile:
    """A file that has been read.

    Attributes:
        size_bytes: Of the file.
        version: Of the schema.
        description: What the converter wrote of itself.
        metadata: The names of its entries.
        graphs: The first is the one that is run.
        part_bytes: The file's bytes by what they are for.
    """

    def __init__(self, content: bytes) -> None:
        """Read it.

        Args:
            content: The file's bytes.

        Raises:
            ModelError: If it is no .tflite file, or damaged.
        """
        check_structure(content)
        self.size_bytes = len(content)
        flat = FlatBuffer(content, PARTS)
        model = flat.open_root(STRUCTURE)
        self.version = model.read_number(ModelField.VERSION, "<I")
        self.description = model.read_text(ModelField.DESCRIPTION, METADATA)
        entries = model.open_tables(ModelField.METADATA, METADATA)
        self.metadata = [entry.read_text(MetadataField.NAME) for entry in entries]
        indices = model.read_numbers(ModelField.METADATA_BUFFER, "i4", METADATA)
        told = {entry.read_number(MetadataField.BUFFER, "<I") for entry in entries}
        told |= set() if indices is None else set(indices.tolist())
        self._buffers = [
            _read_buffer(flat, table, METADATA if number in told else WEIGHTS)
            for number, table in enumerate(model.open_tables(ModelField.BUFFERS))
        ]
        kinds = [_read_kind(code) for code in model.open_tables(ModelField.OPERATOR_CODES)]
        for signature in model.open_tables(ModelField.SIGNATURES, SIGNATURES):
            _pass_over_signature(signature)
        subgraphs = model.open_tables(ModelField.SUBGRAPHS)
        self.graphs = [self._read_graph(subgraph, kinds) for subgraph in subgraphs]
        if not self.graphs:
            raise ModelError("it is damaged", expected="at least one graph", got="none")
        self.part_bytes = flat.count_bytes()

    def read_constant(self, tensor: FileTensor) -> NDArray[Any]:
        """Return what a constant holds, in its own type and shape.

        Raises:
            ModelError: If it is no constant, of a type that NumPy lacks, or not as its shape says.
        """
        content = None if tensor.buffer is None else self._buffers[tensor.buffer]
        try:
            if content is None:
                raise TypeError("one that is computed")
            # The format is little-endian on every machine.
            values = content.view(np.dtype(tensor.dtype).newbyteorder("<"))
            return values.reshape(tensor.shape)
        except (TypeError, ValueError) as exc:
            raise ModelError(
                f"tensor {tensor.index}",
                expected=f"constant numbers of shape {tensor.shape}",
                got=str(exc),
            ) from exc

    def dequantize(self, tensor: FileTensor) -> NDArray[np.float32]:
        """Return what a constant stands for, in its shape.

        Raises:
            ModelError: As `read_constant`, or if its scales do not fit it.
        """
        return dequantize(self.read_constant(tensor), tensor)

    def _read_graph(self, table: Table, kinds: list[tuple[str, bool]]) -> FileGraph:
        tensors = [
            self._read_tensor(tensor, index)
            for index, tensor in enumerate(table.open_tables(SubgraphField.TENSORS))
        ]
        places = range(len(tensors))
        counts: dict[str, int] = {}
        operators = []
        for operator in table.open_tables(SubgraphField.OPERATORS):
            code = operator.read_number(OperatorField.CODE, "<I")
            if code >= len(kinds):
                expected = f"below {len(kinds)}"
                raise ModelError(
                    "it is damaged: kind of operator", expected=expected, got=f"{code}"
                )
            kind, is_custom = kinds[code]
            counts[kind] = counts.get(kind, 0) + 1
            for field in (OperatorField.OPTIONS, OperatorField.OPTIONS_2):
                operator.open_table(field)
            operator.read_numbers(OperatorField.CUSTOM_OPTIONS, "u1")
            operator.read_numbers(OperatorField.INTERMEDIATES, "i4")
            operators.append(
                FileOperator(
                    f"{kind.lower()}_{counts[kind]}",
                    kind,
                    is_custom,
                    _read_indices(operator, OperatorField.INPUTS, places),
                    [i for i in _read_indices(operator, OperatorField.OUTPUTS, places) if i >= 0],
                )
            )
        return FileGraph(
            table.read_text(SubgraphField.NAME, NAMES),
            [i for i in _read_indices(table, SubgraphField.INPUTS, places) if i >= 0],
            [i for i in _read_indices(table, SubgraphField.OUTPUTS, places) if i >= 0],
            operators,
            tensors,
        )

    def _read_tensor(self, table: Table, index: int) -> FileTensor:
        number = table.read_number(TensorField.TYPE, "<b")
        buffer = table.read_number(TensorField.BUFFER, "<I")
        if buffer and buffer >= len(self._buffers):
            expected = f"below {len(self._buffers)}"
            raise ModelError("it is damaged: tensor's buffer", expected=expected, got=str(buffer))
        shape = _read_list(table, TensorField.SHAPE)
        signature = _read_list(table, TensorField.SHAPE_SIGNATURE)
        if min(shape, default=0) < 0:
            raise ModelError(
                "it is damaged: tensor's shape", expected="sizes of 0 or more", got=str(shape)
            )
        pass_over_sparsity(table.open_table(TensorField.SPARSITY, WEIGHTS))
        known = 0 <= number < len(TENSOR_TYPES)
        stored_bytes = self._buffers[buffer].size if buffer < len(self._buffers) else 0
        return FileTensor(
            index,
            table.read_text(TensorField.NAME, NAMES),
            shape,
            signature if min(signature, default=0) < 0 else None,
            TENSOR_TYPES[number][0] if known else f"type {number}",
            read_quantization(table.open_table(TensorField.QUANTIZATION, QUANTIZATION)),
            buffer if stored_bytes else None,
            stored_bytes,
            bool(table.read_number(TensorField.IS_VARIABLE, "<B")),
        )


def _read_kind(code: Table) -> tuple[str, bool]:
    """Return the name of a kind of operators, and whether it is a custom one."""
    # As TensorFlow Lite's own reader: whichever of the two numbers is the larger.
    older = code.read_number(OperatorCodeField.DEPRECATED_BUILTIN, "<b")
    number = max(older, code.read_number(OperatorCodeField.BUILTIN))
    custom = code.read_text(OperatorCodeField.CUSTOM_NAME, NAMES)
    kind = OPERATORS[number] if 0 <= number < len(OPERATORS) else f"OPERATOR_{number}"
    return (custom or CUSTOM, True) if kind == CUSTOM else (kind, False)


def _read_buffer(flat: FlatBuffer, table: Table, part: str) -> NDArray[np.uint8]:
    content = table.read_numbers(BufferField.CONTENT, "u1", part)
    if content is not None:
        return content
    start = table.read_number(BufferField.OFFSET, "<Q")
    size = table.read_number(BufferField.SIZE, "<Q")
    if start <= LARGEST_NO_OFFSET:
        return np.zeros(0, np.uint8)
    flat.claim(start, start + size, part)
    return np.frombuffer(flat.content, np.uint8, size, start)


def _pass_over_signature(signature: Table) -> None:
    signature.read_text(SignatureField.KEY)
    for field in (SignatureField.INPUTS, SignatureField.OUTPUTS):
        for entry in signature.open_tables(field):
            entry.read_text(SignatureField.TENSOR_NAME)


def _read_list(table: Table, field: int) -> list[int]:
    values = table.read_numbers(field, "i4")
    return [] if values is None else values.tolist()


def _read_indices(table: Table, field: int, places: range) -> list[int]:
    """Return a list of tensors; a negative one stands for none."""
    indices = _read_list(table, field)
    for index in indices:
        if index >= len(places):
            expected = f"below {len(places)}"
            raise ModelError("it is damaged: tensor", expected=expected, got=str(index))
    return indices
