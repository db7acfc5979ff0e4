"""Models against what people would run the same networks with: `edge-mnist bench --compare`."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.bench.contest import Say, hold_contest
from edge_mnist.bench.contestant import Contestant, Stage
from edge_mnist.bench.plain_text import make_plain
from edge_mnist.bench.report import BenchReport, Row
from edge_mnist.bench.request import BenchRequest
from edge_mnist.bench.run import read_models
from edge_mnist.bench.stopping import signals_held
from edge_mnist.bench.worker import COPIED
from edge_mnist.comparison.chart import Bar, draw_comparison
from edge_mnist.comparison.peers import PEERS, installed_peers, write_twin
from edge_mnist.comparison.twin import TFLITE_FILE
from edge_mnist.errors import ExportError, ModelError

PEER_WORKER = "edge_mnist.comparison.worker"
FLOAT = " (float32)"  # what a model's twin is called after its name


def run_comparison(
    request: BenchRequest, images: NDArray[np.uint8], inputs: str, say: Say
) -> BenchReport:
    """Measure models in every setting, and their networks in what is installed besides.

    Each model's network is measured as float32 too, in the same engines; its rows are named after
    the model. One that cannot be rebuilt has a row that says why. All are compared by what is
    `copied`: from an image of uint8 to ten numbers.

    Args:
        request: What to measure, and how.
        images: uint8 [N, 28, 28], as many as the largest batch at least.
        inputs: What they are, in words.
        say: Told what is under way, and which peers are left out.

    Raises:
        MissingDependencyError: If TensorFlow is not installed.
        ModelError: If none of the models can be read.
    """
    # Before TensorFlow is imported, which keeps an engine from being the default.
    settings = request.settings()
    models, failed = read_models(request.models)
    peers = installed_peers()
    for peer in PEERS:
        if peer.name not in peers:
            say(f"{peer.name} is not installed and left out: pip install 'edge-mnist[compare]'")
    with tempfile.TemporaryDirectory(prefix="edge-mnist-") as folder:
        twins = {}
        for number, (model, content) in enumerate(models.items()):
            say(f"making {model} again in float32")
            try:
                with signals_held():  # TensorFlow calls Python, and crashes if that is cut off
                    twins[model] = write_twin(content, Path(folder, f"twin-{number}"))
            except (ModelError, ExportError) as exc:
                failed.append(Row(_name_twin(model), "", None, error=str(exc)))
        floats = {_name_twin(model): (twins[model] / TFLITE_FILE).read_bytes() for model in twins}
        stage = Stage(Path(folder), {**models, **floats}, images)
        contestants = []
        for model in models:
            contestants += [stage.contestant(model, one, (COPIED,)) for one in settings]
            if model not in twins:
                continue
            contestants += [
                stage.contestant(_name_twin(model), one, (COPIED,), group=model)
                for one in settings
                if one.delegate
            ]
            for name in peers:
                contestants.append(
                    peer_contestant(_name_twin(model), name, twins[model], stage, group=model)
                )
        return hold_contest(
            request.protocol, {**models, **floats}, contestants, inputs, say, failed=failed
        )


def peer_contestant(
    model: str, peer: str, twin: Path, stage: Stage, *, group: str = ""
) -> Contestant:
    """Return a network in a peer as a contestant.

    Args:
        model: What its row is called.
        peer: A peer's name.
        twin: What `write_twin` returned.
        stage: Where the images are.
        group: As a contestant has it.
    """
    options = {"peer": peer, "twin": str(twin), "images": str(stage.images)}
    return Contestant(model, peer, None, (PEER_WORKER, json.dumps(options)), (COPIED,), group)


def to_bars(rows: Sequence[Row]) -> list[Bar]:
    """Return the rows that have figures as a chart has them."""
    bars = []
    for row in rows:
        if row.error is None:
            ratio = row.ratios.get(COPIED)
            low, high = (ratio.low, ratio.high) if ratio else (1.0, 1.0)
            bars.append((name_bar(row), row.latency[COPIED].p50_us, low, high))
    return bars


def name_bar(row: Row) -> str:
    """Return what a row's bar is called."""
    return make_plain(f"{row.model}, {row.runner}")


def draw_report(report: BenchReport, path: Path) -> None:
    """Draw the medians of all rows as a picture.

    Args:
        report: What `run_comparison` returned.
        path: Where the PNG goes.

    Raises:
        InvalidInputError: If no row has figures.
    """
    ours = [name_bar(row) for row in report.rows if not row.model.endswith(FLOAT)]
    machine = report.machine
    title = f"One image, one process each, in turns\n{machine.cpu}, {machine.cores} cores"
    draw_comparison(to_bars(report.rows), title, path, ours=ours)


def _name_twin(model: str) -> str:
    return f"{model}{FLOAT}"
