"""The picture of a comparison: how long one image takes, by what runs it."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from edge_mnist.comparison.peers import PEERS
from edge_mnist.errors import InvalidInputError
from edge_mnist.files import write_atomically

DPI = 150
# Inches; a letter's are those of a name.
BARS_WIDTH, LETTER_WIDTH, ROW_HEIGHT, FRAME_HEIGHT = 6.0, 0.075, 0.34, 1.0
# Blue and grey differ in lightness as well: they are told apart in any way of seeing colours.
OUR_COLOR, PEER_COLOR = "#0b5fa5", "#b4b4b4"
# The axis begins at this part of the shortest time, so that its bar is seen; the longest takes this
# share of the axis, so that its label has room.
SHORTEST_BAR, LONGEST_BAR = 0.3, 0.58

Bar = tuple[str, float, float, float]
"""A name, its median in µs an image, and the lowest and highest ratio to what all stand against."""


def draw_comparison(
    bars: Sequence[Bar], title: str, path: Path, *, ours: Sequence[str] | None = None
) -> None:
    """Draw bars on a logarithmic axis, the quickest on top.

    Args:
        bars: In any order. What the others are compared with has ratios of 1.
        title: What was compared, and where.
        path: Where the PNG goes.
        ours: The names to highlight; None for all that name no peer.

    Raises:
        InvalidInputError: If there are no bars, or a time is not above 0.
    """
    if not bars:
        raise InvalidInputError("a comparison's chart", expected="at least one bar", got="none")
    for name, p50_us, *_ in bars:
        if not (math.isfinite(p50_us) and p50_us > 0):
            expected = "a time above 0 µs"
            raise InvalidInputError(f"{name} in a chart", expected=expected, got=f"{p50_us:g}")
    if ours is None:
        ours = [name for name, *_ in bars if not any(peer.name in name for peer in PEERS)]
    bars = sorted(bars, key=lambda bar: bar[1])
    times = [p50_us for _, p50_us, *_ in bars]
    width = BARS_WIDTH + LETTER_WIDTH * max(len(name) for name, *_ in bars)
    height = FRAME_HEIGHT + ROW_HEIGHT * len(bars)
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    drawn = axes.barh(
        range(len(bars)),
        times,
        0.72,
        color=[OUR_COLOR if name in ours else PEER_COLOR for name, *_ in bars],
    )
    axes.bar_label(drawn, [_label(*bar[1:]) for bar in bars], padding=4, fontsize=8)
    axes.set_yticks(range(len(bars)), [name for name, *_ in bars], fontsize=9)
    for tick, (name, *_) in zip(axes.get_yticklabels(), bars, strict=True):
        tick.set_fontweight("bold" if name in ours else "normal")
    axes.invert_yaxis()
    axes.set_xscale("log")
    start = times[0] * SHORTEST_BAR
    axes.set_xlim(start, start * (times[-1] / start) ** (1 / LONGEST_BAR))
    axes.xaxis.set_major_formatter(_label_tick)
    axes.xaxis.set_minor_formatter("")
    axes.set_xlabel("time of one image (median, logarithmic)", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, fontsize=10)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_atomically(path, buffer.getvalue())


def format_us(microseconds: float) -> str:
    """Return a time in the unit that it is best read in, of three digits: 4.25 µs, 36.6 ms."""
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= 0.9995 * size:  # what is rounded to a whole one
            return f"{_three_digits(microseconds / size)} {unit}"
    return f"{_three_digits(microseconds)} µs"


def _label(p50_us: float, low: float, high: float) -> str:
    if low == high == 1:
        return format_us(p50_us)
    low_text, high_text = _three_digits(low), _three_digits(high)
    ratio = low_text if low_text == high_text else f"{low_text} to {high_text}"
    return f"{format_us(p50_us)}, {ratio} times"


def _label_tick(microseconds: float, _: float | None) -> str:
    number, unit = format_us(microseconds).split()
    return f"{float(number.replace(',', '')):g} {unit}"


def _three_digits(number: float) -> str:
    rounded = float(f"{number:.3g}")
    decimals = 2 - math.floor(math.log10(rounded)) if rounded > 0 else 0
    return f"{rounded:,.{max(decimals, 0)}f}"
