"""Holding a report against an earlier one: has anything become slower?"""

from collections.abc import Iterator
from dataclasses import dataclass

from edge_mnist.bench.report import BenchReport, Row
from edge_mnist.errors import InvalidInputError

DEFAULT_TOLERANCE = 0.1


@dataclass(frozen=True)
class Setback:
    """What got worse."""

    model: str
    runner: str
    measure: str
    what: str


def find_setbacks(
    report: BenchReport, reference: BenchReport, tolerance: float = DEFAULT_TOLERANCE
) -> list[Setback]:
    """Return the rows whose ratio to the same baseline is worse than in a reference.

    Ratios, since times differ between machines and hours. One is worse if all of its interval lies
    above the reference's ratio and the tolerance, so that noise does not fail.

    Args:
        report: What was measured now.
        reference: What was measured then.
        tolerance: How much more of the reference's ratio is no setback, 0 or more: 0.1 is 10 %.

    Raises:
        InvalidInputError: If there is nothing to compare, or the tolerance is below 0.
    """
    if not tolerance >= 0:
        raise InvalidInputError("tolerance", expected="0 or more", got=f"{tolerance:g}")
    known = {row.key: row for row in reference.rows if row.ratios}
    if not known:
        raise InvalidInputError(
            "the reference has no ratios",
            expected="two rows without errors at least",
            got=f"{len(reference.rows)} rows",
            remedy="make it with two models or settings, of which the first is the yardstick",
        )
    found = {row.key: row for row in report.rows}
    return [
        setback
        for key, row in known.items()
        for setback in _compare(key, row, found.get(key), tolerance)
    ]


def _compare(
    key: tuple[str, str], known: Row, found: Row | None, tolerance: float
) -> Iterator[Setback]:
    if found is None or found.error is not None:
        reason = found.error if found is not None and found.error else "it was not measured"
        yield Setback(*key, "all", f"no figures: {reason}")
        return
    if found.baseline != known.baseline:
        raise InvalidInputError(
            "the two benchmarks are measured against different rows",
            expected=" in ".join(known.baseline or ()),
            got=" in ".join(found.baseline or ("none",)),
            remedy="name models and engines in the same order",
        )
    for measure, before in known.ratios.items():
        now = found.ratios.get(measure)
        if now is None:
            yield Setback(*key, measure, "not measured now")
        elif now.low > before.ratio * (1 + tolerance):
            yield Setback(
                *key,
                measure,
                f"ratio {now.ratio:.2f} ({now.low:.2f} to {now.high:.2f}), was {before.ratio:.2f}",
            )
