"""Train every published recipe and hold it against the figure that its tutorial reports.

Usage: python benchmarks/recipes.py [RECIPE ...] (about 15 minutes on two cores for all). A run
that was cut off is gone on with; one that is finished is not trained again (runs/recipes/).
"""

import json
import subprocess
import sys
from pathlib import Path

from report import render_markdown_table, write_report

RUNS = Path("runs/recipes")

# Recipe: the figure on the MNIST test set, and whether it is a lower limit or to be exceeded.
PUBLISHED = {
    "tutorial-4x4": (0.9817, "≥"),
    "tutorial-3x3": (0.9815, "≥"),
    "classic-dropout": (0.98, ">"),
    "classic-validation": (0.98, ">"),
    "classic-augmented": (0.992, "≥"),
}


def main() -> None:
    """Train what is asked for and write the table of all that has been trained."""
    for recipe in sys.argv[1:] or PUBLISHED:
        train(recipe)
    rows = []
    for recipe, (figure, sign) in PUBLISHED.items():
        path = RUNS / recipe / "metrics.json"
        if not path.exists():
            continue
        metrics = json.loads(path.read_text())
        test = metrics["test"]
        rows.append(
            [
                f"`{recipe}`",
                f"{metrics['parameters']:,}",
                str(metrics["epochs"]),
                f"{100 * metrics['validation']['accuracy']:.2f} %",
                f"{sign} {100 * figure:.2f} %",
                f"**{100 * test['accuracy']:.2f} %** "
                f"({100 * test['low']:.2f} to {100 * test['high']:.2f})",
                "reached" if is_reached(test["accuracy"], figure, sign) else "**missed**",
            ]
        )
    header = ["recipe", "parameters", "epochs", "validation", "published", "MNIST test", ""]
    write_report(
        "recipes",
        "The tutorials' recipes",
        "python benchmarks/recipes.py",
        render_markdown_table(header, rows)
        + "\n\nOne run each with seed 0; the test images chose nothing. In brackets: the 95 % "
        "interval of the accuracy.",
    )


def train(recipe: str) -> None:
    """Run `edge-mnist train` for one recipe, to its end."""
    out = RUNS / recipe
    if (out / "metrics.json").exists():
        return
    arguments = ["train", "--recipe", recipe, "--out", str(out)]
    if (out / "config.json").exists():
        arguments.append("--resume")
    subprocess.run([sys.executable, "-m", "edge_mnist", *arguments], check=True)


def is_reached(accuracy: float, figure: float, sign: str) -> bool:
    """Return whether an accuracy reaches a figure, or exceeds it where the sign is >."""
    return accuracy > figure if sign == ">" else accuracy >= figure


if __name__ == "__main__":
    main()
