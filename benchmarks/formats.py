"""Is int8 faster than float? Three networks, each format, each engine, taking turns.

Usage: python benchmarks/formats.py (two minutes); writes results/formats.md and formats.png.

Latency does not depend on the weights, so the networks are untrained.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from report import RESULTS, describe_machine, render_markdown_table, write_report

from edge_mnist.bench.contest import hold_contest
from edge_mnist.bench.contestant import Stage
from edge_mnist.bench.inputs import find_images
from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.worker import COPIED
from edge_mnist.engines import EngineSetting, installed_engines
from edge_mnist.quantization.convert import convert_float, convert_int8
from edge_mnist.training.architectures import build, count_multiply_adds

ARCHITECTURES = ("micro", "tutorial-3x3", "classic")
FORMATS = ("float32", "float16", "dynamic", "int8")
COLORS = {"float32": "#888888", "float16": "#bbbbbb", "dynamic": "#f0b070", "int8": "#2b6cb0"}
PROTOCOL = Protocol(cold_starts=1)


def main() -> None:
    """Convert, measure, write the table and the picture."""
    engines = list(installed_engines())  # TensorFlow would keep one from being told
    measured: dict[tuple[str, str], dict[str, float]] = {}
    rows = []
    for arch in ARCHITECTURES:
        model = build(arch)
        for engine, figures in measure(model, engines).items():
            measured[arch, engine] = figures
            cells = [f"{figures[f]:.1f} ({figures[f] / figures['float32']:.2f})" for f in FORMATS]
            rows.append([f"`{arch}`", f"{count_multiply_adds(model):,}", engine, *cells])
    header = ["network", "multiply-adds", "engine", *FORMATS]
    write_report(
        "formats",
        "Is int8 faster than float?",
        "python benchmarks/formats.py",
        "From an image to ten numbers, one thread, the engine's default delegate; medians in µs, "
        "in brackets against float32 of the same network and engine.\n\n"
        + render_markdown_table(header, rows)
        + "\n\n![The same as bars](formats.png)",
    )
    draw(measured)


def measure(model: object, engines: list[str]) -> dict[str, dict[str, float]]:
    """Return the medians in µs of a network, by engine and format."""
    models = {name: convert(model, name) for name in FORMATS}
    images, inputs = find_images()
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), models, images)
        contestants = [
            stage.contestant(name, EngineSetting(engine), (COPIED,))
            for engine in engines
            for name in FORMATS
        ]
        report = hold_contest(PROTOCOL, models, contestants, inputs, lambda line: None)
    figures: dict[str, dict[str, float]] = {}
    for row in report.rows:
        if row.error is not None:
            sys.exit(f"{row.model} in {row.runner}: {row.error}")
        figures.setdefault(row.runner, {})[row.model] = row.latency[COPIED].p50_us
    return figures


def convert(model: object, number_format: str) -> bytes:
    """Return the network in a format."""
    if number_format == "int8":
        images = np.random.default_rng(0).integers(0, 256, (100, 28, 28), np.uint8)
        return convert_int8(model, images)
    return convert_float(model, number_format)


def draw(measured: dict[tuple[str, str], dict[str, float]]) -> None:
    """Draw a group of bars for each network and engine."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / len(FORMATS)
    for index, number_format in enumerate(FORMATS):
        places = np.arange(len(measured)) + (index - (len(FORMATS) - 1) / 2) * width
        heights = [figures[number_format] for figures in measured.values()]
        bars = axes.bar(places, heights, width, label=number_format, color=COLORS[number_format])
        axes.bar_label(bars, fmt="%.0f", fontsize=7)
    axes.set_yscale("log")
    axes.set_xticks(
        range(len(measured)), [f"{arch}\n{engine}" for arch, engine in measured], fontsize=8
    )
    axes.set_ylabel("µs an image (log scale)")
    axes.set_title(f"int8 is not faster by itself\n{describe_machine()}", fontsize=9)
    axes.legend(ncols=len(FORMATS), fontsize=8)
    figure.savefig(RESULTS / "formats.png", dpi=120)


if __name__ == "__main__":
    main()
