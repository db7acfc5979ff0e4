"""Measuring models in an engine's settings: what `edge-mnist bench` does."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.bench.contest import Say, hold_contest
from edge_mnist.bench.contestant import Stage
from edge_mnist.bench.report import BenchReport, Row
from edge_mnist.bench.request import BenchRequest
from edge_mnist.errors import ModelError
from edge_mnist.model_file import check_structure
from edge_mnist.model_store import find_model

Find = Callable[[str], Path]
"""Returns where the model of a name is, or raises ModelError."""


def run_bench(
    request: BenchRequest,
    images: NDArray[np.uint8],
    inputs: str,
    say: Say,
    find: Find = find_model,
) -> BenchReport:
    """Measure every model in every setting.

    What cannot be measured gets a row that says why.

    Args:
        request: What to measure, and how.
        images: uint8 [N, 28, 28], as many as the largest batch at least.
        inputs: What they are, in words.
        say: Told what is under way.
        find: Finds the models.

    Raises:
        ModelError: If none of the models can be read.
    """
    with tempfile.TemporaryDirectory(prefix="edge-mnist-") as folder:
        models, failed = read_models(request.models, find)
        stage = Stage(Path(folder), models, images)
        contestants = [
            stage.contestant(model, setting) for model in models for setting in request.settings()
        ]
        return hold_contest(request.protocol, models, contestants, inputs, say, failed=failed)


def read_models(
    names: Sequence[str], find: Find = find_model
) -> tuple[dict[str, bytes], list[Row]]:
    """Return the content of each model by its name, and a row for each that cannot be read.

    Raises:
        ModelError: If none can.
    """
    models, failed = {}, []
    for name in dict.fromkeys(names):
        try:
            content = find(name).read_bytes()
        except (ModelError, OSError) as exc:
            failed.append(Row(name, "", None, error=str(exc)))
            continue
        try:
            check_structure(content)
        except ModelError as exc:
            failed.append(Row(name, "", None, error=f"cannot use the model {name}: {exc}"))
            continue
        models[name] = content
    if not models:
        raise ModelError(failed[0].error or "")
    return models, failed
