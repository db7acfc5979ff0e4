"""`edge-mnist report`."""

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_mnist.cli.console import (
    JsonOption,
    format_percent,
    interruptible,
    print_result,
    render_table,
    say,
)
from edge_mnist.cli.loading import (
    DATA_HELP,
    load_dataset,
    tensorflow_for,
)
from edge_mnist.dataset import DEFAULT_DATA, DEFAULT_VALIDATION_SPLIT
from edge_mnist.errors import DatasetError, MissingDependencyError
from edge_mnist.files import expect_file, write_atomically
from edge_mnist.native_output import held_native_stderr
from edge_mnist.trained_on import choose_unseen

if TYPE_CHECKING:
    from edge_mnist.report.model_report import ModelReport, ReportData
    from edge_mnist.report.subject import Subject
    from edge_mnist.report.training import Training


def report(
    models: Annotated[
        list[str],
        typer.Argument(
            help="Shipped models' names, .tflite or .keras files, or run folders.",
            metavar="RUN_OR_MODEL...",
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help=f"{DATA_HELP} Default: what the first model was trained on.", metavar="DATA"
        ),
    ] = None,
    bench: Annotated[
        Path | None,
        typer.Option(help="What edge-mnist bench wrote; default bench.json beside the model."),
    ] = None,
    engine: Annotated[str, typer.Option(help="What runs a .tflite file.")] = "auto",
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("report.html"),
    as_json: JsonOption = False,
) -> None:
    """Write all about models into one HTML file that needs no network; several side by side.

    Example: edge-mnist report runs/mine micro --out report.html
    """
    expect_file("--out", out)
    with interruptible("no report was written"):
        reports, shown = _find_out(models, data, bench, engine)
        with tensorflow_for("writing a report", "report"):
            from edge_mnist.report.page import render_page
        made_at = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"
        write_atomically(out, render_page(reports, shown, made_at))
    fields = _describe(reports, out)
    print_result(fields, _render(fields["models"], out), as_json)


def _find_out(
    models: list[str], data: str | None, bench: Path | None, engine: str
) -> tuple[list["ModelReport"], "ReportData"]:
    from edge_mnist.report.latency import load_result
    from edge_mnist.report.subject import open_subject, tell_apart

    if bench is not None:
        load_result(bench)  # what is wrong with it is told before the work
    # Before TensorFlow, which keeps tflite-runtime from being imported.
    with held_native_stderr():
        subjects = tell_apart([open_subject(model, engine) for model in models])
    with tensorflow_for("writing a report", "report"):
        import edge_mnist.report.page  # noqa: F401 - what is missing is told before the work
        from edge_mnist.report.model_report import report_on
        from edge_mnist.report.training import read_training

    trainings = [read_training(subject) for subject in subjects]
    shown = _choose_data(subjects, trainings, data)
    reports = []
    for subject, training in zip(subjects, trainings, strict=True):
        with held_native_stderr():
            reports.append(report_on(subject, training, shown, bench, say))
    return reports, shown


def _choose_data(
    subjects: Sequence["Subject"], trainings: Sequence["Training | None"], data: str | None
) -> "ReportData":
    """Load the images to measure on; without any that were asked for, the report does without."""
    from edge_mnist.report.model_report import ReportData

    first = trainings[0]
    name = data or (first and first.data) or DEFAULT_DATA
    is_own = first is not None and name == first.data
    split = first.config.get("validation_split") if first is not None and is_own else None
    try:
        dataset = load_dataset(name, split or DEFAULT_VALIDATION_SPLIT)
    except (DatasetError, MissingDependencyError) as exc:
        if data is not None:
            raise
        say(f"nothing is measured: {exc}")
        return ReportData(None, None, f"{exc}.")
    known = [training.trained_on for training in trainings if training and training.trained_on]
    # All are measured on the same images, which none of them has seen.
    seen = None
    for trained_on in known:
        seen = trained_on.joined(seen)
    examples, told = choose_unseen(dataset, seen)
    return ReportData(examples, name, told)


def _describe(reports: Sequence["ModelReport"], out: Path) -> dict[str, Any]:
    return {
        "report": str(out),
        "size_bytes": out.stat().st_size,
        "models": [
            {
                "model": report.subject.title,
                "engine": report.engine,
                "evaluation": report.measurement and report.measurement.evaluation,
                "float_against_int8": report.twin and report.twin.readings,
                "file_bytes": report.inspection and report.inspection.size_bytes,
                "p50_us": report.latency and report.latency.quickest.p50_us,
                "left_out": report.missing,
            }
            for report in reports
        ],
    }


def _render(models: list[dict[str, Any]], out: Path) -> str:
    rows = [
        [
            fields["model"],
            format_percent(fields["evaluation"].accuracy) if fields["evaluation"] else "-",
            f"{fields['file_bytes']:,}" if fields["file_bytes"] else "-",
            ", ".join(fields["left_out"]) or "nothing",
        ]
        for fields in models
    ]
    return f"{render_table(['model', 'accuracy', 'bytes', 'left out'], rows)}\n\n{out}"
