"""`edge-mnist train --from`: training a model further on one's own digits."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from edge_mnist.cli.console import INTERRUPTED_EXIT_CODE, format_percent, print_result, say
from edge_mnist.cli.loading import load_dataset, read_image, tensorflow_for
from edge_mnist.cli.progress import logged_progress
from edge_mnist.dataset import DEFAULT_DATA, Dataset
from edge_mnist.errors import InvalidInputError
from edge_mnist.training.plan import FINE_TUNING_FILE

if TYPE_CHECKING:
    from edge_mnist.training.finetune import TuningMetrics

# Options of a training that a fine-tuning has from its base.
FIXED = ("arch", "branches", "validation_split", "mixed_precision", "patience")

# How many of MNIST's digits an export's channels are measured on.
MEASURED_IMAGES = 500


@dataclass(frozen=True)
class TuningRequest:
    """What the user said of a fine-tuning that is no field of a training's configuration.

    Attributes:
        base: What to start from; None to go on with a run.
        freeze: How many of the first layers, or which, stay as they are.
        replay: The share of MNIST's digits; None for the default.
        keep_rejected: Whether to train on what looks like no digit, too.
        resume: Whether to go on with the run in the folder.
        plan: A recipe or configuration that was given, which a fine-tuning does not take.
        tensorboard: Whether to log it for TensorBoard.
    """

    base: str | None
    freeze: str | None
    replay: float | None
    keep_rejected: bool
    resume: bool
    plan: str | Path | None
    tensorboard: bool


def is_tuning(folder: Path) -> bool:
    """Return whether a run folder holds a fine-tuning."""
    return (folder / FINE_TUNING_FILE).is_file()


def tune(request: TuningRequest, given: dict[str, Any], out: Path | None, as_json: bool) -> None:
    """Fine-tune as asked for, and print what came of it.

    Args:
        request: What to train further.
        given: Fields of TrainConfig that the user gave.
        out: The run folder; None for runs/ARCHITECTURE-own.
        as_json: Whether to print the result as JSON.
    """
    _check(request, given)
    with tensorflow_for("training"):
        from edge_mnist.training.device import select_device
        from edge_mnist.training.finetune import tune_run
    device = select_device(given.get("device", "auto"))
    old = load_dataset(DEFAULT_DATA)
    folder = out if request.resume and out is not None else _prepare(request, given, old, out)
    with logged_progress(folder, to_tensorboard=request.tensorboard) as progress:
        metrics = tune_run(folder, old, device, progress)
    print_result(metrics, _render(metrics, folder), as_json)
    if metrics.interrupted:
        say(f"interrupted; go on with: edge-mnist train --resume --out {folder}")
        raise typer.Exit(INTERRUPTED_EXIT_CODE)


def _check(request: TuningRequest, given: dict[str, Any]) -> None:
    if request.resume:
        extra = [field for field in given if field != "device"]
        if request.base or request.freeze or request.replay is not None or request.plan or extra:
            raise InvalidInputError(
                "--resume of a fine-tuning", expected="only --out and --device", got="more options"
            )
        return
    taken = [f"--{field.replace('_', '-')}" for field in FIXED if field in given]
    taken += ["--recipe and --config"] if request.plan else []
    if taken:
        raise InvalidInputError(
            "--from", expected="the settings of what is trained further", got=", ".join(taken)
        )
    if given.get("data", DEFAULT_DATA) == DEFAULT_DATA:
        raise InvalidInputError(
            "--from",
            expected="--data with digits of one's own",
            got=given.get("data", "none"),
            remedy="collect some with edge-mnist predict --collect",
        )


def _prepare(request: TuningRequest, given: dict[str, Any], old: Dataset, out: Path | None) -> Path:
    """Check everything and write the run's beginning; return its folder."""
    with tensorflow_for("training"):
        from edge_mnist.quantization.rebuild import rebuild
        from edge_mnist.training import finetune
        from edge_mnist.training.base import open_base
        from edge_mnist.training.freezing import choose_frozen
        from edge_mnist.training.own_digits import load_own_digits
    data = given.pop("data")
    own = load_own_digits(data, read_image, partial(load_dataset))
    base = open_base(request.base or "", old.train.images[:MEASURED_IMAGES], rebuild)
    replay = finetune.DEFAULT_REPLAY if request.replay is None else request.replay
    frozen = choose_frozen(base.model, request.freeze)
    tuning = finetune.FineTuning(base.name, data, replay, frozen, request.keep_rejected)
    folder = out or Path("runs") / f"{base.model.name}-own"
    config = finetune.plan_tuning(base, given)
    finetune.prepare_run(base, own, old, config, tuning, folder)
    say(f"training {base.name} further on {len(own.names):,} images of {data} into {folder}")
    return folder


def _render(metrics: "TuningMetrics", folder: Path) -> str:
    lines = [
        f"{metrics.arch}: {metrics.epochs} epochs on {metrics.device}, {metrics.seconds:.0f} s"
    ]
    pairs = (
        ("your test images", metrics.test_before, metrics.test),
        ("MNIST's test images", metrics.old_test_before, metrics.old_test),
    )
    for name, before, after in pairs:
        if before is not None and after is not None:
            lines.append(
                f"{name}: {format_percent(before.accuracy)} before, "
                f"{format_percent(after.accuracy)} of {after.images:,} now "
                f"(95 % interval {100 * after.low:.2f} to {100 * after.high:.2f})"
            )
    return "\n".join([*lines, f"written to {folder}"])
