"""Pictures of a training and of what a model does."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from edge_mnist.corruptions import CORRUPTIONS, STRENGTHS, choose_indices, corrupt
from edge_mnist.dataset import Dataset, Examples
from edge_mnist.evaluation import evaluate
from edge_mnist.files import write_atomically
from edge_mnist.preprocessing import NUM_CLASSES
from edge_mnist.training.history import EpochResult

GRID_COLUMNS = 8
GRID_ROWS = 4
SAMPLES = 4  # of each kind and strength of corruption
DPI = 120


def plot_run(
    folder: Path, history: list[EpochResult], dataset: Dataset, logits: NDArray[np.float32]
) -> None:
    """Draw a run's four pictures into its folder.

    Args:
        folder: Where history.png, confusion.png, samples.png and mistakes.png go.
        history: A line an epoch; with none, history.png is left out.
        dataset: What the model was measured on: the test images, or validation without them.
        logits: float32 [N, 10], the model's outputs on those images.
    """
    examples = dataset.validation if dataset.test is None else dataset.test
    predicted = logits.argmax(axis=1)
    if history:
        plot_history(history, folder / "history.png")
    plot_confusion(evaluate(predicted, examples.labels).confusion, folder / "confusion.png")
    first = np.arange(min(len(examples), GRID_COLUMNS * GRID_ROWS))
    _plot_grid(examples, predicted, first, "Predictions", folder / "samples.png")
    # The worst mistake is the one with the largest lead of the wrong digit over the right one.
    right = logits[np.arange(len(logits)), examples.labels]
    lead = logits.max(axis=1) - right
    worst = np.argsort(-lead)[: min(GRID_COLUMNS * GRID_ROWS, int((lead > 0).sum()))]
    _plot_grid(examples, predicted, worst, "Worst mistakes", folder / "mistakes.png")


def plot_history(history: list[EpochResult], path: Path) -> None:
    """Draw accuracy and loss of training and validation by epoch."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    epochs = [result.epoch for result in history]
    for index, (name, title) in enumerate((("accuracy", "Accuracy"), ("loss", "Loss"))):
        axes = figure.add_subplot(1, 2, index + 1)
        for prefix, label in (("", "training (augmented)"), ("val_", "validation")):
            values = [getattr(result, prefix + name) for result in history]
            axes.plot(epochs, values, marker=".", label=label)
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    _save(figure, path)


def plot_confusion(confusion: list[list[int]], path: Path) -> None:
    """Draw a confusion matrix: rows are labels, columns are what was read."""
    counts = np.array(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    axes = figure.add_subplot()
    # The root brings out the few mistakes beside the many hits.
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for row in range(NUM_CLASSES):
        for column in range(NUM_CLASSES):
            color = "white" if shares[row, column] > 0.4 else "black"
            if counts[row, column]:
                axes.text(
                    column, row, str(counts[row, column]), ha="center", va="center", color=color
                )
    axes.set(
        title="Confusion",
        xlabel="read as",
        ylabel="label",
        xticks=range(NUM_CLASSES),
        yticks=range(NUM_CLASSES),
    )
    _save(figure, path)


def plot_corruptions(examples: Examples, path: Path) -> None:
    """Draw samples of every kind of corruption: a row a kind, the strengths one after the other."""
    rows = [(kind, examples.take(choose_indices(examples, kind))) for kind in CORRUPTIONS]
    rows = [(kind, chosen) for kind, chosen in rows if len(chosen)]
    figure = Figure(figsize=(11, 0.55 * len(rows) + 0.6), layout="constrained")
    for place, (kind, chosen) in enumerate(rows):
        few = chosen.images[:SAMPLES]
        strips = [few, *(corrupt(few, kind, strength) for strength in STRENGTHS)]
        # One strip a column: its images side by side, with a gap of two pixels.
        gapped = [np.pad(strip, ((0, 0), (0, 0), (0, 2))) for strip in strips]
        for column, strip in enumerate(gapped):
            axes = figure.add_subplot(len(rows), len(strips), place * len(strips) + column + 1)
            axes.imshow(np.concatenate(list(strip), axis=1), cmap="gray_r", vmin=0, vmax=255)
            axes.set(xticks=[], yticks=[])
            if place == 0:
                axes.set_title(f"strength {column}" if column else "as it is", fontsize=9)
            if column == 0:
                axes.set_ylabel(kind, rotation=0, ha="right", va="center", fontsize=9)
    _save(figure, path)


def _plot_grid(
    examples: Examples,
    predicted: NDArray[Any],
    indices: NDArray[Any],
    title: str,
    path: Path,
) -> None:
    figure = Figure(figsize=(GRID_COLUMNS, GRID_ROWS * 1.25), layout="constrained")
    figure.suptitle(title if len(indices) else f"{title}: none")
    for place, index in enumerate(indices):
        axes = figure.add_subplot(GRID_ROWS, GRID_COLUMNS, place + 1)
        axes.imshow(examples.images[index], cmap="gray_r", vmin=0, vmax=255)
        label, read = examples.labels[index], predicted[index]
        is_right = label == read
        axes.set_title(
            str(read) if is_right else f"{read}, is {label}",
            fontsize=9,
            color="black" if is_right else "firebrick",
        )
        axes.axis("off")
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    write_atomically(path, buffer.getvalue())
