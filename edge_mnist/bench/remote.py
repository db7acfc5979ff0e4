"""A benchmark on another machine, by ssh: it needs Python, NumPy and an engine there, no more."""

import dataclasses
import io
import json
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.bench.pack import PACK_NAME, pack_benchmark
from edge_mnist.bench.remote_main import IMAGES_NAME, REQUEST_NAME, write_request
from edge_mnist.bench.remote_process import run_files
from edge_mnist.bench.report import BenchReport, Row, from_json
from edge_mnist.bench.request import BenchRequest
from edge_mnist.bench.ssh import check_host
from edge_mnist.errors import HostError, InvalidInputError, ModelError
from edge_mnist.model_card import card_path
from edge_mnist.model_store import MODEL_SUFFIX, find_model


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
        ModelError: If none of the models can be found.
    """
    check_host(host)
    found, failed = _find_models(request.models)
    # Names that nothing else contains, so that they can be put back into whatever names them.
    sent = {f"{secrets.token_hex(8)}{MODEL_SUFFIX}": name for name in found}
    remote = dataclasses.replace(request, models=tuple(sent))
    files = {
        PACK_NAME: pack_benchmark(),
        REQUEST_NAME: write_request(remote, inputs).encode(),
        IMAGES_NAME: _to_npy(images),
    }
    for sent_name, name in sent.items():
        files |= _read_model(found[name], sent_name)

    def say_name(line: str) -> None:
        for sent_name, name in sent.items():
            line = line.replace(sent_name, name)
        say(line)

    output = run_files(host, files, (PACK_NAME, REQUEST_NAME), say_name, ssh_options=ssh_options)
    for sent_name, name in sent.items():
        output = output.replace(sent_name, json.dumps(name)[1:-1])
    try:
        report = from_json(output)
    except InvalidInputError as exc:
        raise HostError(f"{host} gave no result that can be read", got=str(exc)) from exc
    return dataclasses.replace(report, rows=[*failed, *report.rows])


def _find_models(names: Sequence[str]) -> tuple[dict[str, Path], list[Row]]:
    """Return the paths of the models that there are by name, and rows for the others."""
    found, failed = {}, []
    for name in names:
        try:
            found[name] = find_model(name)
        except ModelError as exc:
            failed.append(Row(name, "", None, error=str(exc)))
            reason = exc
    if not found:
        raise reason
    return found, failed


def _read_model(path: Path, name: str) -> dict[str, bytes]:
    """Return a model under another name, with its card if it has one."""
    files = {name: path.read_bytes()}
    card = card_path(path)
    if card.is_file():
        files[str(card_path(Path(name)))] = card.read_bytes()
    return files


def _to_npy(images: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    np.save(content, images)
    return content.getvalue()
