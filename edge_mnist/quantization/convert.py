"""From a Keras model to the bytes of a .tflite file.

Every format takes uint8 [1, 28, 28, 1], raw pixels from 0 to 255, so that all run with the same
code on a device; what the reader brings besides takes pictures of other sizes, too.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge_mnist.errors import ExportError
from edge_mnist.native_output import held_native_stderr
from edge_mnist.preprocessing import IMAGE_SIZE
from edge_mnist.quantization.slim import slim

INPUT_SHAPE = [1, IMAGE_SIZE, IMAGE_SIZE, 1]

# How many training images the ranges of post-training quantization are measured on; the ranges
# hardly move after a few hundred.
REPRESENTATIVE_IMAGES = 1000


def convert_int8(model: Any, representative: NDArray[np.uint8] | None) -> bytes:
    """Convert to int8 throughout, with uint8 in and out.

    Args:
        model: A tf_keras model; with its ranges in it if it comes from `qat.fine_tune`.
        representative: uint8 [N, height, width], training images to measure the ranges on, which
            tell what the model takes, too; None for a model of 28x28 pixels that has them.

    Returns:
        A .tflite file's content.

    Raises:
        ExportError: If TensorFlow cannot convert the model.
    """
    shape = INPUT_SHAPE if representative is None else [1, *representative.shape[1:], 1]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])  # type: ignore[untyped-decorator]
    def infer(image: Any) -> Any:
        return model(image, training=False)

    converter = _create_converter(infer, model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if representative is not None:
        converter.representative_dataset = lambda: _scale_each(representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8
    return _convert(converter)


def convert_float(model: Any, number_format: str) -> bytes:
    """Convert with float arithmetic, for comparison with int8.

    Args:
        model: A tf_keras model.
        number_format: float32; float16 for the weights; or dynamic for int8 weights.

    Returns:
        A .tflite file's content; it takes uint8 and gives float32.

    Raises:
        ExportError: If TensorFlow cannot convert the model.
    """

    @tf.function(input_signature=[tf.TensorSpec(INPUT_SHAPE, tf.uint8)])  # type: ignore[untyped-decorator]
    def infer(image: Any) -> Any:
        return model(tf.cast(image, tf.float32) / 255.0, training=False)

    converter = _create_converter(infer, model)
    if number_format != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if number_format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    # Scales by channel in dense layers make an operator version that tflite-runtime 2.14 lacks.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return _convert(converter)


def _create_converter(infer: Any, model: Any) -> Any:
    return tf.lite.TFLiteConverter.from_concrete_functions(
        [infer.get_concrete_function()], trackable_obj=model
    )


def _convert(converter: Any) -> bytes:
    try:
        with held_native_stderr(), _silent_logger():
            return slim(converter.convert())
    # The converter raises its own, unexported types from several layers.
    except Exception as exc:
        raise ExportError("TensorFlow cannot convert the model", got=str(exc)[:300]) from exc


@contextmanager
def _silent_logger() -> Iterator[None]:
    """Keep TensorFlow's logger from telling of its temporary files; in notebooks it uses stdout."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _scale_each(images: NDArray[np.uint8]) -> Iterator[list[NDArray[np.float32]]]:
    for image in images:
        yield [image[None, ..., None].astype(np.float32) / 255]
