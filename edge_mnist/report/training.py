"""How a model was trained, as far as the files beside it tell."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_mnist.errors import TrainingError
from edge_mnist.evaluation import ClassReport, Evaluation
from edge_mnist.report.subject import Subject
from edge_mnist.trained_on import TrainedOn
from edge_mnist.training.config import TrainConfig, load_config
from edge_mnist.training.finetune import DATA_FOLDER, FineTuning, load_tuning
from edge_mnist.training.history import EpochResult, parse_csv
from edge_mnist.training.plan import (
    CONFIG_FILE,
    FINE_TUNING_FILE,
    HISTORY_FILE,
    METRICS_FILE,
    MODEL_FILE,
)
from edge_mnist.training.run import load_trained_on

# What a card's training may differ in from the run's configuration: where it ran, on what.
PLACES = ("device", "data")


@dataclass(frozen=True)
class Metrics:
    """What metrics.json tells of a run.

    Attributes:
        scores: What was measured at its end, by what on: validation, test, and of a fine-tuning
            what came before it and MNIST.
    """

    device: str
    seconds: float
    interrupted: bool
    parameters: int
    multiply_adds: int
    data_sha256: str
    scores: dict[str, Evaluation]


@dataclass(frozen=True)
class Training:
    """One training.

    Attributes:
        folder: The run folder; None if only the model's card tells of it.
        keras: The trained Keras model.
        config: As config.json or the card has it.
        history: A line an epoch.
        tuning: Of a fine-tuning.
        trained_on: What it has seen; None if nothing tells.
    """

    folder: Path | None
    keras: Path | None
    config: dict[str, Any]
    history: list[EpochResult]
    metrics: Metrics | None
    tuning: FineTuning | None
    trained_on: TrainedOn | None

    @property
    def data(self) -> str | None:
        """What it was trained on, as `--data` takes it."""
        if self.tuning is not None and self.folder is not None:
            return str(self.folder / DATA_FOLDER)
        return self.config.get("data")


def read_training(subject: Subject) -> Training | None:
    """Return how a model was trained; None if nothing tells.

    A .tflite file's is that of the run folder it stands in, if its card tells of the same training.

    Raises:
        ModelError: If a run folder or .keras file was named and there is no model in it.
        TrainingError: If what stands there cannot be read.
    """
    known = _read_card(subject)
    path = subject.trained
    if path is None:
        return known
    folder = path if path.is_dir() else path.parent
    keras = path / MODEL_FILE if path.is_dir() else path
    if not (folder / CONFIG_FILE).is_file():
        empty = Training(None, keras, {}, [], None, None, None)
        return empty if subject.is_run else known
    config = load_config(folder / CONFIG_FILE)
    if not subject.is_run and (known is None or not _is_same(known.config, config)):
        return known
    history = folder / HISTORY_FILE
    return Training(
        folder,
        keras if keras.is_file() or subject.is_run else None,
        dataclasses.asdict(config),
        parse_csv(history.read_text()) if history.is_file() else [],
        _read_metrics(folder / METRICS_FILE),
        load_tuning(folder) if (folder / FINE_TUNING_FILE).is_file() else None,
        load_trained_on(folder),
    )


def _read_card(subject: Subject) -> Training | None:
    if subject.card is None:
        return None
    seen = TrainedOn.from_json(subject.card.data)
    return Training(None, None, subject.card.training, [], None, None, seen)


def _is_same(known: dict[str, Any], config: TrainConfig) -> bool:
    """Return whether a card tells of this training."""
    fields = dataclasses.asdict(config)
    return all(known.get(name) == fields[name] for name in fields if name not in PLACES)


def _read_metrics(path: Path) -> Metrics | None:
    if not path.is_file():
        return None
    try:
        fields = json.loads(path.read_text())
        return Metrics(
            str(fields["device"]),
            float(fields["seconds"]),
            bool(fields["interrupted"]),
            int(fields["parameters"]),
            int(fields["multiply_adds"]),
            str(fields["data_sha256"]),
            {
                told: _read_evaluation(fields[name])
                for name, told in SCORES.items()
                if fields.get(name) is not None
            },
        )
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise TrainingError(
            f"cannot read {path}", expected="what edge-mnist train wrote", got=repr(exc)
        ) from exc


# The fields of RunMetrics and TuningMetrics that are measured.
SCORES = {
    "validation": "validation",
    "test": "test",
    "test_before": "test, before the fine-tuning",
    "old_test": "MNIST test",
    "old_test_before": "MNIST test, before the fine-tuning",
}


def _read_evaluation(fields: dict[str, Any]) -> Evaluation:
    classes = [ClassReport(**report) for report in fields["classes"]]
    return Evaluation(**fields | {"classes": classes})
