"""A benchmark on another machine, by ssh: it needs Python, NumPy and an engine there, no more."""

import dataclasses
import io
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edge_mnist.bench.pack import PACK_NAME, pack_benchmark
from edge_mnist.bench.remote_main import IMAGES_NAME, REQUEST_NAME, write_request
from edge_mnist.bench.remote_process import run_files
from edge_mnist.bench.report import BenchReport, from_json
from edge_mnist.bench.request import BenchRequest
from edge_mnist.bench.run import read_models
from edge_mnist.bench.ssh import check_host
from edge_mnist.errors import HostError, InvalidInputError
from edge_mnist.model_store import MODEL_SUFFIX


def run_remote(
    host: str,
    request: BenchRequest,
    images: NDArray[np.uint8],
    inputs: str,
    say: Callable[[str], None],
    *,
    ssh_options: Sequence[str] = (),
) -> BenchReport:
    """Measure models on another machine; nothing of it stays there.

    Args:
        host: As ssh takes it: USER@HOST, a name from ~/.ssh/config, or ssh://USER@HOST:PORT.
        request: What to measure; models are found here, engines there.
        images: uint8 [N, 28, 28], as many as the largest batch at least.
        inputs: What they are, in words.
        say: Told what is under way there.
        ssh_options: More arguments for ssh.

    Returns:
        The report, in which models have the names that the request has. A model that cannot be
        found has a row that says so.

    Raises:
        InvalidInputError: If the host cannot be one.
        HostError: If the host cannot be reached, lacks something, or the benchmark fails there.
        MissingDependencyError: If there is no ssh on this machine.
        ModelError: If none of the models can be read.
    """
    check_host(host)
    models, failed = read_models(request.models)
    names = {model: f"{number}{MODEL_SUFFIX}" for number, model in enumerate(models)}
    found = dataclasses.replace(request, models=tuple(models))
    files = {
        PACK_NAME: pack_benchmark(),
        REQUEST_NAME: write_request(found, names, inputs).encode(),
        IMAGES_NAME: _to_npy(images),
        **{names[model]: content for model, content in models.items()},
    }
    output = run_files(host, files, (PACK_NAME, REQUEST_NAME), say, ssh_options=ssh_options)
    try:
        report = from_json(output)
    except InvalidInputError as exc:
        raise HostError(f"{host} gave no result that can be read", got=str(exc)) from exc
    return dataclasses.replace(report, rows=[*failed, *report.rows])


def _to_npy(images: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    np.save(content, images)
    return content.getvalue()
