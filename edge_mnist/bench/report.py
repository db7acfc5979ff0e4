"""What was measured: dataclasses, and the JSON that they become.

docs/benchmark.schema.json describes the JSON.
"""

import dataclasses
import json
from dataclasses import dataclass, field

from edge_mnist.anatomy import Anatomy
from edge_mnist.bench.plain_text import make_plain
from edge_mnist.bench.protocol import ClockFacts, Protocol, WarmUp
from edge_mnist.bench.typed_json import parse_json, read_typed
from edge_mnist.engines import EngineSetting
from edge_mnist.errors import InvalidInputError
from edge_mnist.latency import LatencyStats, Ratio
from edge_mnist.machine import Conditions, Machine

SCHEMA_VERSION = 1

MAX_REASON = 200  # letters of what is wrong with a file: it may hold names of any length


@dataclass(frozen=True)
class MeasuredModel:
    """A model that rows are about."""

    name: str  # as it was asked for
    size_bytes: int
    sha256: str
    anatomy: Anatomy | None  # None if nothing could load it


@dataclass(frozen=True)
class Row:
    """One model in one runner: an engine in some setting, or what is used instead of one.

    Attributes:
        error: Why there are no figures; None if there are.
        latency: By measure: invoke, copied, predict, picture, batch N (microseconds of a call,
            whatever the batch's size). Peers have copied alone.
        warm_up: By measure.
        ratios: By measure, against the first row of its table without an error; that row has none.
        baseline: The model and runner of that row.
        agreement: The share of the images that it reads as that row does, 0 to 1.
    """

    model: str
    runner: str
    setting: EngineSetting | None
    version: str = ""
    error: str | None = None
    latency: dict[str, LatencyStats] = field(default_factory=dict)
    warm_up: dict[str, WarmUp] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    baseline: tuple[str, str] | None = None
    agreement: float = 1.0
    load_ms: float = 0.0
    first_inference_ms: float = 0.0
    cold_start_ms: float = 0.0  # from a process's start to its first prediction: median of a few
    peak_resident_bytes: int = 0  # of such a process, up to that
    resident_bytes: int = 0  # after many predictions

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from other rows."""
        return self.model, self.runner


@dataclass(frozen=True)
class BenchReport:
    """All that was measured, and what one must know to believe it."""

    edge_mnist: str  # the version
    measured_at: str  # ISO 8601, UTC
    machine: Machine
    before: Conditions
    after: Conditions
    clock: ClockFacts
    protocol: Protocol
    inputs: str  # what the images were, in words
    models: list[MeasuredModel]
    rows: list[Row]
    advice: list[str] = field(default_factory=list)  # what to do, in words
    schema: int = SCHEMA_VERSION

    @property
    def is_complete(self) -> bool:
        """Whether every row has its figures."""
        return all(row.error is None for row in self.rows)


def to_json(report: BenchReport) -> str:
    """Return a report as JSON."""
    return json.dumps(dataclasses.asdict(report), indent=2) + "\n"


def from_json(text: str | bytes) -> BenchReport:
    """Return the report that JSON holds.

    Raises:
        InvalidInputError: If it is no report of this version.
    """
    try:
        fields = parse_json(text)
        schema = fields.get("schema", "none") if isinstance(fields, dict) else SCHEMA_VERSION
        if schema != SCHEMA_VERSION:
            raise ValueError(f"schema {schema}")
        return read_typed(BenchReport, fields)
    except (ValueError, InvalidInputError) as exc:
        raise InvalidInputError(
            "cannot read the benchmark",
            expected=f"what edge-mnist bench --json wrote, of schema {SCHEMA_VERSION}",
            got=make_plain(str(exc))[:MAX_REASON],
        ) from exc
