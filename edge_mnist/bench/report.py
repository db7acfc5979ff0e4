"""What was measured: dataclasses, and the JSON that they become.

docs/benchmark.schema.json describes the JSON.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from edge_mnist.anatomy import Anatomy, Operator
from edge_mnist.bench.protocol import ClockFacts, Protocol, WarmUp
from edge_mnist.engines import EngineSetting
from edge_mnist.errors import InvalidInputError
from edge_mnist.latency import LatencyStats, Ratio
from edge_mnist.machine import Conditions, Machine

SCHEMA_VERSION = 1


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
        fields: dict[str, Any] = json.loads(text)
        if fields["schema"] != SCHEMA_VERSION:
            raise ValueError(f"schema {fields['schema']}")
        return BenchReport(
            **fields
            | {
                "machine": Machine(**fields["machine"]),
                "before": Conditions(**fields["before"]),
                "after": Conditions(**fields["after"]),
                "clock": ClockFacts(**fields["clock"]),
                "protocol": Protocol(**fields["protocol"]),
                "models": [_read_model(model) for model in fields["models"]],
                "rows": [_read_row(row) for row in fields["rows"]],
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise InvalidInputError(
            "cannot read the benchmark",
            expected=f"what edge-mnist bench --json wrote, of schema {SCHEMA_VERSION}",
            got=f"{type(exc).__name__}: {exc}",
        ) from exc


def read_anatomy(fields: dict[str, Any] | None) -> Anatomy | None:
    """Return the anatomy that plain fields hold, None if there are none."""
    if fields is None:
        return None
    operators = [Operator(**operator) for operator in fields["operators"]]
    return Anatomy(**fields | {"operators": operators})


def _read_model(fields: dict[str, Any]) -> MeasuredModel:
    return MeasuredModel(**fields | {"anatomy": read_anatomy(fields["anatomy"])})


def _read_row(fields: dict[str, Any]) -> Row:
    kinds = {"latency": LatencyStats, "warm_up": WarmUp, "ratios": Ratio}
    by_measure = {
        name: {measure: kind(**figures) for measure, figures in fields[name].items()}
        for name, kind in kinds.items()
    }
    setting = fields["setting"] and EngineSetting(**fields["setting"])
    baseline = fields["baseline"] and tuple(fields["baseline"])
    return Row(**fields | by_measure | {"setting": setting, "baseline": baseline})
