"""Pictures of what quantization does to a model."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from edge_mnist.agreement import Agreement
from edge_mnist.files import write_atomically
from edge_mnist.layer_noise import Layer

DPI = 150
BINS = 80
NUMBERS_A_BIN = 5  # at least, on average: bars of one or two tell nothing
GRID_COLUMNS = 8
GRID_ROWS = 4
# Blue and orange of Okabe and Ito's palette, which colour-blind people tell apart.
FLOAT_COLOR, INT8_COLOR = "#0072B2", "#D55E00"


def plot_layers(layers: Sequence[Layer], path: Path) -> None:
    """Draw the histograms of each layer's weights and activations, with the int8 range.

    Args:
        layers: What `run_layers` returned, at least one.
        path: Where the PNG goes.
    """
    figure = Figure(figsize=(9, 1.9 * len(layers)), layout="constrained")
    grid = figure.subplots(len(layers), 2, squeeze=False)
    for (weights, values), layer in zip(grid, layers, strict=True):
        factor = float(
            np.abs(layer.weights).max() / max(np.abs(layer.quantized_weights).max(), 1e-12)
        )
        _plot_histogram(weights, layer.weights, factor * layer.quantized_weights)
        _plot_histogram(values, layer.values, layer.quantized_values)
        for edge in layer.code_range:
            values.axvline(edge, color=INT8_COLOR, linestyle="--", linewidth=1)
        weights.set_title(f"{layer.name}: weights", fontsize=9)
        values.set_title(f"{layer.name}: gives out (dashed: int8's range)", fontsize=9)
    figure.supylabel("how many numbers", fontsize=9)
    grid[0][0].legend(["float", "int8"], fontsize=8)
    _save(figure, path)


def plot_disagreements(images: NDArray[np.uint8], readings: Agreement, path: Path) -> None:
    """Draw the images that the two models read differently.

    Args:
        images: uint8 [N, 28, 28], those that were compared.
        readings: What came of it; without disagreements there is a picture that says so.
        path: Where the PNG goes.
    """
    shown = readings.disagreements[: GRID_COLUMNS * GRID_ROWS]
    rows = max(-(-len(shown) // GRID_COLUMNS), 1)
    figure = Figure(figsize=(GRID_COLUMNS * 1.1, rows * 1.35 + 0.5), layout="constrained")
    total = len(readings.disagreements)
    figure.suptitle(
        f"Read differently: {total} of {readings.images:,} images"
        + (f", the first {len(shown)}" if total > len(shown) else ""),
        fontsize=10,
    )
    for place, one in enumerate(shown):
        axes = figure.add_subplot(rows, GRID_COLUMNS, place + 1)
        axes.imshow(images[one.index], cmap="gray_r", vmin=0, vmax=255)
        axes.set_title(f"{one.label}: float {one.first}, int8 {one.second}", fontsize=6)
        axes.axis("off")
    _save(figure, path)


def _plot_histogram(
    axes: Axes, values: NDArray[np.float32], quantized: NDArray[np.float32]
) -> None:
    low = float(min(values.min(), quantized.min()))
    high = float(max(values.max(), quantized.max()))
    bins = min(BINS, max(values.size // NUMBERS_A_BIN, 1))
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    for numbers, color in ((values, FLOAT_COLOR), (quantized, INT8_COLOR)):
        counts, _ = np.histogram(numbers, edges)
        axes.stairs(counts, edges, color=color, linewidth=1)
    axes.set_yscale("log")
    axes.tick_params(which="both", labelsize=7)


def _save(figure: Figure, path: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    write_atomically(path, content.getvalue())
