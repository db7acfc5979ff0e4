"""What a .tflite file must be for edge-mnist to run it."""

from typing import Any

import numpy as np

from edge_mnist.errors import ModelError
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES

INPUT_SHAPE = (1, IMAGE_SIZE, IMAGE_SIZE, 1)

# A FlatBuffers file starts with the offset of its root and the format's identifier
# (flatbuffers.dev, "Internals"); TensorFlow Lite's is TFL3 (its schema.fbs).
TFLITE_IDENTIFIER = b"TFL3"
MIN_MODEL_BYTES = 64


def check_structure(content: bytes) -> None:
    """Refuse what is not a .tflite file, before an interpreter sees it.

    Raises:
        ModelError: If the size, the identifier or the root's offset is wrong.
    """
    if len(content) < MIN_MODEL_BYTES:
        raise ModelError("it is too short", expected="a .tflite file", got=f"{len(content)} bytes")
    if content[4:8] != TFLITE_IDENTIFIER:
        raise ModelError(
            "it is not a .tflite file", expected="TFL3 at byte 4", got=repr(content[4:8])
        )
    root = int.from_bytes(content[:4], "little")
    if not 8 <= root < len(content) - 4:
        raise ModelError(
            "it is damaged", expected=f"a root inside {len(content)} bytes", got=f"one at {root}"
        )


def check_interface(
    graph_input: dict[str, Any],
    graph_output: dict[str, Any],
    outputs: int = NUM_CLASSES,
    input_shape: tuple[int, ...] = INPUT_SHAPE,
) -> None:
    """Refuse a model that takes or gives something else than it should.

    Args:
        graph_input: What the interpreter tells of the input.
        graph_output: And of the output.
        outputs: How many values it has to give.
        input_shape: What it has to take: one image.

    Raises:
        ModelError: If the input is not uint8 of that shape, or the output not uint8 or float32
            [1, outputs].
    """
    shape, dtype = graph_input["shape"].tolist(), np.dtype(graph_input["dtype"]).name
    if shape != list(input_shape) or dtype != "uint8":
        raise ModelError(
            "it takes another input",
            expected=f"uint8 {list(input_shape)}",
            got=f"{dtype} {shape}",
            remedy="convert the Keras model it came from with edge-mnist quantize",
        )
    shape, dtype = graph_output["shape"].tolist(), np.dtype(graph_output["dtype"]).name
    if shape != [1, outputs] or dtype not in ("uint8", "float32"):
        raise ModelError(
            "it gives another output",
            expected=f"uint8 or float32 [1, {outputs}]",
            got=f"{dtype} {shape}",
            remedy="convert the Keras model it came from with edge-mnist quantize",
        )
