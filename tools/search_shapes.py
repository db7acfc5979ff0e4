"""Search network shapes for a byte budget: accuracy up, file bytes and multiply-adds down.

Usage: python tools/search_shapes.py --max-bytes 8192 --max-multiply-adds 300000 --trials 40
    --epochs 6 --storage runs/search/nano.sqlite [--jobs N]

A shape is written as in 8@5s2-16@3v-gap: 8 filters 5x5 with stride 2, 16 filters 3x3 without
padding ("valid"), then the mean of each channel. All convolutions are batch-normalised and the ten
logits at the end go without saying. The study lives in an SQLite file: a call that was cut off is
gone on with by repeating it, and several calls can work on one file. Test images are not touched.
"""

import argparse
import dataclasses
import gc
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import tf_keras
from optuna.trial import TrialState

from edge_mnist import dataset
from edge_mnist.dataset import Dataset
from edge_mnist.errors import EdgeMnistError, TrainingError
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES
from edge_mnist.quantization.convert import convert_int8
from edge_mnist.training.architectures import (
    ARCHITECTURES,
    Architecture,
    Conv,
    GlobalAverage,
    build,
    plan_multiply_adds,
)
from edge_mnist.training.device import select_device
from edge_mnist.training.fit import fit
from edge_mnist.training.history import EpochResult
from edge_mnist.training.recipes import find_recipe

Shape = tuple[Conv | GlobalAverage, ...]

NAME = "candidate"
STUDY = "shapes"
RECIPE = "micro"
DIRECTIONS = ("maximize", "minimize", "minimize")  # accuracy, bytes, multiply-adds

MIN_CONVS, MAX_CONVS = 2, 5
MIN_FILTERS, MAX_FILTERS = 4, 64  # even numbers
KERNELS = (2, 3, 4, 5)
FIRST_KERNELS = (*KERNELS, 7)

# A layer of more filters than this lets have leaves too little for the others.
BYTES_BY_LARGEST_FILTER = 250

# Fitted to converted models, within 3 %: scales, zero points and bias by channel; operators and
# tensors by layer; more where the map before the logits is a single point.
CHANNEL_BYTES, FILE_BYTES, LAYER_BYTES, POINT_BYTES, POOL_BYTES = 23, 815, 132, 150, 80
ESTIMATE_TOLERANCE = 0.04

# Small, so that a few dozen trials already breed from the best: a share of the trials.
MIN_POPULATION, POPULATION_SHARE = 4, 1 / 5
# Small steps: most children are one parent with a property or two drawn anew. Layers mixed from
# two parents seldom fit together; with Optuna's 0.9 most candidates were stopped.
CROSSOVER_PROBABILITY, MUTATION_PROBABILITY = 0.2, 0.1
# TensorFlow keeps some 50 MB of each training, so a process ends after these and a new one goes on.
TRIALS_PER_PROCESS = 12
# Candidates drawn for each that is to be trained, before the search gives up.
DRAWS_PER_TRIAL = 400

# A candidate is stopped if after this epoch its accuracy is this far below the median of at least
# so many finished ones whose files are no more than a quarter larger or smaller.
STOP_EPOCH, STOP_MARGIN, STOP_PEERS, SIMILAR_SIZE = 2, 0.005, 4, 1.25

# Known to be good, for several budgets; those outside of the budgets are passed over.
KNOWN_SHAPES = (
    "8@5s2-16@3v-16@3s2v-32@3v",  # micro
    "8@5s2v-16@3s2v-32@3v",
    "8@5s2v-16@3s2v-24@3v-32@3v",
    "8@5s2-16@3s2v-16@3v-32@3v",
    "6@5s2-12@3s2v-12@3v-16@3v",
    "4@5s2v-6@3s2v-8@3v-8@3v",
    "6@5s2-10@3v-10@3s2v-16@3v",
    "6@5s2v-10@3s2v-24@3v",
    "8@5s2-16@3s2-24@3s2-gap",
    "6@5s2v-12@3s2v-16@3v-16@3v",
    "4@5s2v-6@3s2v-10@3v",
    "4@5s2-8@3s2v-10@3s2v",
    "4@5s2-8@3s2-12@3s2-gap",
    "4@5s2-6@3s2-8@3s2-10@3s2v",
)

