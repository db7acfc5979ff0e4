"""`edge-mnist bench`."""

from typing import Annotated

import typer

from edge_mnist.benchmark import Benchmark, run_benchmarks
from edge_mnist.cli.console import JsonOption, print_result, render_table
from edge_mnist.latency import DEFAULT_RUNS
from edge_mnist.native_output import held_native_stderr


def bench(
    model: Annotated[
        str | None, typer.Argument(help="A shipped model's name or a .tflite file.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="tflite-runtime, ai-edge-litert, auto, or all that are installed.")
    ] = "all",
    threads: Annotated[int, typer.Option(help="Of one inference.")] = 1,
    runs: Annotated[int, typer.Option(help="Timed inferences.")] = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Measure a model's latency, memory and cold start on this machine.

    Example: edge-mnist bench micro --threads 1 --runs 5000
    """
    with held_native_stderr():
        benchmarks = run_benchmarks(model, engine=engine, threads=threads, runs=runs)
    print_result(benchmarks, _render(benchmarks), as_json)


def _render(benchmarks: list[Benchmark]) -> str:
    first = benchmarks[0]
    rows = []
    for result in benchmarks:
        measured = (
            ("inference", result.inference),
            ("preprocessing and inference", result.preprocessing_and_inference),
        )
        for name, stats in measured:
            figures = (stats.p50_us, stats.p90_us, stats.p99_us, stats.mean_us, stats.min_us)
            rows.append([result.engine, name, *(f"{figure:.1f}" for figure in figures)])
    lines = [
        f"{first.model}: {first.size_bytes:,} bytes",
        f"{first.machine}, threads: {first.threads}, runs: {first.inference.runs:,}",
        "",
        render_table(("engine", "µs", "p50", "p90", "p99", "mean", "min"), rows),
        "",
    ]
    lines += [
        f"{result.engine} {result.engine_version}: cold start {result.cold_start_ms:.0f} ms, "
        f"{result.resident_bytes / 2**20:.0f} MiB resident"
        for result in benchmarks
    ]
    return "\n".join(lines)
