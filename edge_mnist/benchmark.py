"""What a model costs on the machine that this runs on."""

import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_mnist.engines import AUTO, ENGINE_MODULES, installed_engines, resolve_engine
from edge_mnist.errors import InvalidInputError
from edge_mnist.isolation import run_isolated
from edge_mnist.latency import DEFAULT_RUNS, LatencyStats, measure
from edge_mnist.model_store import find_model
from edge_mnist.preprocessing import GrayImage, normalize_digit
from edge_mnist.runtime import Classifier

ALL_ENGINES = "all"

# A cold start is a process's; the median of a few is told.
COLD_STARTS = 5

SAMPLE_SIZE = 100


@dataclass(frozen=True)
class Benchmark:
    """One model in one engine.

    Attributes:
        inference: `Classifier.predict` on an image of 28x28.
        preprocessing_and_inference: The same from a picture of 100x100.
        cold_start_ms: From a process's start to its first prediction, median of a few.
        resident_bytes: Peak resident memory of such a process.
    """

    model: str
    size_bytes: int
    engine: str
    engine_version: str
    threads: int
    machine: str
    inference: LatencyStats
    preprocessing_and_inference: LatencyStats
    cold_start_ms: float
    resident_bytes: int


def run_benchmarks(
    model: str | Path | None = None,
    *,
    engine: str = ALL_ENGINES,
    threads: int = 1,
    runs: int = DEFAULT_RUNS,
) -> list[Benchmark]:
    """Measure a model, in one engine or in all that are installed.

    Args:
        model: A shipped model's name, a path, or None for the default.
        engine: An engine's name, "auto" or "all".
        threads: Of one inference, at least 1.
        runs: Timed inferences, at least 1.

    Raises:
        ModelError: If the model cannot be used.
        InvalidInputError: If an argument is out of its range.
        MissingDependencyError: If the engine is not installed.
    """
    if engine not in (ALL_ENGINES, AUTO, *ENGINE_MODULES):
        choices = ", ".join([ALL_ENGINES, AUTO, *ENGINE_MODULES])
        raise InvalidInputError("unknown engine", expected=choices, got=repr(engine))
    is_all = engine == ALL_ENGINES and installed_engines()
    names = list(installed_engines()) if is_all else [resolve_engine(engine)]
    return [_run_benchmark(find_model(model), name, threads, runs) for name in names]


def draw_sample() -> GrayImage:
    """Return a picture of a seven: uint8 [100, 100], dark on light paper."""
    picture = np.full((SAMPLE_SIZE, SAMPLE_SIZE), 220, np.uint8)
    picture[20:28, 25:75] = 40
    for row in range(28, 85):
        column = 70 - (row - 28) // 2
        picture[row, column - 5 : column + 4] = 40
    return picture


def _run_benchmark(path: Path, engine: str, threads: int, runs: int) -> Benchmark:
    classifier = Classifier.load(path, engine=engine, threads=threads)
    picture = draw_sample()
    digit = normalize_digit(picture)
    assert digit is not None  # noqa: S101 - the sample is ours
    image = digit.image

    def read_picture() -> object:
        normalized = normalize_digit(picture)
        return normalized and classifier.predict(normalized.image)

    content = path.read_bytes()
    starts = [
        run_isolated(content, image[None], engine=engine, threads=threads)
        for _ in range(COLD_STARTS)
    ]
    return Benchmark(
        model=str(path),
        size_bytes=len(content),
        engine=engine,
        engine_version=installed_engines()[engine],
        threads=threads,
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        inference=measure(lambda: classifier.predict(image), runs=runs),
        preprocessing_and_inference=measure(read_picture, runs=runs),
        cold_start_ms=float(np.median([start.cold_start_ms for start in starts])),
        resident_bytes=max(start.resident_bytes for start in starts),
    )