_LAYER = re.compile(r"(\d+)@(\d+)(?:s(\d+))?(v?)")


@dataclasses.dataclass(frozen=True)
class Budgets:
    """What a candidate has to keep to before it is trained."""

    max_bytes: int
    max_multiply_adds: int
    min_bytes: int = 0  # smaller ones are not worth the time


class Stopped(Exception):  # noqa: N818 - not an error
    """A candidate is not worth more epochs."""


def main() -> int:
    """Search, or show what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--max-bytes", type=int, default=8192)
    parser.add_argument("--min-bytes", type=int, default=0, help="leave smaller shapes out")
    parser.add_argument("--max-multiply-adds", type=int, default=300_000)
    parser.add_argument("--trials", type=int, default=40, help="trained, in the storage in all")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--storage", type=Path, default=Path("runs/search/shapes.sqlite"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes, a thread each")
    parser.add_argument("--enqueue", nargs="*", default=[], metavar="SHAPE", help="to try first")
    parser.add_argument("--show", action="store_true", help="show the front so far, train nothing")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        if arguments.show and not arguments.storage.exists():
            raise TrainingError(f"there is no search in {arguments.storage}")
        study = open_study(arguments.storage, arguments.seed, arguments.trials)
        if not arguments.show:
            budgets = Budgets(arguments.max_bytes, arguments.max_multiply_adds, arguments.min_bytes)
            known = [
                shape for shape in KNOWN_SHAPES if not check_budgets(parse_shape(shape), budgets)
            ]
            enqueue(study, [*arguments.enqueue, *known], budgets)
            if arguments.jobs > 1:
                _run_jobs(arguments.jobs)
            else:
                select_device("cpu", 0)
                digits = dataset.load(dataset.DEFAULT_DATA).without_test()
                epochs, seed = arguments.epochs, arguments.seed
                if not search(study, budgets, digits, arguments.trials, epochs, seed):
                    os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606
    except EdgeMnistError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; repeat the call to go on", file=sys.stderr)
        return 130
    rows = find_front(study)
    print(json.dumps(rows, indent=2) if arguments.json else render_front(rows))
    return 0


def open_study(storage: Path, seed: int, trials: int) -> optuna.Study:
    """Open the study in an SQLite file, or create it; `trials` are wanted in all."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=optuna.storages.RDBStorage(
            f"sqlite:///{storage}", engine_kwargs={"connect_args": {"timeout": 60}}
        ),
        study_name=STUDY,
        directions=DIRECTIONS,
        load_if_exists=True,
    )
    # A call that goes on, and one beside another, must not draw what was drawn before. Time tells
    # apart calls that start at once.
    drawn = len(study.get_trials(deepcopy=False))
    stream = np.random.SeedSequence((seed, drawn, time.time_ns() if drawn else 0))
    study.sampler = optuna.samplers.NSGAIISampler(
        population_size=max(MIN_POPULATION, round(trials * POPULATION_SHARE)),
        crossover_prob=CROSSOVER_PROBABILITY,
        mutation_prob=MUTATION_PROBABILITY,
        seed=int(stream.generate_state(1)[0]),
    )
    return study


def enqueue(study: optuna.Study, shapes: list[str], budgets: Budgets) -> None:
    """Have shapes tried before others, once.

    Raises:
        TrainingError: If one is not to be trained.
    """
    for notation in shapes:
        shape = parse_shape(notation)
        reason = check_budgets(shape, budgets)
        if reason:
            raise TrainingError(f"cannot try {notation}", got=reason)
        study.enqueue_trial(to_parameters(shape), skip_if_exists=True)


