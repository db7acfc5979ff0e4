"""Measuring contestants side by side: they take turns, so that what drifts falls on all of them."""

import contextlib
import dataclasses
import datetime
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

import numpy as np

from edge_mnist import __version__, machine
from edge_mnist.anatomy import Anatomy
from edge_mnist.bench.advice import advise
from edge_mnist.bench.contestant import Contestant
from edge_mnist.bench.protocol import Protocol, WarmUp, inspect_clock
from edge_mnist.bench.report import BenchReport, MeasuredModel, Row
from edge_mnist.bench.worker_process import Worker
from edge_mnist.engines import resolve_engine
from edge_mnist.errors import EdgeMnistError
from edge_mnist.latency import LatencyStats, Ratio, compare_pairs
from edge_mnist.model_card import hash_bytes

# More than these at once would not fit into a small board's memory; each takes about 40 MB.
MAX_AT_ONCE = 12

# What is slow to start is started less often.
MAX_COLD_STARTS_MS = 5000.0

Say = Callable[[str], None]
"""Told what is under way."""


def hold_contest(
    protocol: Protocol,
    models: Mapping[str, bytes],
    contestants: Sequence[Contestant],
    inputs: str,
    say: Say,
    *,
    failed: Sequence[Row] = (),
) -> BenchReport:
    """Measure contestants, in turns, and return the report.

    Args:
        protocol: How to measure.
        models: The .tflite files that the contestants were made of, by name.
        contestants: In the order of the rows; the first is what the others are compared with.
        inputs: What the images are, in words.
        say: Told what is under way.
        failed: Rows without figures, to stand before the others.
    """
    clock, before = inspect_clock(), machine.observe()
    rows, anatomies = {row.key: row for row in failed}, {}
    for group in _group(contestants):
        for row, anatomy in _measure_group(group, protocol, say):
            rows.setdefault(row.key, row)  # the yardstick of a large group comes more than once
            if anatomy is not None:
                anatomies[row.model] = anatomy
    report = BenchReport(
        edge_mnist=__version__,
        measured_at=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        machine=machine.describe(),
        before=before,
        after=machine.observe(),
        clock=clock,
        protocol=protocol,
        inputs=inputs,
        models=list(_describe_models(models, anatomies)),
        rows=list(rows.values()),
    )
    return dataclasses.replace(report, advice=advise(report))


def _group(contestants: Sequence[Contestant]) -> list[list[Contestant]]:
    """Return who takes turns with whom: all, or if they are too many those of one group.

    If one group is too many, its first takes part in each of the parts that it is divided into.
    """
    if len(contestants) <= MAX_AT_ONCE:
        return [list(contestants)] if contestants else []
    groups: dict[str, list[Contestant]] = {}
    for contestant in contestants:
        groups.setdefault(contestant.group or contestant.model, []).append(contestant)
    size = MAX_AT_ONCE - 1
    return [
        [first, *others[start : start + size]]
        for first, *others in groups.values()
        for start in range(0, max(len(others), 1), size)
    ]


def _measure_group(
    contestants: Sequence[Contestant], protocol: Protocol, say: Say
) -> list[tuple[Row, Anatomy | None]]:
    """Return each contestant's row and its model's anatomy."""
    with contextlib.ExitStack() as stack:
        entries = []
        for contestant in contestants:
            say(f"starting {contestant.model} in {contestant.runner}")
            entries.append(_Entry(contestant, protocol, stack))
        for entry in entries:
            say(f"warming up {entry.contestant.model} in {entry.contestant.runner}")
            entry.attempt(entry.warm_up)
        measures = dict.fromkeys(name for entry in entries for name in entry.medians)
        has_any = any(entry.error is None for entry in entries)
        for turn in range(protocol.rounds if has_any else 0):
            if turn % 5 == 0:
                say(f"round {turn + 1} of {protocol.rounds}")
            for measure in measures:
                for entry in entries:
                    entry.attempt(functools.partial(entry.take_turn, measure))
        for entry in entries:
            entry.attempt(entry.finish)
        baseline = next((entry for entry in entries if entry.error is None), None)
        return [(entry.to_row(baseline), entry.anatomy) for entry in entries]


