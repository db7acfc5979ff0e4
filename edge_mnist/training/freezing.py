"""Layers that stay as they are while others are trained."""

from typing import Any

from edge_mnist.errors import TrainingError
from edge_mnist.training.adoption import normalization_of, weighted_layers
from edge_mnist.training.architectures import layers


def name_layers(model: Any) -> dict[str, Any]:
    """Return a model's layers with weights by name: conv1, conv2, …, dense1, …, logits."""
    names: dict[str, Any] = {}
    weighted = weighted_layers(model)
    for layer in weighted[:-1]:
        kind = layers.Conv2D if isinstance(layer, layers.Conv2D) else layers.Dense
        number = 1 + sum(isinstance(other, kind) for other in names.values())
        names[f"{'conv' if kind is layers.Conv2D else 'dense'}{number}"] = layer
    names["logits"] = weighted[-1]
    return names


def choose_frozen(model: Any, freeze: str | None) -> tuple[str, ...]:
    """Return the names of the layers to freeze.

    Args:
        model: Whose.
        freeze: How many of the first, or names with commas between them; None for none.

    Raises:
        TrainingError: If there is no such layer, or nothing would be left to train.
    """
    names = list(name_layers(model))
    if not freeze:
        return ()
    wanted = names[: int(freeze)] if freeze.isdecimal() else [n.strip() for n in freeze.split(",")]
    is_known = set(wanted) <= set(names) and not (freeze.isdecimal() and int(freeze) > len(names))
    if not is_known or set(wanted) == set(names):
        raise TrainingError(
            "--freeze",
            expected=f"0 to {len(names) - 1}, or some of {', '.join(names)}",
            got=freeze,
        )
    return tuple(wanted)


def freeze(model: Any, names: tuple[str, ...]) -> None:
    """Keep layers and their batch normalisation as they are in training."""
    found = name_layers(model)
    for name in names:
        layer = found[name]
        layer.trainable = False
        norm = normalization_of(model, layer)
        if norm is not None:
            norm.trainable = False