def search(
    study: optuna.Study,
    budgets: Budgets,
    digits: Dataset,
    trials: int,
    epochs: int,
    seed: int,
    at_most: int = TRIALS_PER_PROCESS,
) -> bool:
    """Train candidates until the study holds so many, or this call has trained `at_most`.

    Args:
        study: Of `open_study`.
        budgets: What candidates have to keep to.
        digits: Without test images.
        trials: How many trained candidates the study is to hold, those stopped early included.
        epochs: Of each training.
        seed: Of each training.
        at_most: How many candidates to train in this call.

    Returns:
        Whether the study holds `trials`.

    Raises:
        TrainingError: If the study's candidates were trained for another number of epochs, or
            hardly any shape keeps to the budgets.
        KeyboardInterrupt: If Ctrl-C ended a training; the study keeps all others.
    """
    if study.user_attrs.setdefault("epochs", epochs) != epochs:
        raise TrainingError(
            "accuracies after different numbers of epochs do not compare",
            expected=f"--epochs {study.user_attrs['epochs']}, as before",
            got=str(epochs),
            remedy="give another --storage",
        )
    study.set_user_attr("epochs", epochs)
    draws, last = 0, count_trained(study) + at_most
    while (trained := count_trained(study)) < trials:
        if trained >= last:
            return False
        if draws > DRAWS_PER_TRIAL * trials:
            raise TrainingError(f"{draws} shapes drawn and too few keep to the budgets")
        draws += 1
        trial = study.ask()
        shape = draw_shape(trial, budgets)
        trial.set_user_attr("shape", write_shape(shape))
        reason = check_budgets(shape, budgets) or check_novelty(study, trial)
        if reason:
            trial.set_user_attr("reason", reason)
            study.tell(trial, state=TrialState.PRUNED)
            continue
        try:
            _try_shape(study, trial, shape, budgets, digits, epochs, seed)
        except BaseException:
            study.tell(trial, state=TrialState.FAIL)
            raise
        finally:
            tf_keras.backend.clear_session()
            gc.collect()
    return True


