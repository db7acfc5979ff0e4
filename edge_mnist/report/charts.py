"""The charts of a report."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from edge_mnist.evaluation import ConfidenceBin
from edge_mnist.layer_noise import LayerNoise, find_noisiest
from edge_mnist.report.vector import (
    FIRST,
    INK,
    LINE,
    MUTED,
    PAPER,
    SECOND,
    SMALL_PT,
    UNITS_AN_INCH,
    Chart,
    styled,
)
from edge_mnist.training.history import EpochResult

WIDE = 660.0  # units
BESIDE_PT = 9  # from a dot to its name, up and to the side
NAME_PT = 70  # that a name takes, about
LINE_PT = 13  # from a name to the next one below it
MARKED_EPOCHS = 30  # where there are no more than these, each is a dot


@dataclass(frozen=True)
class Spot:
    """One model in the chart of accuracy over bytes."""

    name: str
    size_bytes: int
    accuracy: float  # 0 to 1
    low: float  # 95 % interval
    high: float
    is_best: bool  # whether no other is both smaller and more often right


@styled
def draw_curve(history: Sequence[EpochResult], name: str, model: str) -> Markup:
    """Draw what came of each epoch.

    Args:
        history: At least one epoch.
        name: accuracy or loss.
        model: Whose.
    """
    chart = Chart(210)
    axes = chart.axes[0]
    epochs = [result.epoch for result in history]
    is_share = name == "accuracy"
    for prefix, label, color, dashes in (
        ("", "training", SECOND, (4, 2)),
        ("val_", "validation", FIRST, ()),
    ):
        values = [getattr(result, prefix + name) for result in history]
        marker = "o" if len(history) <= MARKED_EPOCHS else None
        line = axes.plot(epochs, values, color=color, marker=marker, markersize=3, label=label)[0]
        line.set_dashes(dashes or (None, None))
    if is_share:
        axes.yaxis.set_major_formatter(FuncFormatter(_format_share))
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    chart.figure.legend(loc="outside upper left", ncols=2)
    return chart.render(f"{name} of {model} by epoch, in training and validation")


@styled
def draw_reliability(bins: Sequence[ConfidenceBin], model: str) -> Markup:
    """Draw how often a model is right, over how sure it was, and how many images there are of each.

    Args:
        bins: At least one.
        model: Whose.
    """
    chart = Chart(300, rows=(3, 1))
    upper, lower = chart.axes
    upper.plot([0, 1], [0, 1], color=MUTED, linewidth=1, dashes=(3, 3))
    for one in bins:
        upper.bar(
            (one.low + one.high) / 2,
            one.accuracy,
            0.9 * (one.high - one.low),
            color=FIRST,
            alpha=0.3,
        )
    upper.plot(
        [one.confidence for one in bins], [one.accuracy for one in bins], "o", color=FIRST, ms=4
    )
    upper.set(ylabel="share read rightly", xlim=(0, 1), ylim=(0, 1.02))
    middles = [(one.low + one.high) / 2 for one in bins]
    lower.bar(middles, [one.images for one in bins], 0.06, color=FIRST)
    lower.set_yscale("log")
    lower.set(ylabel="images", xlabel="confidence", ylim=(0.5, 2 * max(b.images for b in bins)))
    for axes in (upper, lower):
        axes.xaxis.set_major_formatter(FuncFormatter(_format_share))
    upper.yaxis.set_major_formatter(FuncFormatter(_format_share))
    lower.yaxis.set_major_formatter(FuncFormatter(_format_count))
    lower.minorticks_off()
    return chart.render(f"share that {model} reads rightly, by its confidence")


@styled
def draw_noise(noises: Sequence[LayerNoise], model: str) -> Markup:
    """Draw the signal to quantization noise of each layer.

    Args:
        noises: At least one.
        model: Whose.
    """
    chart = Chart(50 + 26 * len(noises))
    axes = chart.axes[0]
    worst = find_noisiest(noises)
    places = range(len(noises))
    colors = [SECOND if noise is worst and len(noises) > 1 else FIRST for noise in noises]
    bars = axes.barh(places, [noise.sqnr_db for noise in noises], 0.62, color=colors)
    axes.bar_label(bars, [f"{noise.sqnr_db:.1f}" for noise in noises], padding=3, fontsize=SMALL_PT)
    names = [f"{noise.number} {noise.name.lower()}" for noise in noises]
    axes.set_yticks(places, names, color=INK)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.14)
    axes.set_xlabel("signal to quantization noise, dB")
    return chart.render(f"signal to quantization noise of {model}, layer by layer")


@styled
def draw_parts(parts: Sequence[tuple[str, int]], model: str) -> Markup:
    """Draw what a file's bytes are for.

    Args:
        parts: Names and bytes, the largest first.
        model: Whose.
    """
    chart = Chart(24 + 24 * len(parts))
    axes = chart.axes[0]
    places, total = range(len(parts)), sum(size for _, size in parts)
    bars = axes.barh(places, [size for _, size in parts], 0.62, color=FIRST)
    labels = [f"{100 * size / total:.1f} %" for _, size in parts]
    axes.bar_label(bars, labels, padding=3, fontsize=SMALL_PT)
    axes.set_yticks(places, [name for name, _ in parts], color=INK)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines[["bottom"]].set_visible(False)
    axes.margins(x=0.18)
    return chart.render(f"what the bytes of {model} are for")


@styled
def draw_pareto(spots: Sequence[Spot], *, is_wide: bool) -> Markup:
    """Draw accuracy over bytes, and which models no other one beats in both.

    Args:
        spots: At least two.
        is_wide: Whether it is for a desktop; its letters would be too small on a phone.
    """
    chart = Chart(320, width=WIDE) if is_wide else Chart(280)
    axes = chart.axes[0]
    axes.set_xscale("log")
    best = sorted((spot for spot in spots if spot.is_best), key=lambda spot: spot.size_bytes)
    axes.plot(
        [spot.size_bytes for spot in best],
        [spot.accuracy for spot in best],
        color=FIRST,
        linewidth=1.5,
    )
    for spot in spots:
        color = FIRST if spot.is_best else SECOND
        axes.plot(
            [spot.size_bytes] * 2, [spot.low, spot.high], color=color, linewidth=5, alpha=0.25
        )
        axes.plot(
            [spot.size_bytes],
            [spot.accuracy],
            "o" if spot.is_best else "D",
            color=color,
            markeredgecolor=PAPER,
            markersize=8,
        )
    sizes = [spot.size_bytes for spot in spots]
    axes.set_xlim(min(sizes) / 1.5, max(sizes) * 1.5)
    axes.xaxis.set_major_formatter(FuncFormatter(_format_bytes))
    has_room = is_wide or max(sizes) < 10 * min(sizes)
    axes.xaxis.set_minor_formatter(
        FuncFormatter(_format_some_bytes) if has_room else NullFormatter()
    )
    axes.yaxis.set_major_formatter(FuncFormatter(_format_share))
    axes.set(xlabel="the file's size (logarithmic)", ylabel="accuracy")
    axes.tick_params(which="minor", color=LINE)
    _name_spots(chart, spots)
    size = "wide" if is_wide else "narrow"
    return chart.render(f"accuracy of each model over the bytes of its file, {size}")


def _name_spots(chart: Chart, spots: Sequence[Spot]) -> None:
    """Write each model's name where a rising line is not, and below one that stands there."""
    axes = chart.axes[0]
    chart.figure.draw_without_rendering()  # only now are the axes where they stay
    middle = axes.get_window_extent().x0 + axes.get_window_extent().width / 2
    scale = UNITS_AN_INCH / chart.figure.dpi
    taken: list[tuple[float, float]] = []
    for spot in sorted(spots, key=lambda spot: -spot.accuracy):
        x, y = axes.transData.transform((spot.size_bytes, spot.accuracy))
        is_left = bool(x > middle)
        line = y * scale + (BESIDE_PT if is_left else -BESIDE_PT)
        while any(
            abs(x * scale - beside) < NAME_PT and abs(line - other) < LINE_PT
            for beside, other in taken
        ):
            line -= 1
        taken.append((x * scale, line))
        axes.annotate(
            spot.name,
            (spot.size_bytes, spot.accuracy),
            xytext=(-BESIDE_PT if is_left else BESIDE_PT, line - y * scale),
            textcoords="offset points",
            ha="right" if is_left else "left",
            va="center",
            fontweight="bold" if spot.is_best else "normal",
            parse_math=False,
        )


def _format_share(share: float, _: float | None) -> str:
    return f"{100 * share:.10g} %"


def _format_count(count: float, _: float | None) -> str:
    return f"{count:,.0f}"


def _format_bytes(size: float, _: float | None) -> str:
    return f"{size / 1000:g} kB"


def _format_some_bytes(size: float, _: float | None) -> str:
    """Return a label at 2 and 5 of each power of ten: more would touch each other."""
    first = f"{size:e}"[0]
    return _format_bytes(size, None) if first in "25" else ""