class _Entry:
    """A contestant while it is measured; once something fails it rests."""

    def __init__(
        self, contestant: Contestant, protocol: Protocol, stack: contextlib.ExitStack
    ) -> None:
        self.contestant, self.protocol = contestant, protocol
        self.error: str | None = None
        self.anatomy: Anatomy | None = None
        self.warm_ups: dict[str, WarmUp] = {}
        self.medians: dict[str, list[float]] = {name: [] for name in contestant.measures}
        self.latency: dict[str, LatencyStats] = {}
        self.digits: list[int] = []
        self.attempt(lambda: self._start(stack))

    def attempt(self, step: Callable[[], None]) -> None:
        """Take a step, unless one has failed before."""
        if self.error is None:
            try:
                step()
            except EdgeMnistError as exc:
                self.error = str(exc)

    def _start(self, stack: contextlib.ExitStack) -> None:
        if self.contestant.setting is not None:
            resolve_engine(self.contestant.setting.engine)
        self.cold_starts: list[float] = []
        while (
            len(self.cold_starts) < self.protocol.cold_starts - 1
            and sum(self.cold_starts) < MAX_COLD_STARTS_MS
        ):
            with Worker(*self.contestant.worker) as worker:
                self.cold_starts.append(worker.cold_start_ms)
        self.worker = stack.enter_context(Worker(*self.contestant.worker))
        self.cold_starts.append(self.worker.cold_start_ms)
        self.anatomy = self.worker.anatomy

    def warm_up(self) -> None:
        for measure in self.contestant.measures:
            told = self.worker.ask(
                "warm up", call=measure, protocol=dataclasses.asdict(self.protocol)
            )
            self.warm_ups[measure] = WarmUp(**told)

    def take_turn(self, measure: str) -> None:
        if measure in self.medians:
            told = self.worker.ask(
                "time",
                call=measure,
                duration_s=self.protocol.block_s,
                min_runs=self.protocol.block_runs,
            )
            self.medians[measure].append(told["p50_us"])

    def finish(self) -> None:
        for measure in self.contestant.measures:
            self.latency[measure] = LatencyStats(**self.worker.ask("summarize", call=measure))
        self.digits = self.worker.ask("read")["digits"]

    def to_row(self, baseline: "_Entry | None") -> Row:
        contestant = self.contestant
        row = Row(contestant.model, contestant.runner, contestant.setting)
        try:
            ratios = self._compare(baseline)
        except EdgeMnistError as exc:
            self.error = self.error or str(exc)
        if self.error is not None:
            return dataclasses.replace(row, error=self.error)
        start = self.worker.start
        return dataclasses.replace(
            row,
            version=start.version,
            latency=self.latency,
            warm_up=self.warm_ups,
            ratios=ratios,
            baseline=(baseline.contestant.model, baseline.contestant.runner)
            if baseline and ratios
            else None,
            agreement=float(np.mean(np.equal(self.digits, baseline.digits)))
            if baseline and ratios
            else 1.0,
            load_ms=start.load_ms,
            first_inference_ms=start.first_inference_ms,
            cold_start_ms=median(self.cold_starts),
            peak_resident_bytes=start.peak_resident_bytes,
            resident_bytes=start.resident_bytes,
        )

    def _compare(self, baseline: "_Entry | None") -> dict[str, Ratio]:
        if baseline is None or baseline is self or self.error is not None:
            return {}
        return {
            measure: compare_pairs(medians, baseline.medians[measure])
            for measure, medians in self.medians.items()
            if measure in baseline.medians
        }


def _describe_models(
    models: Mapping[str, bytes], anatomies: dict[str, Anatomy]
) -> Iterator[MeasuredModel]:
    for name, content in models.items():
        yield MeasuredModel(name, len(content), hash_bytes(content), anatomies.get(name))
