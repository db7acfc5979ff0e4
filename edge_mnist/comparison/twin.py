"""The float32 network of the same shape as a .tflite, in the files that other runtimes load."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from edge_mnist.errors import ExportError
from edge_mnist.files import make_beside, put_in_place, write_atomically
from edge_mnist.model_file import INPUT_SHAPE
from edge_mnist.native_output import held_native_stderr
from edge_mnist.quantization.convert import convert_float
from edge_mnist.quantization.rebuild import rebuild

layers = tf_keras.layers

KERAS_FILE = "twin.keras"
ONNX_FILE = "twin.onnx"
TFLITE_FILE = "twin.tflite"

# The oldest opset that has all these networks' operators as ONNX Runtime and OpenCV run them now.
ONNX_OPSET = 13


def write(content: bytes, folder: Path) -> None:
    """Write a model's twin in every format that can be written here.

    Args:
        content: A .tflite file's, of any number format.
        folder: Where twin.keras, twin.tflite (uint8 in, as all of edge-mnist's) and, if tf2onnx is
            installed, twin.onnx (float32 [1, 1, 28, 28] from 0 to 1 in) go.

    Raises:
        ModelError: If the network cannot be rebuilt.
        ExportError: If a conversion fails.
    """
    model = rebuild(content)
    write_atomically(folder / TFLITE_FILE, convert_float(model, "float32"))
    _save(model, folder / KERAS_FILE)
    try:
        import tf2onnx  # noqa: F401
    except ModuleNotFoundError:
        return  # the others can be compared without it
    write_atomically(folder / ONNX_FILE, convert_onnx(model))


def convert_onnx(model: Any) -> bytes:
    """Convert a Keras model to ONNX, with the channels first throughout.

    Args:
        model: A tf_keras functional model: a row of layers.

    Returns:
        An ONNX file's content; it takes float32 [1, 1, 28, 28] from 0 to 1.

    Raises:
        ExportError: If tf2onnx cannot convert the model.
    """
    import tf2onnx

    flat_first = _flatten_channels_first(model)
    signature = [tf.TensorSpec(INPUT_SHAPE, tf.float32, name="image")]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def infer(image: Any) -> Any:
        return flat_first(image, training=False)

    try:
        with held_native_stderr():
            proto, _ = tf2onnx.convert.from_function(
                infer, signature, opset=ONNX_OPSET, inputs_as_nchw=["image"]
            )
    # tf2onnx raises whatever one of its rewriters ends in.
    except Exception as exc:
        raise ExportError("tf2onnx cannot convert the model", got=str(exc)[:300]) from exc
    return bytes(proto.SerializeToString())


def _flatten_channels_first(model: Any) -> Any:
    """Return a model that flattens what a network with channels first has, with the same outputs.

    Else the converted network would have to bring its channels to the end at run time.
    """
    image = tensor = layers.Input(INPUT_SHAPE[1:])
    order = None
    for layer in model.layers[1:]:
        weights = layer.get_weights()
        if isinstance(layer, layers.Flatten) and len(tensor.shape) == 4:
            places = np.arange(int(np.prod(tensor.shape[1:]))).reshape(tensor.shape[1:])
            order = places.transpose(2, 0, 1).ravel()
            tensor = layers.Permute((3, 1, 2))(tensor)
        elif isinstance(layer, layers.Dense) and order is not None:
            weights[0] = weights[0][order]
            order = None
        copy = type(layer).from_config(layer.get_config())
        tensor = copy(tensor)
        copy.set_weights(weights)
    return tf_keras.Model(image, tensor)


def _save(model: Any, path: Path) -> None:
    temporary = make_beside(path)
    try:
        model.save(temporary)
        put_in_place(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
