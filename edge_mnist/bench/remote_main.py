"""What the packed benchmark runs: a request from a file, the report as JSON on stdout."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.report import BenchReport, to_json
from edge_mnist.bench.request import BenchRequest
from edge_mnist.bench.run import run_bench
from edge_mnist.bench.stopping import stopping_in_order
from edge_mnist.errors import EdgeMnistError, InvalidInputError

IMAGES_NAME = "images.npy"
REQUEST_NAME = "request.json"


def main(arguments: Sequence[str]) -> None:
    """Measure what a request says, in the folder that it stands in.

    Beside it stand images.npy, uint8 [N, 28, 28], and the models under the names that it gives.
    Progress goes to stderr, and an error is its last line.

    Args:
        arguments: The path of a file that `write_request` gave the content of.
    """
    if len(arguments) != 1:
        sys.exit(f"Usage: python3 {Path(sys.argv[0]).name} {REQUEST_NAME}")
    try:
        with stopping_in_order():
            report = _measure(Path(arguments[0]))
    except (EdgeMnistError, OSError) as exc:
        sys.exit(str(exc))  # which writes it to stderr
    sys.stdout.write(to_json(report))


def write_request(request: BenchRequest, files: dict[str, str], inputs: str) -> str:
    """Return a request as JSON.

    Args:
        request: What to measure.
        files: The names of its models' files, by model.
        inputs: What the images are, in words.
    """
    told = {"request": dataclasses.asdict(request), "files": files, "inputs": inputs}
    return json.dumps(told)


def read_request(text: str | bytes) -> tuple[BenchRequest, dict[str, str], str]:
    """Return what `write_request` wrote: the request, its models' files, what the images are.

    Raises:
        InvalidInputError: If it is not that.
    """
    try:
        told = json.loads(text)
        fields: dict[str, Any] = told["request"]
        tuples = {name: tuple(x) for name, x in fields.items() if isinstance(x, list)}
        protocol = Protocol(**fields["protocol"])
        request = BenchRequest(**fields | tuples | {"protocol": protocol})
        return request, {model: told["files"][model] for model in request.models}, told["inputs"]
    except (ValueError, TypeError, KeyError) as exc:
        raise InvalidInputError(
            "cannot read the request", got=f"{type(exc).__name__}: {exc}"
        ) from exc


def _measure(path: Path) -> BenchReport:
    request, files, inputs = read_request(path.read_bytes())
    images = _load_images(path.with_name(IMAGES_NAME))
    return run_bench(request, images, inputs, _say, find=lambda model: path.with_name(files[model]))


def _load_images(path: Path) -> NDArray[np.uint8]:
    try:
        images: NDArray[np.uint8] = np.load(path)
    except ValueError as exc:
        raise InvalidInputError("cannot read the images", got=f"ValueError: {exc}") from exc
    return images


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
