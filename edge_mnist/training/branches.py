"""Convolutions that are trained as sums of several, and merged into one each at the end.

Each branch has a batch normalisation of its own, so that their sum learns otherwise than a single
convolution does, although it can express no more. Ding et al., "RepVGG: Making VGG-style ConvNets
Great Again", CVPR 2021; branches of one size as in Vasu et al., "MobileOne: An Improved One
millisecond Mobile Backbone", CVPR 2023. The trained network has not a byte more. What it gives is
in benchmarks/results/branches.md.
"""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

layers = tf_keras.layers

# Images that a merged network's statistics are measured on: each gives a value by position, so
# that a few are enough.
STATISTICS_IMAGES = 1000


class BranchSum(tf_keras.layers.Layer):  # type: ignore[misc]
    """Adds up branches: [N, height, width, branches * filters] to [N, height, width, filters]."""

    def __init__(self, branches: int) -> None:
        super().__init__()
        self.branches = branches

    def call(self, tensor: Any) -> Any:
        """Return the sum of the branches, whose filters stand one after the other."""
        return tf.add_n(tf.split(tensor, self.branches, axis=-1))


def normalize(tensor: Any, branches: int) -> Any:
    """Normalise what a convolution gives, each branch for itself, and add the branches up.

    Args:
        tensor: [N, height, width, branches * filters], of a convolution without biases.
        branches: How many; 1 is plain batch normalisation.

    Returns:
        [N, height, width, filters], whose variance starts at about 1 with branches as without.
    """
    if branches == 1:
        return layers.BatchNormalization()(tensor)
    even = tf_keras.initializers.Constant(branches**-0.5)
    return BranchSum(branches)(layers.BatchNormalization(gamma_initializer=even)(tensor))


def merge_branches(model: Any, plain: Any, images: NDArray[np.uint8]) -> None:
    """Give a network of single convolutions the weights with which it computes the same.

    Args:
        model: A trained network, from `architectures.build` with branches.
        plain: One of the same architecture without.
        images: uint8 [N, 28, 28] like those that it was trained on: batch normalisation's
            statistics are of them, for whoever trains it further.
    """
    pairs = list(zip(_find_weighted(model), _find_weighted(plain), strict=True))
    merged = []
    for (trained, own), (norm, own_norm) in zip(pairs, [*pairs[1:], (None, None)], strict=True):
        if isinstance(own_norm, layers.BatchNormalization):
            kernel, bias = _merge(trained, norm, own.filters)
            own.set_weights([kernel])
            _set_bias(own_norm, bias, mean=0.0, variance=1.0)
            merged.append((own, own_norm, bias))
        elif not isinstance(own, layers.BatchNormalization):
            own.set_weights(trained.get_weights())
    probe = tf_keras.Model(plain.input, [convolution.output for convolution, _, _ in merged])
    outputs = probe(images[:STATISTICS_IMAGES, ..., None].astype(np.float32) / 255, training=False)
    for (_, norm, bias), output in zip(merged, outputs, strict=True):
        mean, variance = tf.nn.moments(output, axes=(0, 1, 2))
        _set_bias(norm, bias, mean.numpy(), variance.numpy())


def _find_weighted(model: Any) -> list[Any]:
    return [layer for layer in model.layers if layer.weights]


def _merge(
    convolution: Any, norm: Any, filters: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the kernel and the bias of one convolution in place of the branches of another."""
    (kernel,) = convolution.get_weights()
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)

    def add_up(values: NDArray[np.float32]) -> NDArray[np.float32]:
        by_branch = values.reshape(*values.shape[:-1], -1, filters)
        return np.asarray(by_branch.sum(axis=-2), np.float32)

    return add_up(kernel * scale), add_up(beta - mean * scale)


def _set_bias(norm: Any, bias: Any, mean: Any, variance: Any) -> None:
    """Let a batch normalisation add a bias and nothing else, whatever its statistics are."""
    ones = np.ones_like(bias)
    gamma = ones * np.sqrt(variance + norm.epsilon)
    norm.set_weights([gamma, bias + mean, ones * mean, ones * variance])
