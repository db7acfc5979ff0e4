"""A trial of the search: one shape drawn, converted and trained, and the line that tells of it."""

import statistics
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import tf_keras
from optuna.trial import FrozenTrial, TrialState
from shapes import Budgets, check_budgets, count_costs, draw_shape, parse_shape, write_shape

from edge_mnist.dataset import Dataset
from edge_mnist.preprocessing import IMAGE_SIZE
from edge_mnist.quantization.convert import convert_int8
from edge_mnist.training.architectures import ARCHITECTURES, Architecture, build
from edge_mnist.training.config import TrainConfig
from edge_mnist.training.fit import fit
from edge_mnist.training.history import EpochResult
from edge_mnist.training.recipes import find_recipe

NAME = "candidate"

# Only the shape is to differ; what the shipped models learn beside digits would blur that.
RECIPE = replace(find_recipe("micro"), arch=NAME).without_extras()

# A candidate is stopped if after this epoch its accuracy is this far below the median of at least
# so many finished ones whose files are no more than a quarter larger or smaller.
STOP_EPOCH, STOP_MARGIN, STOP_PEERS, SIMILAR_SIZE = 2, 0.005, 4, 1.25


def try_shape(
    trial: optuna.Trial, budgets: Budgets, digits: Dataset, config: TrainConfig
) -> tuple[float, int, int]:
    """Draw a shape, measure its file and train it.

    Returns:
        Accuracy on the validation images, bytes of the int8 file, multiply-adds.

    Raises:
        TrialPruned: If it is outside of the budgets, was trained before, or falls behind.
        KeyboardInterrupt: If Ctrl-C ended the training.
    """
    shape = draw_shape(trial)
    notation = write_shape(shape)
    trial.set_user_attr("shape", notation)
    reason = check_budgets(shape, budgets)
    if reason:
        raise optuna.TrialPruned(reason)
    if notation in (other.user_attrs["shape"] for other in find_trained(trial.study)):
        raise optuna.TrialPruned("trained before")

    ARCHITECTURES[NAME] = Architecture("", shape)
    tf_keras.backend.clear_session()
    tf_keras.utils.set_random_seed(config.seed)
    model = build(NAME)
    size = measure_bytes(model)
    trial.set_user_attr("bytes", size)
    if not budgets.min_bytes <= size <= budgets.max_bytes:
        raise optuna.TrialPruned(f"{size:,} bytes")

    watcher = _Watcher(trial, size)
    if fit(model, digits.train, digits.validation, config, reporter=watcher).interrupted:
        raise KeyboardInterrupt
    return watcher.accuracies[-1], size, count_costs(shape).multiply_adds


def measure_bytes(model: Any) -> int:
    """Return the bytes that a network's int8 file will have once it is trained.

    Args:
        model: From `build`, untrained; it keeps its weights.
    """
    rng = np.random.default_rng(0)
    # Ranges do not change the size, so images of noise will do. But what is equal is stored once,
    # and the biases of an untrained network are all 0.
    noise = rng.integers(0, 256, (2, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    weights = model.get_weights()
    model.set_weights([w + rng.uniform(0.1, 1, w.shape) if w.ndim == 1 else w for w in weights])
    size = len(convert_int8(model, noise))
    model.set_weights(weights)
    return size


def is_hopeless(study: optuna.Study, size: int, accuracy: float) -> bool:
    """Tell whether a candidate is well below finished ones of its size after `STOP_EPOCH`."""
    peers = [
        trial.user_attrs["accuracies"][STOP_EPOCH - 1]
        for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if size / SIMILAR_SIZE <= trial.user_attrs["bytes"] <= size * SIMILAR_SIZE
    ]
    return len(peers) >= STOP_PEERS and accuracy < statistics.median(peers) - STOP_MARGIN


def find_trained(study: optuna.Study) -> list[FrozenTrial]:
    """Return the candidates that were trained, to the end or until they were stopped."""
    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return [trial for trial in ended if "accuracies" in trial.user_attrs]


def report_trial(study: optuna.Study, trial: FrozenTrial) -> None:
    """Print a line on a candidate, unless it was dropped before it was converted."""
    if "bytes" not in trial.user_attrs:
        return
    accuracies = trial.user_attrs.get("accuracies")
    outcome = f"{100 * accuracies[-1]:.2f} %" if accuracies else "not tried"
    stopped = "  stopped" if accuracies and trial.state == TrialState.PRUNED else ""
    shape = trial.user_attrs["shape"]
    print(
        f"{len(find_trained(study)):3d}  {outcome:>9}  {trial.user_attrs['bytes']:6,} bytes  "
        f"{count_costs(parse_shape(shape)).multiply_adds:8,} multiply-adds  "
        f"{trial.duration.total_seconds():4.0f} s  {shape}{stopped}",
        file=sys.stderr,
        flush=True,
    )


class _Watcher:
    """Keeps a trial's accuracies and stops it if it is hopeless, as the training's reporter."""

    def __init__(self, trial: optuna.Trial, size: int) -> None:
        self.trial, self.size = trial, size
        self.accuracies: list[float] = []

    def step(self, epoch: int, done: int, total: int) -> None:
        pass

    def epoch(self, result: EpochResult, epochs: int) -> None:
        self.accuracies.append(result.val_accuracy)
        self.trial.set_user_attr("accuracies", self.accuracies)
        is_due = result.epoch == STOP_EPOCH < epochs
        if is_due and is_hopeless(self.trial.study, self.size, result.val_accuracy):
            raise optuna.TrialPruned("well below others of its size")
