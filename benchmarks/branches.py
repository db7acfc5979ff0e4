"""What convolutions that are sums of several while they train give: trainings that differ in it.

Usage: python benchmarks/branches.py (twenty minutes on two cores); a training that was cut off is
gone on with, one that is finished is not repeated (runs/branches/). Writes results/branches.md.
Test images choose nothing.
"""

import csv
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from report import render_markdown_table, write_report
from validation import as_percent, make_sets

from edge_mnist.cli.loading import load_dataset
from edge_mnist.dataset import Examples

RUNS = Path("runs/branches")
RECIPE = "micro"
SEEDS = (0, 1)
# Branches and epochs: both take about as long.
TRAININGS = ((1, 24), (3, 14))
JOBS = 2

HEADER = ["branches", "epochs", "s/epoch", "loss", "as they are", "slightly varied", "as crops"]


def main() -> None:
    """Train what is not there yet, and write the table."""
    runs = [(*training, seed) for training in TRAININGS for seed in SEEDS]
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(train, runs))
    sets = make_sets(load_dataset("mnist").validation)
    rows = []
    for branches, epochs in TRAININGS:
        folders = [folder_of((branches, epochs, seed)) for seed in SEEDS]
        histories = [read_history(folder) for folder in folders]
        wrong = np.mean([measure(folder, sets) for folder in folders], axis=0)
        rows.append(
            [
                str(branches),
                str(epochs),
                f"{mean(line['seconds'] for history in histories for line in history):.1f}",
                f"{mean(history[-1]['loss'] for history in histories):.4f}",
                *map(as_percent, wrong),
            ]
        )
    write_report(
        "branches",
        "What branches give",
        "python benchmarks/branches.py",
        render_markdown_table(HEADER, rows)
        + f"\n\n`edge-mnist train --recipe {RECIPE}` with these `--branches` and `--epochs`, the "
        f"mean of {len(SEEDS)} seeds, {JOBS} trainings at a time, in float32. Loss: of the "
        "training images in the last epoch. The others: misread validation digits, as they are and "
        "changed as in [validation.md](validation.md). The network that comes out is of one size "
        "in all rows.",
    )


def train(run: tuple[int, int, int]) -> None:
    """Run `edge-mnist train` to its end."""
    folder = folder_of(run)
    metrics = folder / "metrics.json"
    if metrics.exists() and not json.loads(metrics.read_text())["interrupted"]:
        return
    branches, epochs, seed = run
    arguments = ["train", "--recipe", RECIPE, "--branches", branches, "--epochs", epochs]
    arguments += ["--seed", seed, "--out", folder]
    if (folder / "config.json").exists():
        arguments.append("--resume")
    command = [sys.executable, "-m", "edge_mnist", *map(str, arguments)]
    subprocess.run(command, check=True)


def folder_of(run: tuple[int, int, int]) -> Path:
    """Return the run folder of so many branches, epochs and a seed."""
    return RUNS / "{}-branches-{}-epochs-seed-{}".format(*run)


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Return history.csv, a row an epoch."""
    with (folder / "history.csv").open(newline="") as file:
        return [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def measure(folder: Path, sets: list[list[Examples]]) -> list[float]:
    """Return what share of each kind of set the run's model misreads, 0 to 1."""
    # TensorFlow takes seconds to import, which no training here waits for.
    from edge_mnist.training.run import load_run, predict_logits

    model = load_run(folder)
    return [
        mean(
            float(np.mean(predict_logits(model, one.images).argmax(axis=1) != one.labels))
            for one in kind
        )
        for kind in sets
    ]


if __name__ == "__main__":
    main()
