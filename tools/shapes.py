"""Shapes of small networks: their notation, how one is drawn, and the budgets they keep to.

A shape is written as in 8@5s2-16@3v-gap: 8 filters 5x5 with stride 2, 16 filters 3x3 without
padding ("valid"), then the mean of each channel. All convolutions are batch-normalised and the ten
logits at the end go without saying.
"""

import re
from dataclasses import dataclass
from typing import Any

from edge_mnist.errors import TrainingError
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES
from edge_mnist.training.architectures import ARCHITECTURES, Conv, GlobalAverage

Shape = tuple[Conv | GlobalAverage, ...]

MIN_CONVS, MAX_CONVS = 2, 5
MIN_FILTERS, MAX_FILTERS = 4, 64
MIN_KERNEL, MAX_KERNEL = 2, 5
MAX_STRIDE = 2

# Batch normalisation has four numbers a channel.
NORM_PARAMETERS = 4

_CONV = re.compile(r"(?P<filters>\d+)@(?P<kernel>\d)(?:s(?P<stride>\d))?(?P<valid>v?)")


@dataclass(frozen=True)
class Budgets:
    """What a shape has to keep to before it is trained."""

    max_bytes: int
    max_multiply_adds: int
    min_bytes: int = 0  # smaller files are not worth the time


@dataclass(frozen=True)
class Costs:
    """What follows from a shape without building it."""

    parameters: int  # as Keras counts them
    multiply_adds: int  # of one inference


def known_shapes() -> list[str]:
    """Return the shapes of the shipped models, for a search to start from."""
    return [write_shape(ARCHITECTURES[name].layers) for name in ("pico", "nano", "micro", "small")]


def parse_shape(notation: str) -> Shape:
    """Return the shape of a notation.

    Raises:
        TrainingError: If it is none that `draw_shape` could draw.
    """
    parts = notation.removesuffix("-gap").split("-")
    matches = [match for part in parts if (match := _CONV.fullmatch(part))]
    convs = tuple(
        Conv(
            int(match["filters"]),
            int(match["kernel"]),
            int(match["stride"] or 1),
            "valid" if match["valid"] else "same",
            batch_norm=True,
        )
        for match in matches
    )
    filters = [conv.filters for conv in convs]
    if not (
        len(matches) == len(parts)
        and MIN_CONVS <= len(convs) <= MAX_CONVS
        and filters[0] >= MIN_FILTERS
        and filters[-1] <= MAX_FILTERS
        and filters == sorted(filters)
        and all(MIN_KERNEL <= conv.kernel <= MAX_KERNEL for conv in convs)
        and all(1 <= conv.stride <= MAX_STRIDE for conv in convs)
    ):
        raise TrainingError(
            "cannot read the shape",
            expected=f"{MIN_CONVS} to {MAX_CONVS} convolutions as in 8@5s2-16@3v or "
            f"8@5s2-16@3v-gap, {MIN_FILTERS} to {MAX_FILTERS} filters and never fewer than in the "
            f"layer before, kernels {MIN_KERNEL} to {MAX_KERNEL}, strides 1 to {MAX_STRIDE}",
            got=notation,
        )
    return (*convs, GlobalAverage()) if notation.endswith("-gap") else convs


def write_shape(shape: Shape) -> str:
    """Return a shape in notation."""
    parts = []
    for layer in shape:
        if isinstance(layer, GlobalAverage):
            parts.append("gap")
            continue
        stride = f"s{layer.stride}" if layer.stride > 1 else ""
        padding = "v" if layer.padding == "valid" else ""
        parts.append(f"{layer.filters}@{layer.kernel}{stride}{padding}")
    return "-".join(parts)


def draw_shape(trial: Any) -> Shape:
    """Draw a shape with an Optuna trial, no convolution with fewer filters than the one before.

    Every trial draws all five convolutions, used or not: Optuna breeds only the parameters that
    all trials have.
    """
    count = trial.suggest_int("convs", MIN_CONVS, MAX_CONVS)
    filters, kernels, strides, paddings = [], [], [], []
    for index in range(MAX_CONVS):
        filters.append(trial.suggest_int(f"filters{index}", MIN_FILTERS, MAX_FILTERS, log=True))
        kernels.append(trial.suggest_int(f"kernel{index}", MIN_KERNEL, MAX_KERNEL))
        strides.append(trial.suggest_int(f"stride{index}", 1, MAX_STRIDE))
        paddings.append(trial.suggest_categorical(f"padding{index}", ("same", "valid")))
    is_averaged = trial.suggest_categorical("average", (False, True))
    convs = [
        Conv(*properties, batch_norm=True)
        for properties in zip(sorted(filters[:count]), kernels, strides, paddings, strict=False)
    ]
    return (*convs, GlobalAverage()) if is_averaged else tuple(convs)


def to_parameters(shape: Shape) -> dict[str, Any]:
    """Return what `draw_shape` has to draw to give this shape; unused convolutions are left out."""
    convs = [layer for layer in shape if isinstance(layer, Conv)]
    parameters: dict[str, Any] = {"convs": len(convs), "average": len(convs) < len(shape)}
    for index, conv in enumerate(convs):
        parameters[f"filters{index}"] = conv.filters
        parameters[f"kernel{index}"] = conv.kernel
        parameters[f"stride{index}"] = conv.stride
        parameters[f"padding{index}"] = conv.padding
    return parameters


def count_costs(shape: Shape) -> Costs | None:
    """Return what a shape costs, or None if its convolutions use the picture up."""
    size, depth, parameters, multiply_adds = IMAGE_SIZE, 1, 0, 0
    for layer in shape:
        if isinstance(layer, GlobalAverage):
            size = 1
            continue
        size = size - layer.kernel + 1 if layer.padding == "valid" else size
        size = -(-size // layer.stride)
        if size < 1:
            return None
        weights = layer.kernel**2 * depth * layer.filters
        parameters += weights + NORM_PARAMETERS * layer.filters
        multiply_adds += size**2 * weights
        depth = layer.filters
    weights = size**2 * depth * NUM_CLASSES
    return Costs(parameters + weights + NUM_CLASSES, multiply_adds + weights)


def check_budgets(shape: Shape, budgets: Budgets) -> str | None:
    """Return why a shape is not to be trained, as far as that shows without converting it.

    A file has more bytes than its network has parameters: a weight is one, and the four numbers of
    a channel's normalisation become a bias of four.
    """
    costs = count_costs(shape)
    if costs is None:
        return "the picture is used up"
    if costs.multiply_adds > budgets.max_multiply_adds:
        return f"{costs.multiply_adds:,} multiply-adds"
    if costs.parameters > budgets.max_bytes:
        return f"{costs.parameters:,} parameters, so even more bytes"
    return None
