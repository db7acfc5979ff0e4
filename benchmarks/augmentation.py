"""What each random variation gives: short trainings of `micro` that differ in it alone.

Usage: python benchmarks/augmentation.py [NAME ...] (about ten minutes on one core for all).
A training that was cut off is gone on with; one that is finished is not repeated
(runs/augmentation/).
"""

import csv
import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import Any

from report import render_markdown_table, write_report

from edge_mnist.training.config import Augmentation
from edge_mnist.training.recipes import find_recipe

RUNS = Path("runs/augmentation")
EPOCHS = 5

AFFINE = Augmentation()


def besides_affine(**limits: float) -> dict[str, Any]:
    """Return the settings of a training with more variations than the affine ones."""
    return {"augmentation": dataclasses.replace(AFFINE, **limits)}


# Settings of the training that are not those of the second.
VARIATIONS: dict[str, dict[str, Any]] = {
    "none, not even affine": {"augmentation": None},
    "affine": {},
    "zoom 0.3 in place of 0.12": besides_affine(zoom=0.3),
    "stroke 0.5": besides_affine(stroke=0.5),
    "elastic 0.3": besides_affine(elastic_px=0.3),
    "low resolution 0.5": besides_affine(low_resolution=0.5),
    "blur 0.5": besides_affine(blur=0.5),
    "gamma 0.3": besides_affine(gamma=0.3),
    "contrast 0.3": besides_affine(contrast=0.3),
    "noise 0.1": besides_affine(noise=0.1),
    "stroke 0.5, elastic 0.3, low resolution 0.3, blur 0.3": besides_affine(
        stroke=0.5, elastic_px=0.3, low_resolution=0.3, blur=0.3
    ),
    "stroke 0.5, low resolution 0.5, contrast 0.3": besides_affine(
        stroke=0.5, low_resolution=0.5, contrast=0.3
    ),
    "the same, plain 0.5": besides_affine(stroke=0.5, low_resolution=0.5, contrast=0.3, plain=0.5),
    "crops 0.5": {"crops": 0.5},
    "handwriting 0.03": {"handwriting": 0.03},
    "styles 0.03125": {"styles": 0.03125},
    "outliers 0.078125": {"outliers": 0.078125},
    "pairs 0.015625": {"pairs": 0.015625},
}


def main() -> None:
    """Train what is asked for and write the table of all that has been trained."""
    for name in sys.argv[1:] or VARIATIONS:
        train(name)
    rows = []
    for name in VARIATIONS:
        run = folder_of(name)
        if not is_finished(run):
            continue
        metrics = json.loads((run / "metrics.json").read_text())
        rows.append(
            [
                name,
                f"{100 * metrics['validation']['accuracy']:.2f} %",
                f"{100 * measure_elsewhere(run):.2f} %",
                f"{mean_epoch_seconds(run):.1f}",
            ]
        )
    write_report(
        "augmentation",
        "What each variation of the training images gives",
        "python benchmarks/augmentation.py",
        render_markdown_table(["besides affine", "validation", "optdigits", "s/epoch"], rows)
        + f"\n\n`micro` in float32, {EPOCHS} epochs, one training each with seed 0, the limits as "
        "in `config.json`. One image of the 5,000 for validation is 0.02 points: differences "
        "below 0.15 points there, and below 1 point on optdigits, are chance.",
    )


def train(name: str) -> None:
    """Run `edge-mnist train` with one variation, to its end."""
    run = folder_of(name)
    if is_finished(run):
        return
    settings = {"augmentation": AFFINE, "crops": 0.0} | VARIATIONS[name]
    recipe = find_recipe("micro").without_extras()
    config = dataclasses.replace(recipe, recipe="custom", epochs=EPOCHS, **settings)
    RUNS.mkdir(parents=True, exist_ok=True)
    config_path = RUNS / f"{run.name}.json"
    config_path.write_text(config.to_json())
    arguments = ["train", "--config", str(config_path), "--out", str(run)]
    if (run / "config.json").exists():
        arguments.append("--resume")
    subprocess.run([sys.executable, "-m", "edge_mnist", *arguments], check=True)


def is_finished(run: Path) -> bool:
    """Return whether a training went to its end; Ctrl-C leaves metrics too."""
    path = run / "metrics.json"
    return path.exists() and not json.loads(path.read_text())["interrupted"]


def mean_epoch_seconds(run: Path) -> float:
    """Return the mean over all epochs; metrics.json leaves those before a --resume out."""
    with (run / "history.csv").open(newline="") as file:
        return mean(float(row["seconds"]) for row in csv.DictReader(file))


def folder_of(name: str) -> Path:
    """Return the run folder of a variation."""
    return RUNS / name.replace(",", "").replace(" ", "-")


def measure_elsewhere(run: Path) -> float:
    """Return the accuracy on optdigits, kept beside the run once it is known."""
    path = run / "optdigits.json"
    if not path.exists():
        arguments = ["evaluate", str(run), "--data", "optdigits", "--json"]
        command = [sys.executable, "-m", "edge_mnist", *arguments]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        path.write_bytes(done.stdout)
    return float(json.loads(path.read_text())["accuracy"])


if __name__ == "__main__":
    main()
