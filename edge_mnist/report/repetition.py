"""The commands that make a model again."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from edge_mnist.model_card import ModelCard
from edge_mnist.report.subject import Subject

if TYPE_CHECKING:
    from edge_mnist.report.training import Training
    from edge_mnist.training.finetune import FineTuning

CONFIG = "config.json"


def list_commands(subject: Subject, training: "Training | None", data: str | None) -> list[str]:
    """Return the commands that train, quantize and measure a model again, as a shell takes them.

    Args:
        subject: The model.
        training: How it was trained, if that is known.
        data: What it was measured on; None if on nothing.
    """
    again = Path("runs") / f"{subject.title}-again"
    commands = []
    if training is not None and training.config:
        commands.append(_train(training, again))
        if subject.card is not None:
            commands.append(_quantize(subject.card, again))
    named = [] if data is None else ["--data", data]
    model = subject.name if subject.model is None or not subject.is_run else str(subject.model)
    commands.append(_join(["evaluate", model, *named]))
    commands.append(_join(["report", subject.name, *named]))
    return commands


def bench_commands(subject: Subject, model: Path) -> list[str]:
    """Return the commands that measure a model's latency and report it."""
    name = str(model) if subject.is_run else subject.name
    return [
        _join(["bench", name, "--out", "measured"]),
        _join(["report", subject.name, "--bench", "measured/bench.json"]),
    ]


def quantize_command(subject: Subject) -> str:
    """Return the command that makes an int8 file of a run."""
    return _join(["quantize", subject.name, "--int8"])


def _train(training: "Training", out: Path) -> str:
    if training.tuning is not None:
        return _tune(training, training.tuning, out)
    config = CONFIG if training.folder is None else str(training.folder / CONFIG)
    return _join(["train", "--config", config, "--out", str(out)])


def _tune(training: "Training", tuning: "FineTuning", out: Path) -> str:
    config = training.config
    words = ["train", "--from", tuning.base, "--data", tuning.data]
    words += ["--replay", str(tuning.replay)]
    if tuning.frozen:
        words += ["--freeze", ",".join(tuning.frozen)]
    words += ["--keep-rejected"] if tuning.keeps_rejected else []
    for option in ("epochs", "batch_size", "learning_rate", "seed"):
        words += [f"--{option.replace('_', '-')}", str(config[option])]
    return _join([*words, "--out", str(out)])


def _quantize(card: ModelCard, again: Path) -> str:
    words = ["quantize", str(again)]
    method = card.quantization.get("method")
    if card.number_format != "int8":
        words += [f"--{card.number_format}"]
    else:
        words += ["--int8", "--method", str(method)]
        if "epochs" in card.quantization:
            words += ["--qat-epochs", str(card.quantization["epochs"])]
    return _join([*words, "--name", card.name.removesuffix(f"-{card.number_format}")])


def _join(words: list[str]) -> str:
    return shlex.join(["edge-mnist", *words])
