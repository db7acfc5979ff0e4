"""Training a network further on one's own digits, so that it forgets nothing.

The run folder is that of any training, and besides holds base.keras, what the fine-tuning started
from, fine_tuning.json, how, and data/, the images of both kinds.
"""

import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist import dataset
from edge_mnist.dataset import Dataset, Examples
from edge_mnist.decoding import compute_rejection_scores
from edge_mnist.errors import TrainingError
from edge_mnist.evaluation import Evaluation, evaluate
from edge_mnist.files import write_atomically
from edge_mnist.trained_on import TrainedOn, fingerprint
from edge_mnist.training import plots
from edge_mnist.training.architectures import build, count_multiply_adds
from edge_mnist.training.base import Base
from edge_mnist.training.config import TrainConfig, load_config
from edge_mnist.training.fit import Reporter, fit
from edge_mnist.training.freezing import freeze
from edge_mnist.training.history import render_csv
from edge_mnist.training.mixing import mix, save_mix
from edge_mnist.training.own_digits import OwnDigits, check_digits
from edge_mnist.training.plan import (
    CONFIG_FILE,
    FINE_TUNING_FILE,
    HISTORY_FILE,
    METRICS_FILE,
    MODEL_FILE,
    STATE_FILE,
)
from edge_mnist.training.run import RunMetrics, load_model, predict_logits, save_model

BASE_FILE = "base.keras"
DATA_FOLDER = "data"

# Chosen on MNIST's validation images and a half of optdigits (benchmarks/fine_tuning.py reports
# on the other half): half of what was wrong is right after less, and less is forgotten than with
# more.
DEFAULT_REPLAY = 0.9
DEFAULT_EPOCHS = 3
# The peak rate, as a share of the training's.
LEARNING_RATE_SHARE = 0.1

# An image of a higher rejection score is taken for no digit: of optdigits, which `micro` has never
# seen the like of, 2 % are, and of its outliers 85 %.
NO_DIGIT_SCORE = 0.9


@dataclass(frozen=True)
class FineTuning:
    """What a fine-tuning is, besides its `TrainConfig`.

    Attributes:
        base: What it starts from.
        data: One's own digits.
        replay: The share of MNIST's digits in what it learns from, 0 up to below 1.
        frozen: The names of the layers that stay as they are, from `freezing.name_layers`.
        keeps_rejected: Whether it learns from images too that the model takes for no digits.
        seen: What the network has seen before or sees of one's own; None before `prepare_run`.
    """

    base: str
    data: str
    replay: float = DEFAULT_REPLAY
    frozen: tuple[str, ...] = ()
    keeps_rejected: bool = False
    seen: TrainedOn | None = None


@dataclass(frozen=True)
class TuningMetrics(RunMetrics):
    """What came out of a fine-tuning; validation is on all kinds, test on one's own digits.

    Attributes:
        test_before: On one's own test images, before it.
        old_test: On MNIST's test images; None if the data has none.
        old_test_before: The same before it.
        before: What it has seen besides `data_sha256`.
    """

    test_before: Evaluation
    old_test: Evaluation | None
    old_test_before: Evaluation | None
    before: TrainedOn | None


def plan_tuning(base: Base, overrides: dict[str, Any] | None = None) -> TrainConfig:
    """Return how to train further: as before, but for less long and more carefully.

    Args:
        base: What is trained further.
        overrides: Fields of TrainConfig that the user gave; `augmentation` True is for the base's.

    Raises:
        TrainingError: If a field is out of its range.
    """
    plan = dataclasses.replace(
        base.training,
        recipe="fine-tuning",
        arch=base.model.name,
        epochs=DEFAULT_EPOCHS,
        learning_rate=base.training.learning_rate * LEARNING_RATE_SHARE,
        branches=1,
        schedule="cosine",
        patience=None,
        mixed_precision=False,
        device="auto",
        seed=0,
    )
    given = {k: v for k, v in (overrides or {}).items() if (k, v) != ("augmentation", True)}
    return dataclasses.replace(plan, **given)


def find_rejected(base: Base, own: OwnDigits) -> NDArray[np.bool_]:
    """Return which images a model is quite sure are no digits, [N]; none if it never learned that.

    Not its own threshold: digits of an unfamiliar hand, which are what is to be learned, are often
    above that.
    """
    if not base.training.outliers:
        return np.zeros(len(own.names), np.bool_)
    logits = predict_logits(base.model, own.examples.images).astype(np.float64)
    return np.asarray(compute_rejection_scores(logits / base.temperature) > NO_DIGIT_SCORE)


