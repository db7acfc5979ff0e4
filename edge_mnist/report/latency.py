"""What was measured of a model's speed, from a file that `edge-mnist bench` wrote."""

from dataclasses import dataclass
from pathlib import Path

from edge_mnist.bench.report import BenchReport, Row, from_json
from edge_mnist.bench.tables import describe
from edge_mnist.errors import InvalidInputError
from edge_mnist.model_card import hash_bytes

BENCH_FILE = "bench.json"
MEASURES = ("predict", "copied", "invoke")  # the first of these is told


@dataclass(frozen=True)
class Timing:
    """One way to run the model."""

    runner: str
    p50_us: float
    p90_us: float
    p99_us: float
    cold_start_ms: float
    peak_resident_bytes: int  # 0 where the system does not tell


@dataclass(frozen=True)
class Latency:
    """How long one image takes.

    Attributes:
        source: The file.
        measured_at: ISO 8601, UTC.
        facts: The machine and the protocol, in words.
        timings: In the file's order, at least one.
    """

    source: Path
    measured_at: str
    facts: list[str]
    timings: list[Timing]

    @property
    def quickest(self) -> Timing:
        """The one with the lowest median."""
        return min(self.timings, key=lambda timing: timing.p50_us)


def find_latency(model: Path, bench: Path | None) -> Latency | None:
    """Return what was measured of a .tflite file, None if nothing was.

    Args:
        model: The file; what counts is its content, not its name.
        bench: What `edge-mnist bench` wrote; None to look for bench.json beside the model.

    Raises:
        InvalidInputError: If `bench` is no benchmark's result.
    """
    path = model.parent / BENCH_FILE if bench is None else bench
    if bench is None and not path.is_file():
        return None
    return _choose(load_result(path), hash_bytes(model.read_bytes()), path)


def load_result(path: Path) -> BenchReport:
    """Load what `edge-mnist bench` wrote.

    Raises:
        InvalidInputError: If the file is no benchmark's result.
        OSError: If it cannot be read.
    """
    try:
        return from_json(path.read_bytes())
    except InvalidInputError as exc:
        raise InvalidInputError(f"{path}: {exc}") from exc


def _choose(report: BenchReport, sha256: str, path: Path) -> Latency | None:
    names = {model.name for model in report.models if model.sha256 == sha256}
    rows = [row for row in report.rows if row.model in names and row.error is None and row.latency]
    timings = [timing for row in rows if (timing := _read_row(row))]
    if not timings:
        return None
    # Its first lines are about the models.
    return Latency(path, report.measured_at, describe(report)[len(report.models) :], timings)


def _read_row(row: Row) -> Timing | None:
    stats = next((row.latency[name] for name in MEASURES if name in row.latency), None)
    if stats is None:
        return None
    return Timing(
        row.runner,
        stats.p50_us,
        stats.p90_us,
        stats.p99_us,
        row.cold_start_ms,
        row.peak_resident_bytes,
    )
