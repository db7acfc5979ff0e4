"""Random variations of the training images, as part of the compiled graph."""

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from edge_mnist.preprocessing import IMAGE_SIZE
from edge_mnist.training.config import Augmentation


@dataclass(frozen=True)
class _Draw:
    """Uniform draws for a batch, a new stream each time it is asked."""

    seed: Any
    count: Any

    def uniform(self, stream: int, limit: float) -> Any:
        """Return float32 [count] from -limit to limit."""
        seed = tf.stack([self.seed[0] + stream * 1_000_003, self.seed[1]])
        return tf.random.stateless_uniform([self.count], seed, -limit, limit)


def augment(images: Any, config: Augmentation, seed: Any) -> Any:
    """Rotate, shear, scale and shift each image by an amount of its own.

    Args:
        images: float32 [N, 28, 28, 1].
        config: How far each variation goes.
        seed: int32 [2]; the same seed gives the same variations.

    Returns:
        float32 [N, 28, 28, 1], what came from outside the image is 0.
    """
    draw = _Draw(seed, tf.shape(images)[0])
    angle = draw.uniform(0, math.radians(config.rotation_deg))
    shear = draw.uniform(1, config.shear)
    scale_x = tf.exp(draw.uniform(2, config.zoom))
    scale_y = tf.exp(draw.uniform(3, config.zoom))
    shift_x = draw.uniform(4, config.shift_px)
    shift_y = draw.uniform(5, config.shift_px)
    # The transform maps output coordinates to input coordinates: rotate * shear * scale, about
    # the image's middle.
    cos, sin = tf.cos(angle), tf.sin(angle)
    a, b = cos / scale_x, (cos * shear - sin) / scale_y
    c, d = sin / scale_x, (sin * shear + cos) / scale_y
    middle = (IMAGE_SIZE - 1) / 2
    zeros = tf.zeros_like(a)
    transforms = tf.stack(
        [
            a,
            b,
            middle - a * middle - b * middle + shift_x,
            c,
            d,
            middle - c * middle - d * middle + shift_y,
            zeros,
            zeros,
        ],
        axis=1,
    )
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.constant([IMAGE_SIZE, IMAGE_SIZE]),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
