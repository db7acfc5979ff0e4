"""The shipped models as data, what their runs gave, and which of them ships."""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from edge_mnist.files import write_atomically
from edge_mnist.model_card import ModelCard, load_card

RUNS = Path("runs/zoo")
# What the runs gave, of every seed: with it one model can be made again without the others, and
# anyone can measure the seeds that do not ship.
RESULTS = Path("benchmarks/results/zoo")

TRAIN_RESULT = "metrics.json"
TEST_RESULT = "test.json"
OPTDIGITS_RESULT = "optdigits.json"
CONFIG, HISTORY = "config.json", "history.csv"
MODEL_SUFFIXES = (".tflite", ".json", ".md")


@dataclass(frozen=True)
class ZooModel:
    """One model: its recipe has its name."""

    name: str
    max_bytes: int  # of the file
    must: float | None = None  # accuracy on MNIST's test images, 0 to 1; None: not held to any
    aim: float | None = None
    max_ratio: float | None = None  # of its instructions to the reference's; None: no limit
    elsewhere: float | None = None  # accuracy on optdigits, 0 to 1; None: not held to any
    seeds: tuple[int, ...] = (0, 1, 2)
    quantize_options: tuple[str, ...] = ("--qat-epochs", "5")


MODELS = (
    ZooModel("pico", 4_096, must=0.98, aim=0.985, max_ratio=0.3),
    ZooModel("nano", 8_192, must=0.992, aim=0.994, max_ratio=0.5),
    ZooModel(
        "micro",
        16_384,
        must=0.995,
        aim=0.9965,
        max_ratio=0.6,
        elsewhere=0.98,
        quantize_options=("--qat-epochs", "15"),
    ),
    ZooModel("small", 65_536, must=0.9965, aim=0.9975, max_ratio=3),
    ZooModel(
        "large",
        1_000_000,
        must=0.9972,
        aim=0.998,
        elsewhere=0.99,
        seeds=(0, 1),
        quantize_options=("--method", "ptq"),  # fine-tuning takes a fifth of its training's time
    ),
)

# What instructions are held against; not shipped.
REFERENCE = ZooModel("tutorial-3x3", 1_000_000, seeds=(0,))


@dataclass(frozen=True)
class SeedResult:
    """All that one seed's run gave."""

    seed: int
    model_path: Path
    card: ModelCard
    test: dict[str, Any]  # as edge-mnist evaluate --json prints it
    optdigits: dict[str, Any]
    train_seconds: float

    @property
    def validation_accuracy(self) -> float:
        """Of the int8 file on the validation images, 0 to 1."""
        return self.card.accuracy["int8 validation"].accuracy

    @property
    def test_accuracy(self) -> float:
        """Of the int8 file on the test images, 0 to 1; for the report only."""
        return self.card.accuracy["int8 test"].accuracy

    @property
    def float_test_accuracy(self) -> float:
        """Of the float model on the test images, 0 to 1; for the report only."""
        return self.card.accuracy["float test"].accuracy

    @property
    def lost_accuracy(self) -> float:
        """What int8 costs on the test images, 0 to 1; for the report only."""
        return self.float_test_accuracy - self.test_accuracy


@dataclass(frozen=True)
class Entry:
    """A model with all its results."""

    model: ZooModel
    results: Sequence[SeedResult]
    picked: SeedResult
    instructions: int | None  # of one inference of the picked one; None if they were not counted
    ratio: float | None  # of the instructions to the reference's

    @property
    def label(self) -> str:
        """As the tables tell it."""
        is_reference = self.model == REFERENCE
        return f"`{self.model.name}`" + (" (the reference)" if is_reference else "")

    @property
    def mean_accuracy(self) -> float:
        """Mean over the seeds of the int8 accuracy on the test images, 0 to 1."""
        return mean(result.test_accuracy for result in self.results)


def run_folder(name: str, seed: int) -> Path:
    """Return where a model of a seed is made."""
    return RUNS / name / f"seed-{seed}"


def keep_result(name: str, seed: int) -> None:
    """Copy what a run gave to where results are kept; without weights that can be trained on."""
    files = [f"{name}{suffix}" for suffix in MODEL_SUFFIXES]
    for file in (CONFIG, HISTORY, TEST_RESULT, OPTDIGITS_RESULT, *files):
        source = run_folder(name, seed) / file
        write_atomically(RESULTS / name / f"seed-{seed}" / file, source.read_bytes())


def load_results(name: str) -> list[SeedResult]:
    """Load the kept results of all seeds of a model, by seed."""
    results = []
    for folder in (RESULTS / name).glob("seed-*"):
        match = re.fullmatch(r"seed-(\d+)", folder.name)
        result = load_result(folder, name, int(match[1])) if match else None
        if result is not None:
            results.append(result)
    return sorted(results, key=lambda result: result.seed)


def load_result(folder: Path, name: str, seed: int) -> SeedResult | None:
    """Load the results in a folder; None if a step's are missing."""
    model_path = folder / f"{name}.tflite"
    evaluations = [folder / TEST_RESULT, folder / OPTDIGITS_RESULT]
    card = load_card(model_path)
    if card is None or not all(path.is_file() for path in (model_path, *evaluations)):
        return None
    test, optdigits = (json.loads(path.read_text()) for path in evaluations)
    return SeedResult(seed, model_path, card, test, optdigits, sum_seconds(folder / HISTORY))


def sum_seconds(history: Path) -> float:
    """Return the seconds of all epochs; metrics.json leaves those before a --resume out."""
    with history.open(newline="") as file:
        return sum(float(row["seconds"]) for row in csv.DictReader(file))


def pick_seed(results: Sequence[SeedResult]) -> SeedResult:
    """Return the result that ships: the best on validation, of equal ones the lowest seed."""
    return min(results, key=lambda result: (-result.validation_accuracy, result.seed))


def describe_seconds(seconds: float) -> str:
    """Return a time in words: 1 h 02 min, 3 min 04 s or 5 s."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
