"""Weights that are at hand without their batch normalisation, taken into a network that has it.

An export holds each convolution with its batch normalisation folded in. To go on with the training
as it was, and to quantize what comes of it like any run, the normalisation is put back: with the
mean and deviation that its channels really have, and a scale and shift that undo them.
"""

from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from edge_mnist.errors import ModelError
from edge_mnist.training.architectures import ARCHITECTURES, build

layers = tf_keras.layers

# Logits that come out by another order of the same arithmetic differ by less, as a share of the
# largest.
MAX_DEVIATION = 1e-3


def adopt(plain: Any, images: NDArray[np.uint8], hint: str | None = None) -> Any:
    """Return a network of a known architecture that gives the logits of another.

    Args:
        plain: A tf_keras model of convolutions and dense layers with biases, from
            `quantization.rebuild`.
        images: uint8 [N, 28, 28], a few hundred digits to measure its channels on.
        hint: The architecture's name, if it is known.

    Returns:
        A tf_keras functional model as from `architectures.build`, named after its architecture.

    Raises:
        ModelError: If it is of no known architecture.
    """
    batch = images[..., None].astype(np.float32) / 255
    weights = [layer.get_weights() for layer in plain.layers if layer.get_weights()]
    expected = plain(batch, training=False).numpy()
    names = sorted(ARCHITECTURES, key=lambda name: name != hint)
    for name in names:
        model = build(name)
        if _fill(model, weights, batch):
            deviation = np.abs(model(batch, training=False).numpy() - expected).max()
            if deviation <= MAX_DEVIATION * np.abs(expected).max():
                return model
    shapes = ", ".join("x".join(map(str, kernel.shape)) for kernel, *_ in weights)
    raise ModelError(
        "the model cannot be trained further",
        expected=f"a network of one of the architectures {', '.join(ARCHITECTURES)}",
        got=f"one with kernels of {shapes}",
        remedy="add its layers to ARCHITECTURES in edge_mnist/training/architectures.py",
    )


def weighted_layers(model: Any) -> list[Any]:
    """Return the convolutions and dense layers of a model, in order."""
    return [layer for layer in model.layers if isinstance(layer, layers.Conv2D | layers.Dense)]


def normalization_of(model: Any, layer: Any) -> Any:
    """Return the batch normalisation that directly follows a layer; None if none does."""
    follower = model.layers[model.layers.index(layer) + 1 :][:1]
    is_norm = follower and isinstance(follower[0], layers.BatchNormalization)
    return follower[0] if is_norm else None


def _fill(model: Any, weights: list[Any], batch: NDArray[np.float32]) -> bool:
    """Put kernels and biases into a model's layers; return whether they fit."""
    targets = weighted_layers(model)
    if [layer.kernel.shape for layer in targets] != [kernel.shape for kernel, *_ in weights]:
        return False
    for layer, (kernel, bias) in zip(targets, weights, strict=True):
        norm = normalization_of(model, layer)
        layer.set_weights([kernel] if norm else [kernel, bias])
        if norm is not None:
            values = tf_keras.Model(model.input, layer.output)(batch, training=False).numpy()
            mean, variance = values.mean(axis=(0, 1, 2)), values.var(axis=(0, 1, 2))
            scale = np.sqrt(variance + norm.epsilon)
            norm.set_weights([scale, bias + mean, mean, variance])
    return True
