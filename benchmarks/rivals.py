"""The default model against the network of the tutorials, int8 and float32, in what runs them.

Usage: python benchmarks/rivals.py (two minutes); writes results/rivals.md and rivals.png.

Latency does not depend on the weights, so the tutorials' network is untrained.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from report import RESULTS, describe_machine, render_markdown_table, write_report

from edge_mnist.bench.contest import hold_contest
from edge_mnist.bench.contestant import Contestant, Stage
from edge_mnist.bench.inputs import find_images
from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.report import Row
from edge_mnist.bench.request import BenchRequest, usual_threads
from edge_mnist.bench.tables import format_ratio
from edge_mnist.bench.tuning import choose
from edge_mnist.bench.worker import COPIED, INVOKE
from edge_mnist.comparison.chart import draw_comparison
from edge_mnist.comparison.contest import peer_contestant, to_bars
from edge_mnist.comparison.peers import installed_peers, write_twin
from edge_mnist.comparison.twin import TFLITE_FILE
from edge_mnist.engines import EngineSetting, installed_engines
from edge_mnist.model_store import DEFAULT_MODEL, find_model
from edge_mnist.quantization.convert import convert_int8
from edge_mnist.training.architectures import build

TUTORIAL = "tutorial-3x3"
TUTORIAL_FLOAT = f"{TUTORIAL} (float32)"
TARGET = 0.6

PROTOCOL = Protocol(cold_starts=1)


def main() -> None:
    """Measure, write the tables and the picture."""
    images, inputs = find_images()
    engines = [EngineSetting(engine) for engine in installed_engines()]
    request = BenchRequest((DEFAULT_MODEL,), threads=usual_threads())
    peers = installed_peers()
    with tempfile.TemporaryDirectory() as folder:
        tutorial = convert_tutorial()
        twin = write_twin(tutorial, Path(folder) / "twin")
        models = {
            DEFAULT_MODEL: find_model().read_bytes(),
            TUTORIAL: tutorial,
            TUTORIAL_FLOAT: (twin / TFLITE_FILE).read_bytes(),
        }
        stage = Stage(Path(folder), models, images)

        def measure(contestants: Sequence[Contestant]) -> list[Row]:
            rows = hold_contest(PROTOCOL, models, contestants, inputs, say).rows
            failed = [f"{row.model} in {row.runner}: {row.error}" for row in rows if row.error]
            if failed:
                sys.exit("\n".join(failed))
            return rows

        pairs = [
            measure(
                [stage.contestant(model, one, (INVOKE, COPIED)) for model in (TUTORIAL, "micro")]
            )
            for one in engines
        ]
        settings = request.settings()
        tried = measure([stage.contestant(DEFAULT_MODEL, one, (COPIED,)) for one in settings])
        quickest = settings[tried.index(choose(tried, COPIED))]
        contestants = [
            stage.contestant(DEFAULT_MODEL, quickest, (COPIED,)),
            *(stage.contestant(TUTORIAL, one, (COPIED,)) for one in engines),
            *(stage.contestant(TUTORIAL_FLOAT, one, (COPIED,)) for one in engines),
        ]
        contestants += [peer_contestant(TUTORIAL_FLOAT, name, twin, stage) for name in peers]
        rows = measure(contestants)
    write_report(
        "rivals",
        "The default model against the tutorials' network",
        "python benchmarks/rivals.py",
        f"`{DEFAULT_MODEL}` against `{TUTORIAL}`, both int8, in the same engine; ratios with their "
        f"95 % interval (target: at most {TARGET}).\n\n"
        + render_markdown_table(
            [
                "engine",
                f"`{TUTORIAL}`, µs",
                f"`{DEFAULT_MODEL}`, µs",
                "invoke alone",
                "with copies",
            ],
            [describe_pair(*pair) for pair in pairs],
        )
        + f"\n\n`{DEFAULT_MODEL}` in the setting that is quickest here, {quickest}, against "
        f"`{TUTORIAL}` in everything that is installed: from an image of uint8 to ten numbers, "
        "the others with one thread (target: nothing below 1).\n\n"
        + render_markdown_table(
            ["network", "runner", "version", "µs", "times the default model"],
            [describe_row(row) for row in rows],
        )
        + "\n\n![The same as bars](rivals.png)",
    )
    draw(rows)


def convert_tutorial() -> bytes:
    """Return the tutorials' network in int8, with the weights that it starts with."""
    images = np.random.default_rng(0).integers(0, 256, (100, 28, 28), np.uint8)
    return convert_int8(build(TUTORIAL), images)


def describe_pair(tutorial: Row, default: Row) -> list[str]:
    """Return the cells of one engine."""
    times = [f"{row.latency[COPIED].p50_us:.1f}" for row in (tutorial, default)]
    ratios = [format_ratio(default.ratios[measure]) for measure in (INVOKE, COPIED)]
    return [tutorial.runner, *times, *ratios]


def describe_row(row: Row) -> list[str]:
    """Return the cells of one runner."""
    time_us = f"{row.latency[COPIED].p50_us:,.1f}"
    return [
        f"`{row.model}`",
        row.runner,
        row.version,
        time_us,
        format_ratio(row.ratios.get(COPIED)),
    ]


def draw(rows: Sequence[Row]) -> None:
    """Draw the rows, the default model highlighted."""
    title = f"From an image to ten numbers\n{describe_machine()}"
    draw_comparison(to_bars(rows), title, RESULTS / "rivals.png")


def say(line: str) -> None:
    """Tell what is under way."""
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
