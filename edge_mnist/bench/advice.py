"""What a report means for its reader: what to believe less, and what to do."""

import shlex
from collections.abc import Iterator

from edge_mnist.bench.report import BenchReport, MeasuredModel, Row
from edge_mnist.bench.worker import COPIED, PREDICT

# A difference below this is not worth a word.
NOTEWORTHY = 1.1


def advise(report: BenchReport) -> list[str]:
    """Return sentences for people, the most important first."""
    rows = [row for row in report.rows if row.error is None]
    # A coarse clock may tell no time at all.
    single = [row for row in rows if {COPIED, PREDICT} & set(row.latency) and _p50(row) > 0]
    return [*_compare_formats(report, single), *_compare_runners(single), *doubt(report)]


def doubt(report: BenchReport) -> Iterator[str]:
    """Tell what sways the figures."""
    rows = [row for row in report.rows if row.error is None]
    unstable = [
        f"{row.model} in {row.runner}"
        for row in rows
        if not all(warmed.is_stable for warmed in row.warm_up.values())
    ]
    if unstable:
        yield (
            f"durations kept changing after {report.protocol.patience_s:g} s of warm-up "
            f"({'; '.join(unstable)}): something else runs, or the processor changes its frequency"
        )
    load = report.before.load_average
    if load is not None and load > 0.5 * report.machine.cores:
        yield f"the machine was busy before the start (load {load:.1f}): measure again at rest"
    governor = report.before.governor
    if governor not in (None, "performance"):
        yield f"the frequency governor is {governor}: performance gives steadier figures"
    if report.after.throttling:
        told = ", ".join(report.after.throttling)
        yield f"the board tells of {told}: cool it, or power it better"


def _compare_formats(report: BenchReport, rows: list[Row]) -> Iterator[str]:
    """Tell where int8 is slower than float32 of the same network in the same runner."""
    models = {model.name: model for model in report.models}
    for row in rows:
        for other in rows:
            if row.runner != other.runner or not _are_twins(models[row.model], models[other.model]):
                continue
            times = _p50(row) / _p50(other)
            if times > NOTEWORTHY:
                yield (
                    f"int8 is {times:.1f} times slower than float32 in {row.runner} on this "
                    f"machine ({row.model}: {_p50(row):.1f} µs, {other.model}: {_p50(other):.1f} "
                    "µs): look for a quicker engine with edge-mnist bench --tune; if none is, use "
                    "float32, or int8 for its size alone"
                )


def _are_twins(model: MeasuredModel, other: MeasuredModel) -> bool:
    """Return whether these are one network, in int8 and in float32."""
    if model.anatomy is None or other.anatomy is None:
        return False
    formats = (model.anatomy.number_format, other.anatomy.number_format)
    shapes = [
        [(op.name, op.output_shape) for op in anatomy.operators if op.multiply_adds]
        for anatomy in (model.anatomy, other.anatomy)
    ]
    return formats == ("int8", "float32") and shapes[0] == shapes[1]


def _compare_runners(rows: list[Row]) -> Iterator[str]:
    """Tell for each model which runner is quickest, if not the first one, which is the default."""
    for model in dict.fromkeys(row.model for row in rows):
        first, *others = (row for row in rows if row.model == model and row.setting is not None)
        if not others:
            continue
        best = min(others, key=_p50)
        times = _p50(first) / _p50(best)
        if times > NOTEWORTHY:
            yield (
                f"{model} is {times:.1f} times quicker in {best.runner} than in {first.runner}: "
                f"edge-mnist bench {shlex.quote(model)} --tune there makes that the default"
            )


def _p50(row: Row) -> float:
    # What `predict` adds costs the more the less a model is quantized, and is no engine's doing.
    measure = COPIED if COPIED in row.latency else PREDICT
    return row.latency[measure].p50_us
