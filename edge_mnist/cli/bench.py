"""`edge-mnist bench`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_mnist.bench.checking import DEFAULT_TOLERANCE
from edge_mnist.bench.stopping import stopping_in_order
from edge_mnist.cli.bench_output import BenchOutput, Format, tell
from edge_mnist.cli.console import JsonOption, interruptible, needs
from edge_mnist.errors import InvalidInputError, ModelError
from edge_mnist.model_store import DEFAULT_MODEL, find_model, shipped_models
from edge_mnist.native_output import held_native_stderr

if TYPE_CHECKING:
    from edge_mnist.bench.report import BenchReport
    from edge_mnist.bench.request import BenchRequest
    from edge_mnist.bench.tuning import Tuning

DELEGATES = {"on": (True,), "off": (False,), "both": (True, False)}


def bench(
    models: Annotated[
        list[str] | None, typer.Argument(help="Shipped models' names or .tflite files.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All shipped models.")] = False,
    engine: Annotated[
        str, typer.Option(help="tflite-runtime, ai-edge-litert, auto, all; or several: a,b.")
    ] = "all",
    threads: Annotated[str, typer.Option(help="Of one inference; several: 1,2,4.")] = "1",
    delegate: Annotated[
        str, typer.Option(help="The engine's default delegate: on, off, both.")
    ] = "both",
    tune: Annotated[
        bool, typer.Option("--tune", help="Find the quickest setting and use it from now on.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget what --tune found: of these models, or of all.")
    ] = False,
    per_op: Annotated[bool, typer.Option("--per-op", help="Tell each operator's part.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Measure what is used instead, too: Keras, ONNX...")
    ] = False,
    host: Annotated[
        str | None, typer.Option(help="Measure there, over ssh.", metavar="USER@HOST")
    ] = None,
    duration: Annotated[float, typer.Option(help="Seconds that each measure takes.")] = 1.0,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the result as CSV.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the result as Markdown.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Keep it as JSON, CSV and Markdown.", metavar="DIR")
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(help="Fail on what is slower than in this result.", metavar="REFERENCE.json"),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="How much slower is no failure: 0.1 is 10 %.")
    ] = DEFAULT_TOLERANCE,
) -> None:
    """Measure what models cost on this machine: latency, throughput, memory, start.

    Example: edge-mnist bench micro small --engine all --threads 1,2
    """
    output = BenchOutput(Format.choose(as_json, as_csv, as_markdown), per_op, out)
    if forget:
        _refuse(
            "--forget", {"--tune": tune, "--host": host, "--compare": compare, "--check": check}
        )
        _refuse("--forget", {"--csv": as_csv, "--markdown": as_markdown, "--out": out})
        output.show_forgotten(_forget(_name_models(models, every) if models else []))
        return
    request = _build_request(models, every, engine, threads, delegate, duration)
    reference = output.read_reference(check, tolerance)
    if tune:
        _refuse("--tune", {"--compare": compare, "--host": host, "--check": check, "--csv": as_csv})
        tried = {"--engine": engine != "all", "--threads": threads != "1"}
        _refuse("--tune", {**tried, "--delegate": delegate != "both", "--per-op": per_op})
    elif host is not None:
        _refuse("--host", {"--compare": compare})
    output.check_folder()
    with interruptible("nothing is told of what was measured so far"), stopping_in_order():
        if tune:
            output.show_tunings(_tune(request))
            return
        report = _measure(request, host, compare)
    is_well = output.show(report, reference)
    if compare and out is not None and any(row.error is None for row in report.rows):
        _draw(report, out / "compare.png")
    raise typer.Exit(0 if is_well else 1)


def _build_request(
    models: list[str] | None, every: bool, engine: str, threads: str, delegate: str, duration: float
) -> "BenchRequest":
    from edge_mnist.bench.protocol import Protocol
    from edge_mnist.bench.request import BenchRequest

    if delegate not in DELEGATES:
        raise InvalidInputError("--delegate", expected=", ".join(DELEGATES), got=repr(delegate))
    return BenchRequest(
        models=_name_models(models, every),
        engines=tuple(engine.split(",")),
        threads=tuple(_read_count(part) for part in threads.split(",")),
        delegates=DELEGATES[delegate],
        protocol=Protocol(duration_s=duration),
    )


def _name_models(models: list[str] | None, every: bool) -> tuple[str, ...]:
    if every and models:
        raise InvalidInputError("--all", expected="no models beside it", got=", ".join(models))
    names = [model.name for model in shipped_models()] if every else models or [DEFAULT_MODEL]
    return tuple(dict.fromkeys(names))


def _measure(request: "BenchRequest", host: str | None, compare: bool) -> "BenchReport":
    from edge_mnist.bench.inputs import find_images

    images, inputs = find_images()
    if host is not None:
        from edge_mnist.bench.remote import run_remote

        return run_remote(host, request, images, inputs, tell)
    if compare:
        with needs("compare", "comparing"), held_native_stderr():
            from edge_mnist.comparison.contest import run_comparison

        return run_comparison(request, images, inputs, tell)
    from edge_mnist.bench.run import run_bench

    return run_bench(request, images, inputs, tell)


def _draw(report: "BenchReport", path: Path) -> None:
    from edge_mnist.comparison.contest import draw_report

    draw_report(report, path)


def _tune(request: "BenchRequest") -> "list[Tuning]":
    from edge_mnist.bench.inputs import find_images
    from edge_mnist.bench.run import read_models
    from edge_mnist.bench.tuning import tune

    _, failed = read_models(request.models)
    if failed:  # told before the others take their time
        raise ModelError(failed[0].error or "")
    images, inputs = find_images()
    return [tune(model, images, inputs, tell, request.protocol) for model in request.models]


def _forget(models: Sequence[str]) -> dict[str, int]:
    from edge_mnist.model_card import hash_bytes
    from edge_mnist.tuned_settings import forget_tuned

    if not models:
        return {"all models": forget_tuned()}
    hashes = {model: hash_bytes(find_model(model).read_bytes()) for model in models}
    return {model: forget_tuned(sha256) for model, sha256 in hashes.items()}


def _read_count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInputError(
            "--threads", expected="whole numbers, as 1,2,4", got=repr(text)
        ) from None


def _refuse(option: str, others: dict[str, object]) -> None:
    given = [name for name, value in others.items() if value]
    if given:
        raise InvalidInputError(
            option, expected=f"no {given[0]} beside it", got=f"{option} {given[0]}"
        )
