"""`edge-mnist train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_mnist.cli.console import (
    INTERRUPTED_EXIT_CODE,
    JsonOption,
    format_percent,
    print_result,
    say,
)
from edge_mnist.cli.loading import DataOption, load_dataset, tensorflow_for
from edge_mnist.cli.progress import logged_progress
from edge_mnist.cli.tuning import TuningRequest, is_tuning, tune
from edge_mnist.errors import InvalidInputError
from edge_mnist.training.plan import plan_run

if TYPE_CHECKING:
    from edge_mnist.training.run import RunMetrics


def train(
    arch: Annotated[str | None, typer.Option(help="Architecture; see docs/train.md.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Training recipe; see docs/train.md.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Repeat the training of this config.json.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="How often all images are seen.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Its peak.")] = None,
    branches: Annotated[
        int | None,
        typer.Option(
            help="Train each convolution as the sum of so many, merged at the end; 1 is as usual."
        ),
    ] = None,
    augment: Annotated[
        bool | None, typer.Option("--augment/--no-augment", help="Vary the images at random.")
    ] = None,
    validation_split: Annotated[
        float | None, typer.Option(help="Share of the training images set aside.")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Stop after this many epochs without a lower validation loss."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or gpu.", metavar="DEVICE")] = None,
    mixed_precision: Annotated[
        bool | None,
        typer.Option(
            "--mixed-precision/--no-mixed-precision",
            help="Compute in float16 on a GPU, in bfloat16 on a CPU that has it.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of all that is random.")] = None,
    data: DataOption = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/ARCH.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    tensorboard: Annotated[
        bool,
        typer.Option("--tensorboard", help="Write logs for TensorBoard into the run folder, too."),
    ] = False,
    base: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Train this further on the digits in --data: a shipped model's name, a .tflite "
            "file or a run.",
            metavar="MODEL_OR_RUN",
        ),
    ] = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            help="With --from: keep so many of the first layers as they are, or those named: "
            "conv1,conv2.",
            metavar="N|LAYER,...",
        ),
    ] = None,
    replay: Annotated[
        float | None,
        typer.Option(help="With --from: the share of MNIST's digits among one's own."),
    ] = None,
    keep_rejected: Annotated[
        bool,
        typer.Option("--keep-rejected", help="With --from: also what looks like no digit."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network; writes a run folder with the model, its metrics and plots.

    Example: edge-mnist train --epochs 10 --out runs/first
    """
    given = {k: v for k, v in locals().items() if k not in _NOT_OVERRIDES and v is not None}
    if augment is not None:
        given["augmentation"] = augment or None
    if base is not None or (resume and out is not None and is_tuning(out)):
        wanted = TuningRequest(
            base, freeze, replay, keep_rejected, resume, recipe or config, tensorboard
        )
        tune(wanted, given, out, as_json)
        return
    for option, value in (("--freeze", freeze), ("--replay", replay)):
        if value is not None:
            raise InvalidInputError(option, expected="--from beside it", got="none")
    plan, folder = plan_run(out, recipe=recipe, config_path=config, overrides=given, resume=resume)
    with tensorflow_for("training"):
        from edge_mnist.training.architectures import find_architecture
        from edge_mnist.training.run import train_run
    find_architecture(plan.arch)
    dataset = load_dataset(plan.data, plan.validation_split)
    say(f"training {plan.arch} on {plan.data} ({len(dataset.train):,} images) into {folder}")
    with logged_progress(folder, to_tensorboard=tensorboard) as progress:
        metrics = train_run(plan, dataset, folder, progress)
    print_result(metrics, _render(metrics, folder), as_json)
    if metrics.interrupted:
        say(f"interrupted; go on with: edge-mnist train --resume --out {folder}")
        raise typer.Exit(INTERRUPTED_EXIT_CODE)


_NOT_OVERRIDES = {
    "recipe", "config", "augment", "out", "resume", "base", "freeze", "replay", "keep_rejected",
    "tensorboard", "as_json",
}  # fmt: skip


def _render(metrics: "RunMetrics", folder: Path) -> str:
    lines = [
        f"{metrics.arch}: {metrics.parameters:,} parameters, "
        f"{metrics.multiply_adds:,} multiply-adds",
        f"{metrics.epochs} epochs on {metrics.device}, {metrics.seconds:.0f} s",
    ]
    for name, result in (("validation", metrics.validation), ("test", metrics.test)):
        if result is not None:
            lines.append(
                f"{name}: {format_percent(result.accuracy)} of {result.images:,} images "
                f"(95 % interval {100 * result.low:.2f} to {100 * result.high:.2f})"
            )
    return "\n".join([*lines, f"written to {folder}"])
