"""Random variations of the training images, as part of the compiled graph."""

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from edge_mnist.preprocessing import IMAGE_SIZE
from edge_mnist.training.config import Augmentation

# Elastic distortion moves the knots of a grid this wide; what lies between follows smoothly. Four
# pixels apart is about the scale that Simard, Steinkraus and Platt found best ("Best practices for
# convolutional neural networks", ICDAR 2003: sigma 4 on 29x29).
ELASTIC_KNOTS = 7


@dataclass(frozen=True)
class _Draw:
    """Draws for a batch, a new stream of numbers each time that it is asked."""

    seed: Any
    count: Any

    def uniform(self, stream: int, limit: float) -> Any:
        """Return float32 [count] from -limit to limit."""
        return tf.random.stateless_uniform([self.count], self._seed_of(stream), -limit, limit)

    def share(self, stream: int, limit: float) -> Any:
        """Return float32 [count, 1, 1, 1] from 0 to limit: an amount for each image."""
        amounts = tf.random.stateless_uniform([self.count], self._seed_of(stream), 0.0, limit)
        return amounts[:, None, None, None]

    def normal(self, stream: int, size: int, channels: int) -> Any:
        """Return float32 [count, size, size, channels] of mean 0 and deviation 1."""
        shape = tf.stack([self.count, size, size, channels])
        return tf.random.stateless_normal(shape, self._seed_of(stream))

    def _seed_of(self, stream: int) -> Any:
        return tf.stack([self.seed[0] + stream * 1_000_003, self.seed[1]])


def augment(images: Any, config: Augmentation, seed: Any) -> Any:
    """Vary each image by amounts of its own: its geometry, its strokes, then its grey levels.

    A variation whose limit is 0 costs nothing.

    Args:
        images: float32 [N, 28, 28, 1] from 0 to 1.
        config: How far each variation goes.
        seed: int32 [2]; the same seed gives the same variations.

    Returns:
        float32 [N, 28, 28, 1] from 0 to 1; what came from outside the image was paper, 0, before
        its grey levels varied.
    """
    draw = _Draw(seed, tf.shape(images)[0])
    images = tf.clip_by_value(_move(images, config, draw), 0.0, 1.0)
    varied = tf.clip_by_value(_change_ink(images, config, draw), 0.0, 1.0)
    if config.plain > 0:
        varied = tf.where(draw.share(14, 1.0) < config.plain, images, varied)
    return varied


def _move(images: Any, config: Augmentation, draw: _Draw) -> Any:
    """Rotate, shear, scale, shift and distort."""
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
    x0 = middle - a * middle - b * middle + shift_x
    y0 = middle - c * middle - d * middle + shift_y
    if config.elastic_px > 0:
        grid = tf.range(IMAGE_SIZE, dtype=tf.float32)
        columns, rows = grid[None, None, :], grid[None, :, None]
        offsets = config.elastic_px * draw.normal(13, ELASTIC_KNOTS, 2)
        offsets = tf.image.resize(offsets, [IMAGE_SIZE, IMAGE_SIZE], "bicubic")
        a, b, c, d, x0, y0 = (value[:, None, None] for value in (a, b, c, d, x0, y0))
        return _sample(
            images,
            a * columns + b * rows + x0 + offsets[..., 0],
            c * columns + d * rows + y0 + offsets[..., 1],
        )
    zeros = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, x0, c, d, y0, zeros, zeros], axis=1),
        output_shape=tf.constant([IMAGE_SIZE, IMAGE_SIZE]),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def _change_ink(images: Any, config: Augmentation, draw: _Draw) -> Any:
    """Vary strokes, sharpness and grey levels."""
    if config.stroke > 0:
        images = _change_stroke(images, draw.uniform(6, config.stroke)[:, None, None, None])
    if config.low_resolution > 0:
        images = _mix(images, _coarsen(images), draw.share(7, config.low_resolution))
    if config.blur > 0:
        images = _mix(images, _blur(images), draw.share(8, config.blur))
    if config.gamma > 0:
        exponents = tf.exp(draw.uniform(9, config.gamma))[:, None, None, None]
        images = tf.pow(images + 1e-6, exponents)
    if config.contrast > 0:
        images = _mix(images, 0.5, draw.share(10, config.contrast))
    if config.noise > 0:
        images += draw.share(11, config.noise) * draw.normal(12, IMAGE_SIZE, 1)
    return images


def _sample(images: Any, x: Any, y: Any) -> Any:
    """Return the images' values at x and y, float32 [N, 28, 28] in pixels, 0 outside of them."""
    # A border of one zero pixel on each side is what any coordinate outside falls on.
    size = IMAGE_SIZE + 2
    padded = tf.reshape(tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]]), [-1, size * size])
    x, y = (tf.clip_by_value(value + 1, 0.0, size - 1.001) for value in (x, y))
    left, top = tf.floor(x), tf.floor(y)
    right_share, bottom_share = x - left, y - top
    corner = tf.cast(top * size + left, tf.int32)

    def take(offset: int) -> Any:
        return tf.gather(padded, corner + offset, batch_dims=1)

    upper = take(0) * (1 - right_share) + take(1) * right_share
    lower = take(size) * (1 - right_share) + take(size + 1) * right_share
    return (upper * (1 - bottom_share) + lower * bottom_share)[..., None]


def _change_stroke(images: Any, amounts: Any) -> Any:
    """Thicken by grey dilation where an amount is above 0, thin by erosion where it is below."""
    thick = tf.nn.max_pool2d(images, 3, 1, "SAME")
    thin = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
    return images + tf.nn.relu(amounts) * (thick - images) + tf.nn.relu(-amounts) * (thin - images)


def _blur(images: Any) -> Any:
    """Blur by a Gaussian of 1 pixel: 1 4 6 4 1 in both directions."""
    line = tf.constant([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    rows = tf.nn.conv2d(images, line[:, None, None, None], 1, "SAME")
    return tf.nn.conv2d(rows, line[None, :, None, None], 1, "SAME")


def _coarsen(images: Any) -> Any:
    """Bring to a third of the resolution and back: 10x10 cells of three pixels."""
    cells = tf.nn.avg_pool2d(tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]]), 3, 3, "VALID")
    smooth = tf.image.resize(cells, [IMAGE_SIZE + 2, IMAGE_SIZE + 2], "bilinear")
    return smooth[:, 1:-1, 1:-1]


def _mix(images: Any, others: Any, share: Any) -> Any:
    return images + share * (others - images)
