"""Grad-CAM: where a convolution saw what speaks for a digit.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", 2017: each map of the layer counts with the mean, over the map, of the gradient of
the digit's logit; what is left above zero of their sum is what speaks for the digit.
"""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from edge_mnist.explanation.results import GradCam


def compute_gradcam(
    model: Any, image: NDArray[np.uint8], digit: int, layer: Any, name: str | None = None
) -> GradCam:
    """Return Grad-CAM of one layer for one image.

    Args:
        model: A tf_keras model: float32 [N, 28, 28, 1] from 0 to 1 in; [N, 10] out: logits, or
            probabilities that a softmax makes of them at its end.
        image: uint8 [28, 28].
        digit: The digit to explain, 0 to 9.
        layer: One of the model's, with an output [N, height, width, channels].
        name: How the result calls it, in place of its own name.
    """
    both = tf_keras.Model(model.inputs, [layer.output, _find_logits(model)])
    batch = tf.constant(image[None, ..., None].astype(np.float32) / 255)
    with tf.GradientTape() as tape:
        maps, logits = both(batch, training=False)
        score = logits[0, digit]
    gradient = tape.gradient(score, maps)
    weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1))[0].numpy()
    return GradCam(layer.name if name is None else name, digit, heat.astype(np.float32))


def _find_logits(model: Any) -> Any:
    """Return what the softmax at the end of a model is made of; without one, the outputs."""
    last = model.layers[-1]
    if isinstance(last, tf_keras.layers.Softmax):
        return last.input
    if getattr(last, "activation", None) is tf_keras.activations.softmax:
        linear = type(last).from_config(last.get_config() | {"activation": None})
        logits = linear(last.input)
        linear.set_weights(last.get_weights())
        return logits
    return model.output
