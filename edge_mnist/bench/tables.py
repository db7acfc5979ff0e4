"""A report as tables, for people and for spreadsheets."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from edge_mnist.bench.plain_text import make_plain
from edge_mnist.bench.report import BenchReport, MeasuredModel, Row
from edge_mnist.bench.worker import BATCHES, LATENCIES, batch_name
from edge_mnist.latency import Ratio

MEANINGS = {
    "invoke": "invoke alone",
    "copied": "with image in, outputs out",
    "predict": "predict",
    "picture": "from a 100x100 picture",
}
MIB = 2**20
NOT_TOLD = "not told"


@dataclass(frozen=True)
class Table:
    """Rows of text under a header."""

    title: str
    header: list[str]
    rows: list[list[str]]


def describe(report: BenchReport) -> list[str]:
    """Return what was measured, where and how, a line each."""
    machine, protocol, clock = report.machine, report.protocol, report.clock
    conditions = [
        f"load {report.before.load_average:.2f}" if report.before.load_average is not None else "",
        f"governor {report.before.governor}" if report.before.governor else "",
    ]
    # A Raspberry Pi's system tells the board's name in the processor's place.
    cpu = ", ".join(dict.fromkeys(filter(None, (machine.device, machine.cpu))))
    return [
        *(_describe_model(model) for model in report.models),
        f"{cpu}, {machine.cores} cores, {machine.system} {machine.architecture}, "
        f"Python {machine.python}" + "".join(f", {told}" for told in conditions if told),
        f"At least {protocol.duration_s:g} s and {protocol.min_runs} runs of each, in "
        f"{protocol.rounds} turns, after a warm-up; {report.inputs}; the clock steps by "
        f"{clock.resolution_ns} ns and adds {clock.overhead_ns:.0f} ns to each run. Each row "
        "is one process; two that run the same differ by some 2 %, which no interval covers.",
    ]


def list_tables(report: BenchReport, *, per_op: bool = False) -> list[Table]:
    """Return the report's tables: latency, throughput, start and memory, what failed.

    Args:
        report: What was measured.
        per_op: Whether to add each model's operators.
    """
    measured = [row for row in report.rows if row.error is None]
    tables = [_latency_table(measured), _throughput_table(measured), _start_table(measured)]
    if per_op:
        tables += [_operator_table(model) for model in report.models]
    failed = [[row.model, row.runner, row.error] for row in report.rows if row.error]
    tables.append(Table("not measured", ["model", "runner", "reason"], failed))
    return [table for table in tables if table.rows]


def to_csv(report: BenchReport) -> str:
    """Return a line for each measure of each row, and for each row that failed."""
    target = io.StringIO()
    lines = csv.writer(target, lineterminator="\n")
    figures = ["p50_us", "p90_us", "p99_us", "min_us", "mean_us", "iqr_us", "runs"]
    starts = ["load_ms", "first_inference_ms", "cold_start_ms"]
    memory = ["peak_resident_bytes", "resident_bytes"]
    ratios = ["ratio", "ratio_low", "ratio_high"]
    named = ["model", "runner", "version"]
    lines.writerow([*named, "measure", *figures, *ratios, *starts, *memory, "error"])
    for row in report.rows:
        key = [make_plain(text) for text in (row.model, row.runner, row.version)]
        costs = [getattr(row, name) for name in (*starts, *memory)]
        if row.error is not None:
            empty = [""] * (1 + len(figures) + len(ratios) + len(costs))
            lines.writerow([*key, *empty, make_plain(row.error)])
        for measure, stats in row.latency.items():
            ratio = row.ratios.get(measure)
            compared = [ratio.ratio, ratio.low, ratio.high] if ratio else ["", "", ""]
            told = [getattr(stats, name) for name in figures]
            lines.writerow([*key, measure, *told, *compared, *costs, ""])
    return target.getvalue()


def _describe_model(model: MeasuredModel) -> str:
    facts = f"{model.name}: {model.size_bytes:,} bytes"
    if model.anatomy is None:
        return facts
    anatomy = model.anatomy
    return (
        f"{facts}, {anatomy.number_format}, {anatomy.parameters:,} parameters, "
        f"{anatomy.multiply_adds:,} multiply-adds, activations of {anatomy.activation_bytes:,} "
        "bytes at once"
    )


def _latency_table(rows: Sequence[Row]) -> Table:
    baselines = {row.baseline for row in rows if row.baseline}
    against = " in ".join(next(iter(baselines))) if len(baselines) == 1 else "the first"
    lines = []
    for row in rows:
        for measure in LATENCIES:
            if measure not in row.latency:
                continue
            stats = row.latency[measure]
            figures = (stats.p50_us, stats.p90_us, stats.p99_us)
            rest = (stats.min_us, stats.mean_us, stats.iqr_us)
            lines.append(
                [row.model, row.runner, MEANINGS[measure]]
                + [f"{figure:.1f}" for figure in (*figures, *rest)]
                + [f"{stats.runs:,}", format_ratio(row.ratios.get(measure))]
            )
    header = ["model", "runner", "µs", "p50", "p90", "p99", "min", "mean", "spread", "runs"]
    title = f"latency of one image; ratio: against {against}, with its 95 % interval over the turns"
    return Table(title, [*header, "ratio"], lines)


def _throughput_table(rows: Sequence[Row]) -> Table:
    lines = []
    for row in rows:
        if batch_name(BATCHES[0]) in row.latency:
            medians = [(size, row.latency[batch_name(size)].p50_us) for size in BATCHES]
            # A coarse clock may tell no time at all.
            figures = [f"{size * 1e6 / p50:,.0f}" if p50 else NOT_TOLD for size, p50 in medians]
            lines.append([row.model, row.runner, *figures])
    header = ["model", "runner", *(f"batch of {size}" for size in BATCHES)]
    return Table("images a second, predict_batch", header, lines)


def _start_table(rows: Sequence[Row]) -> Table:
    lines = [
        [
            row.model,
            f"{row.runner} ({row.version})",
            f"{row.load_ms:.1f}",
            f"{row.first_inference_ms:.2f}",
            f"{row.cold_start_ms:.0f}",
            _format_mib(row.peak_resident_bytes),
            _format_mib(row.resident_bytes),
        ]
        for row in rows
    ]
    header = ["model", "runner", "load, ms", "first inference, ms", "cold start, ms"]
    return Table("start and memory", [*header, "peak, MiB", "steady, MiB"], lines)


def _operator_table(model: MeasuredModel) -> Table:
    operators = model.anatomy.operators if model.anatomy else []
    lines = [
        [
            str(number),
            operator.name,
            "x".join(map(str, operator.output_shape)),
            f"{operator.parameters:,}",
            f"{operator.multiply_adds:,}",
            f"{100 * operator.share:.1f} %",
        ]
        for number, operator in enumerate(operators, 1)
    ]
    header = ["", "operator", "output", "parameters", "multiply-adds", "share"]
    title = f"{model.name}: share of multiply-adds (not of time: no engine's Python tells that)"
    return Table(title, header, lines)


def format_ratio(ratio: Ratio | None) -> str:
    """Return a ratio with its interval as text, "1" for what it is measured against."""
    return f"{ratio.ratio:.2f} ({ratio.low:.2f} to {ratio.high:.2f})" if ratio else "1"


def _format_mib(size_bytes: int) -> str:
    return f"{size_bytes / MIB:.1f}" if size_bytes else NOT_TOLD