def prepare_run(
    base: Base,
    own: OwnDigits,
    old: Dataset,
    config: TrainConfig,
    tuning: FineTuning,
    folder: Path,
) -> None:
    """Check everything and write what `tune_run` takes.

    Args:
        base: What is trained further.
        own: One's own digits.
        old: MNIST.
        config: From `plan_tuning`.
        tuning: The rest.
        folder: The run folder.

    Raises:
        DatasetError: If images look like no digits.
        TrainingError: If the folder holds a run, or a layer or share is none.
    """
    if (folder / STATE_FILE).exists() or (folder / MODEL_FILE).exists():
        raise TrainingError(
            f"{folder} holds a run already",
            remedy="give another folder with --out, or go on with that run by --resume",
        )
    freeze(base.model, tuning.frozen)
    if not tuning.keeps_rejected:
        check_digits(own, find_rejected(base, own))
    split = save_mix(mix(own, old, tuning.replay, config.seed), folder / DATA_FOLDER)
    learned, looked_at, _ = own.split()
    own_images = fingerprint(np.concatenate([learned.images, looked_at.images]))
    seen = TrainedOn((old.sha256,), tuple(sorted(own_images))).joined(base.trained_on)
    tuning = dataclasses.replace(tuning, seen=seen)
    data = str(folder / DATA_FOLDER)
    config = dataclasses.replace(config, data=data, validation_split=split)
    save_model(_thaw(base.model), folder / BASE_FILE)
    write_atomically(
        folder / FINE_TUNING_FILE, json.dumps(dataclasses.asdict(tuning), indent=2) + "\n"
    )
    write_atomically(folder / CONFIG_FILE, config.to_json())


def tune_run(
    folder: Path, old: Dataset, device: str, reporter: Reporter | None = None
) -> TuningMetrics:
    """Train, save, measure and plot what `prepare_run` wrote; go on if its state is there.

    Args:
        folder: The run folder.
        old: MNIST; its test images are measured on at the end.
        device: What it runs on, from `select_device`.
        reporter: Told about progress.

    Raises:
        TrainingError: If a file is missing or broken, or the training diverges.
    """
    started = time.perf_counter()
    config, tuning = load_config(folder / CONFIG_FILE), load_tuning(folder)
    mixed = dataset.load(str(folder / DATA_FOLDER), validation_split=config.validation_split)
    base = load_model(folder / BASE_FILE)
    model = _thaw(base)
    freeze(model, tuning.frozen)
    result = fit(
        model,
        mixed.train,
        mixed.validation,
        config,
        state_path=folder / STATE_FILE,
        reporter=reporter,
    )
    model = _thaw(model)
    save_model(model, folder / MODEL_FILE)
    write_atomically(folder / HISTORY_FILE, render_csv(result.history))
    own_test = mixed.test or mixed.validation
    metrics = TuningMetrics(
        arch=config.arch,
        parameters=int(model.count_params()),
        multiply_adds=count_multiply_adds(model),
        epochs=len(result.history),
        interrupted=result.interrupted,
        device=device,
        seconds=time.perf_counter() - started,
        data_sha256=mixed.sha256,
        validation=_score(model, mixed.validation),
        test=_score(model, own_test),
        test_before=_score(base, own_test),
        old_test=None if old.test is None else _score(model, old.test),
        old_test_before=None if old.test is None else _score(base, old.test),
        before=tuning.seen,
    )
    metrics_json = json.dumps(dataclasses.asdict(metrics), indent=2) + "\n"
    write_atomically(folder / METRICS_FILE, metrics_json)
    plots.plot_run(folder, result.history, mixed, predict_logits(model, own_test.images))
    return metrics


def load_tuning(folder: Path) -> FineTuning:
    """Read what `prepare_run` wrote of a fine-tuning.

    Raises:
        TrainingError: If it cannot be read.
    """
    path = folder / FINE_TUNING_FILE
    try:
        fields = json.loads(path.read_text())
        seen = TrainedOn(**fields["seen"])
        return FineTuning(**{**fields, "frozen": tuple(fields["frozen"]), "seen": seen})
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise TrainingError(
            f"cannot read {path}", expected="what edge-mnist train --from wrote", got=str(exc)
        ) from exc


def _thaw(model: Any) -> Any:
    """Return a copy that can be trained everywhere."""
    copy = build(model.name)
    copy.set_weights(model.get_weights())
    return copy


def _score(model: Any, examples: Examples) -> Evaluation:
    return evaluate(predict_logits(model, examples.images).argmax(axis=1), examples.labels)
