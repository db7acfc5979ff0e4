"""Is int8 faster than float? Three networks, each format, each engine, in one run.

Usage: python benchmarks/formats.py (about two minutes); writes results/formats.md and formats.png.

Latency does not depend on the weights, so the networks are untrained.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from report import RESULTS, describe_machine, render_markdown_table, write_report

from edge_mnist.quantization.convert import convert_float, convert_int8
from edge_mnist.training.architectures import build, count_multiply_adds

ARCHITECTURES = ("micro", "tutorial-3x3", "classic")
FORMATS = ("float32", "float16", "dynamic", "int8")
RUNS = 3000
COLORS = {"float32": "#888888", "float16": "#bbbbbb", "dynamic": "#f0b070", "int8": "#2b6cb0"}


def main() -> None:
    """Convert, measure each file in a fresh process, write the table and the picture."""
    measured: dict[tuple[str, str], dict[str, float]] = {}
    rows = []
    for arch in ARCHITECTURES:
        model = build(arch)
        for number_format in FORMATS:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"{arch}-{number_format}.tflite"
                path.write_bytes(convert(model, number_format))
                benchmarks = bench(path)
            for result in benchmarks:
                key = (arch, result["engine"])
                measured.setdefault(key, {})[number_format] = result["inference"]["p50_us"]
        for (measured_arch, engine), figures in measured.items():
            if measured_arch == arch:
                cells = [
                    f"{figures[f]:.1f} ({figures[f] / figures['float32']:.2f})" for f in FORMATS
                ]
                rows.append([f"`{arch}`", f"{count_multiply_adds(model):,}", engine, *cells])
    header = ["network", "multiply-adds", "engine", *FORMATS]
    write_report(
        "formats",
        "Is int8 faster than float?",
        "python benchmarks/formats.py",
        f"`Classifier.predict`, one thread, median of {RUNS} runs in µs; in brackets against "
        "float32 of the same network and engine.\n\n" + render_markdown_table(header, rows),
    )
    draw(measured)


def convert(model: object, number_format: str) -> bytes:
    """Return the network in a format."""
    if number_format == "int8":
        images = np.random.default_rng(0).integers(0, 256, (100, 28, 28), np.uint8)
        return convert_int8(model, images)
    return convert_float(model, number_format)


def bench(path: Path) -> list[dict]:
    """Return what `edge-mnist bench` says of a file."""
    command = [sys.executable, "-m", "edge_mnist", "bench", str(path), "--json"]
    answer = subprocess.run(
        [*command, "--runs", str(RUNS)], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(answer.stdout)


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