def draw_shape(trial: Any, budgets: Budgets) -> Shape:
    """Draw a shape, no convolution with fewer filters than the one before.

    Every trial draws all five convolutions, used or not: so all have the same parameters, and the
    sampler can breed from any two.
    """
    largest = min(MAX_FILTERS, max(8, budgets.max_bytes // BYTES_BY_LARGEST_FILTER))
    count = trial.suggest_int("convs", MIN_CONVS, MAX_CONVS)
    convs, filters = [], 0
    for index in range(MAX_CONVS):
        if index == 0:
            filters = 2 * trial.suggest_int("filters/2", MIN_FILTERS // 2, largest // 4, log=True)
        else:
            # Logarithms know no 0.
            filters += 2 * (trial.suggest_int(f"growth{index}/2+1", 1, largest // 3, log=True) - 1)
        convs.append(
            Conv(
                filters,
                trial.suggest_categorical(f"kernel{index}", KERNELS if index else FIRST_KERNELS),
                stride=trial.suggest_int(f"stride{index}", 1, 2),
                padding=trial.suggest_categorical(f"padding{index}", ("same", "valid")),
                batch_norm=True,
            )
        )
    head = trial.suggest_categorical("head", ("flatten", "average"))
    return (*convs[:count], *((GlobalAverage(),) if head == "average" else ()))


def to_parameters(shape: Shape) -> dict[str, Any]:
    """Return what `draw_shape` has to draw to give this shape."""
    convs = [layer for layer in shape if isinstance(layer, Conv)]
    parameters: dict[str, Any] = {
        "convs": len(convs),
        "head": "average" if len(convs) < len(shape) else "flatten",
    }
    parameters["filters/2"] = convs[0].filters // 2
    for index in range(MAX_CONVS):
        conv = convs[min(index, len(convs) - 1)]
        if index:
            before = convs[min(index, len(convs)) - 1]
            parameters[f"growth{index}/2+1"] = max(0, conv.filters - before.filters) // 2 + 1
        parameters[f"kernel{index}"] = conv.kernel
        parameters[f"stride{index}"] = conv.stride
        parameters[f"padding{index}"] = conv.padding
    return parameters


def write_shape(shape: Shape) -> str:
    """Return a shape in notation: 8@5s2-16@3v-gap."""
    parts = []
    for layer in shape:
        if isinstance(layer, GlobalAverage):
            parts.append("gap")
            continue
        stride = f"s{layer.stride}" if layer.stride > 1 else ""
        padding = "v" if layer.padding == "valid" else ""
        parts.append(f"{layer.filters}@{layer.kernel}{stride}{padding}")
    return "-".join(parts)


def parse_shape(notation: str) -> Shape:
    """Return the shape of a notation.

    Raises:
        TrainingError: If it is none.
    """
    *parts, last = notation.split("-")
    head: Shape = (GlobalAverage(),) if last == "gap" else ()
    convs = []
    for part in parts if head else (*parts, last):
        match = _LAYER.fullmatch(part)
        if match is None or int(match[1]) % 2:
            raise TrainingError(
                "cannot read the shape",
                expected="even numbers of filters, as in 8@5s2-16@3v or 8@5s2-16@3v-gap",
                got=notation,
            )
        filters, kernel, stride, valid = match.groups()
        padding = "valid" if valid else "same"
        convs.append(Conv(int(filters), int(kernel), int(stride or 1), padding, batch_norm=True))
    if not MIN_CONVS <= len(convs) <= MAX_CONVS:
        raise TrainingError(
            "cannot read the shape", expected="two to five convolutions", got=notation
        )
    return (*convs, *head)


def check_budgets(shape: Shape, budgets: Budgets) -> str | None:
    """Return why a shape is not to be trained, as far as that shows without building it."""
    if _final_map(shape) < 1:
        return "the picture is used up"
    filters = [layer.filters for layer in shape if isinstance(layer, Conv)]
    if filters != sorted(filters):
        return "fewer filters than in the layer before"
    estimate = estimate_bytes(shape)
    if estimate > budgets.max_bytes * (1 + ESTIMATE_TOLERANCE):
        return f"about {estimate:,} bytes"
    if estimate < budgets.min_bytes * (1 - ESTIMATE_TOLERANCE):
        return f"about {estimate:,} bytes"
    ARCHITECTURES[NAME] = Architecture("", shape)
    multiply_adds = plan_multiply_adds(NAME)
    if multiply_adds > budgets.max_multiply_adds:
        return f"{multiply_adds:,} multiply-adds"
    return None


def check_novelty(study: optuna.Study, trial: optuna.Trial) -> str | None:
    """Return why a shape is not to be trained, if the study has it already."""
    for other in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)):
        if (
            other.user_attrs.get("shape") == trial.user_attrs["shape"]
            and "bytes" in other.user_attrs
        ):
            return f"as trial {other.number}"
    return None


def estimate_bytes(shape: Shape) -> int:
    """Return about how large the int8 .tflite file becomes."""
    depth, weights, channels, convs = 1, 0, NUM_CLASSES, 0
    for layer in shape:
        if isinstance(layer, Conv):
            weights += layer.kernel**2 * depth * layer.filters
            depth = layer.filters
            channels += depth
            convs += 1
    is_averaged = convs < len(shape)
    size = 1 if is_averaged else _final_map(shape)
    weights += size**2 * depth * NUM_CLASSES
    structure = FILE_BYTES + LAYER_BYTES * convs
    structure += (POINT_BYTES if size == 1 else 0) + (POOL_BYTES if is_averaged else 0)
    return weights + CHANNEL_BYTES * channels + structure


def is_hopeless(study: optuna.Study, size: int, accuracy: float) -> bool:
    """Tell whether a candidate is well below finished ones of its size after `STOP_EPOCH`."""
    peers = [
        trial.user_attrs["accuracies"][STOP_EPOCH - 1]
        for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if size / SIMILAR_SIZE <= trial.user_attrs["bytes"] <= size * SIMILAR_SIZE
        and len(trial.user_attrs["accuracies"]) >= STOP_EPOCH
    ]
    return len(peers) >= STOP_PEERS and accuracy < statistics.median(peers) - STOP_MARGIN


def count_trained(study: optuna.Study) -> int:
    """Return how many candidates were trained, to the end or until they were stopped."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return sum("accuracies" in trial.user_attrs for trial in trials)


def find_front(study: optuna.Study) -> list[dict[str, Any]]:
    """Return the candidates that no other beats in everything, smallest file first."""
    rows = [
        {
            "accuracy": trial.values[0],
            "bytes": int(trial.values[1]),
            "parameters": trial.user_attrs["parameters"],
            "multiply_adds": int(trial.values[2]),
            "shape": trial.user_attrs["shape"],
            "layers": repr(parse_shape(trial.user_attrs["shape"])),
        }
        for trial in study.best_trials
    ]
    return sorted(rows, key=lambda row: row["bytes"])


def render_front(rows: list[dict[str, Any]]) -> str:
    """Return the front as a table, and each candidate's layers below it."""
    lines = [
        "| validation | bytes | parameters | multiply-adds | shape |",
        "|---|---|---|---|---|",
        *(
            f"| {100 * row['accuracy']:.2f} % | {row['bytes']:,} | {row['parameters']:,} "
            f"| {row['multiply_adds']:,} | {row['shape']} |"
            for row in rows
        ),
        "",
        *(f"# {row['shape']}\n{row['layers']}" for row in rows),
    ]
    return "\n".join(lines)


class _Watcher:
    """Stops a hopeless candidate, as the training's reporter."""

    def __init__(self, study: optuna.Study, size: int) -> None:
        self.study, self.size = study, size
        self.accuracies: list[float] = []

    def step(self, epoch: int, done: int, total: int) -> None:
        pass

    def epoch(self, result: EpochResult, epochs: int) -> None:
        self.accuracies.append(result.val_accuracy)
        is_due = result.epoch == STOP_EPOCH < epochs
        if is_due and is_hopeless(self.study, self.size, result.val_accuracy):
            raise Stopped


def _try_shape(
    study: optuna.Study,
    trial: optuna.Trial,
    shape: Shape,
    budgets: Budgets,
    digits: Dataset,
    epochs: int,
    seed: int,
) -> None:
    """Measure a shape's file, train it if that keeps to the budget, and tell the study."""
    started = time.perf_counter()
    ARCHITECTURES[NAME] = Architecture("", shape)
    tf_keras.utils.set_random_seed(seed)
    model = build(NAME)
    # Ranges do not change the size, so images of noise and an untrained model will do.
    noise = np.random.default_rng(0).integers(0, 256, (2, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    size = len(convert_int8(model, noise))
    trial.set_user_attr("bytes", size)
    trial.set_user_attr("parameters", int(model.count_params()))
    if not budgets.min_bytes <= size <= budgets.max_bytes:
        trial.set_user_attr("reason", f"{size:,} bytes")
        study.tell(trial, state=TrialState.PRUNED)
        return
    watcher = _Watcher(study, size)
    config = dataclasses.replace(find_recipe(RECIPE), arch=NAME, epochs=epochs, seed=seed)
    state = TrialState.COMPLETE
    try:
        if fit(model, digits.train, digits.validation, config, reporter=watcher).interrupted:
            raise KeyboardInterrupt
    except Stopped:
        state = TrialState.PRUNED
        trial.set_user_attr("reason", f"well below the median after epoch {STOP_EPOCH}")
    trial.set_user_attr("accuracies", watcher.accuracies)
    multiply_adds = plan_multiply_adds(NAME)
    values = [watcher.accuracies[-1], size, multiply_adds] if state == TrialState.COMPLETE else None
    study.tell(trial, values, state=state)
    print(
        f"{count_trained(study):3d}  {100 * watcher.accuracies[-1]:.2f} %  {size:6,} bytes  "
        f"{multiply_adds:8,} multiply-adds  {time.perf_counter() - started:4.0f} s  "
        f"{trial.user_attrs['shape']}{'  stopped' if state == TrialState.PRUNED else ''}",
        file=sys.stderr,
        flush=True,
    )


def _final_map(shape: Shape) -> int:
    """Return the side of the last convolution's output, 0 if the picture is used up before."""
    size = IMAGE_SIZE
    for layer in shape:
        if isinstance(layer, Conv):
            size = size - layer.kernel + 1 if layer.padding == "valid" else size
            size = -(-size // layer.stride)
            if size < 1:
                return 0
    return size


def _run_jobs(jobs: int) -> None:
    """Run this call in several processes that share the storage."""
    command = [sys.executable, *sys.argv, "--jobs", "1"]
    workers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(jobs)]
    try:
        codes = [worker.wait() for worker in workers]
    except KeyboardInterrupt:
        # The terminal told the workers, too.
        for worker in workers:
            worker.wait()
        raise
    if any(codes):
        raise TrainingError("a job failed", got=f"exit codes {codes}")


if __name__ == "__main__":
    sys.exit(main())
