"""The pictures of docs/models.md: accuracy over bytes and over instructions."""

import io
import math
from collections.abc import Callable, Sequence
from typing import Any

from emulated_processors import DEFAULT_PROCESSOR
from zoo_models import REFERENCE, Entry
from zoo_public import PUBLIC_SYSTEMS


def draw_bytes(entries: Sequence[Entry]) -> bytes:
    """Return the picture of accuracy over bytes, as PNG."""

    def draw(axes: Any) -> None:
        draw_entries(axes, entries, [entry.picked.card.size_bytes for entry in entries])
        for system in PUBLIC_SYSTEMS:
            x, x_spread = middle(*system.size_bytes)
            y, y_spread = middle(*(to_error(accuracy) for accuracy in reversed(system.accuracy)))
            axes.errorbar(x, y, y_spread, x_spread, fmt="D", color="tab:gray", markersize=5)
            annotate(axes, system.label, (x, y), system.label_offset, "dimgray")
        axes.plot([], [], "D", color="tab:gray", label="public systems: weights alone, as reported")
        axes.set_xlabel("bytes")
        axes.set_xlim(350, 20_000_000)

    return draw_picture(draw)


def draw_instructions(entries: Sequence[Entry]) -> bytes:
    """Return the picture of accuracy over instructions, as PNG; all must be counted."""

    def draw(axes: Any) -> None:
        ours = [entry for entry in entries if entry.model != REFERENCE]
        draw_entries(axes, ours, [entry.instructions or 0 for entry in ours])
        for entry in entries:
            if entry.model == REFERENCE:
                point = (entry.instructions or 0, to_error(entry.mean_accuracy))
                axes.plot(*point, "D", color="tab:gray", markersize=5, label="the reference, int8")
                annotate(axes, REFERENCE.name, point, (8, -4), "dimgray")
        axes.set_xlabel(
            f"instructions of one inference, tflite-runtime on {DEFAULT_PROCESSOR.name}"
        )
        axes.margins(x=0.15)

    return draw_picture(draw)


def draw_picture(draw: Callable[[Any], None]) -> bytes:
    """Return a picture of accuracies, their errors on a logarithmic axis, as PNG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator, StrMethodFormatter

    with mpl.rc_context({"font.size": 10}):
        figure = Figure(figsize=(9, 5.5), layout="constrained")
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.margins(y=0.1)
        draw(axes)
        widen(axes)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        accuracies = [
            0.95,
            0.96,
            0.97,
            0.98,
            0.985,
            0.99,
            0.993,
            0.995,
            0.996,
            0.997,
            0.998,
            0.9985,
        ]
        axes.yaxis.set_major_locator(FixedLocator([to_error(share) for share in accuracies]))
        axes.yaxis.set_major_formatter(FixedFormatter([f"{100 * x:.4g} %" for x in accuracies]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.invert_yaxis()
        axes.set_ylabel("MNIST test accuracy")
        axes.grid(alpha=0.3)
        figure.legend(loc="outside upper center", ncols=2, frameon=False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def widen(axes: Any) -> None:
    """Give logarithmic axes with a single value a range; by rounding matplotlib may find none."""
    for (low, high), set_limits in (
        (axes.dataLim.intervalx, axes.set_xlim),
        (axes.dataLim.intervaly, axes.set_ylim),
    ):
        if math.isclose(low, high):
            set_limits(low / 2, 2 * high)


def draw_entries(axes: Any, entries: Sequence[Entry], positions: Sequence[int]) -> None:
    """Draw our models: the mean over the seeds, with bars from the least to the most."""
    for entry, x in zip(entries, positions, strict=True):
        errors = [to_error(result.test_accuracy) for result in entry.results]
        y = to_error(entry.mean_accuracy)
        spread = [[max(0, y - min(errors))], [max(0, max(errors) - y)]]
        axes.errorbar(x, y, spread, fmt="o", color="tab:blue", markersize=7, capsize=4)
        annotate(axes, entry.model.name, (x, y), (3, -14), "tab:blue", "bold")
    label = "edge-mnist: int8 files, mean over seeds, least to most"
    axes.plot([], [], "o", color="tab:blue", markersize=7, label=label)


def annotate(
    axes: Any,
    text: str,
    point: tuple[float, float],
    offset: tuple[int, int],
    color: str,
    weight: str = "normal",
) -> None:
    """Write beside a marker."""
    axes.annotate(
        text,
        point,
        offset,
        textcoords="offset points",
        horizontalalignment=("right", "center", "left")[(offset[0] > 0) - (offset[0] < 0) + 1],
        color=color,
        weight=weight,
        fontsize=9,
    )


def to_error(accuracy: float) -> float:
    """Return the share that is wrong, in percent."""
    return 100 * (1 - accuracy)


def middle(low: float, high: float) -> tuple[float, float | None]:
    """Return the middle of a range and half of its width, None if it has none."""
    return (low + high) / 2, (high - low) / 2 or None
