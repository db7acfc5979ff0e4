"""What each random variation gives: short trainings of `micro` that differ in it alone.

Usage: python benchmarks/augmentation.py [NAME ...] (about a quarter of an hour on one core for
all). A training that was cut off is gone on with; one that is finished is not repeated
(runs/augmentation/).
"""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from report import render_markdown_table, write_report

from edge_mnist.training.config import Augmentation
from edge_mnist.training.recipes import find_recipe

RUNS = Path("runs/augmentation")
EPOCHS = 15

AFFINE = Augmentation()
ALL_BUT_ELASTIC: dict[str, Any] = {
    "stroke": 0.5,
    "low_resolution": 0.5,
    "blur": 0.3,
    "gamma": 0.3,
    "contrast": 0.3,
    "noise": 0.05,
}
VARIATIONS: dict[str, Augmentation | None] = {
    "none": None,
    "affine": AFFINE,
    "stroke-0.5": dataclasses.replace(AFFINE, stroke=0.5),
    "stroke-0.8": dataclasses.replace(AFFINE, stroke=0.8),
    "elastic": dataclasses.replace(AFFINE, elastic_px=0.4),
    "low-resolution": dataclasses.replace(AFFINE, low_resolution=0.5),
    "blur": dataclasses.replace(AFFINE, blur=0.5),
    "gamma": dataclasses.replace(AFFINE, gamma=0.3),
    "contrast": dataclasses.replace(AFFINE, contrast=0.4),
    "noise": dataclasses.replace(AFFINE, noise=0.1),
    "wide-affine": Augmentation(rotation_deg=15, shear=0.25, zoom=0.2, shift_px=2.5),
    "all-but-elastic": dataclasses.replace(AFFINE, **ALL_BUT_ELASTIC),
    "all": dataclasses.replace(AFFINE, elastic_px=0.3, **ALL_BUT_ELASTIC),
}


def main() -> None:
    """Train what is asked for and write the table of all that has been trained."""
    for name in sys.argv[1:] or VARIATIONS:
        train(name)
    rows = []
    for name, augmentation in VARIATIONS.items():
        run = RUNS / name
        if not (run / "metrics.json").exists():
            continue
        metrics = json.loads((run / "metrics.json").read_text())
        rows.append(
            [
                name,
                describe(augmentation),
                f"{100 * metrics['validation']['accuracy']:.2f} %",
                f"{100 * measure_elsewhere(run):.2f} %",
                f"{metrics['seconds'] / metrics['epochs']:.1f}",
            ]
        )
    header = ["name", "besides rotation, shear, zoom, shift", "validation", "optdigits", "s/epoch"]
    write_report(
        "augmentation",
        "What each variation of the training images gives",
        "python benchmarks/augmentation.py",
        render_markdown_table(header, rows)
        + f"\n\n`micro` in float32, {EPOCHS} epochs, one training each with seed 0. One image of "
        "the 5,000 for validation is 0.02 points; differences below 0.1 are chance.",
    )


def train(name: str) -> None:
    """Run `edge-mnist train` with one variation, to its end."""
    run = RUNS / name
    if (run / "metrics.json").exists():
        return
    recipe = dataclasses.replace(find_recipe("micro"), recipe="custom", arch="micro")
    config = dataclasses.replace(recipe, epochs=EPOCHS, augmentation=VARIATIONS[name])
    RUNS.mkdir(parents=True, exist_ok=True)
    config_path = RUNS / f"{name}.json"
    config_path.write_text(config.to_json())
    arguments = ["train", "--config", str(config_path), "--out", str(run)]
    if (run / "config.json").exists():
        arguments.append("--resume")
    subprocess.run([sys.executable, "-m", "edge_mnist", *arguments], check=True)


def measure_elsewhere(run: Path) -> float:
    """Return the accuracy on optdigits, kept beside the run once it is known."""
    path = run / "optdigits.json"
    if not path.exists():
        arguments = ["evaluate", str(run), "--data", "optdigits", "--json"]
        command = [sys.executable, "-m", "edge_mnist", *arguments]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        path.write_bytes(done.stdout)
    return float(json.loads(path.read_text())["accuracy"])


def describe(augmentation: Augmentation | None) -> str:
    """Return the limits that differ from the plain affine ones, in words."""
    if augmentation is None:
        return "not even those"
    differing = [
        f"{field} {value:g}"
        for field, value in vars(augmentation).items()
        if value != getattr(AFFINE, field)
    ]
    return ", ".join(differing) or "nothing"


if __name__ == "__main__":
    main()
