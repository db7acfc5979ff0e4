"""One thread or TensorFlow's choice: which trains a network faster on this CPU?

Usage: python benchmarks/threads.py (about three minutes)
"""

import dataclasses
import os
import subprocess
import sys

import numpy as np
from report import render_markdown_table, write_report

RECIPES = ("tutorial-4x4", "micro", "classic-dropout")
IMAGES = 20_000
ROUNDS = 2


def main() -> None:
    """Time an epoch of each recipe both ways, in processes of their own, in turn."""
    rows = []
    for recipe in RECIPES:
        figures: dict[str, list[float]] = {"1": [], "0": []}
        for _ in range(ROUNDS):
            for threads, seconds in figures.items():
                seconds.append(time_epoch(recipe, threads))
        one, many = np.median(figures["1"]), np.median(figures["0"])
        step = describe_step(recipe)
        rows.append([f"`{recipe}`", step, f"{many:.2f}", f"{one:.2f}", f"{one / many:.2f}"])
    header = ["recipe", "multiply-adds a step", "default, s", "one thread, s", "ratio"]
    write_report(
        "threads",
        "Threads in training",
        "python benchmarks/threads.py",
        f"Seconds for an epoch of {IMAGES:,} MNIST images, the second of two, median of "
        f"{ROUNDS} rounds.\n\n" + render_markdown_table(header, rows),
    )


def describe_step(recipe: str) -> str:
    """Return the multiply-adds of a step's forward pass as text."""
    from edge_mnist.training.recipes import find_recipe
    from edge_mnist.training.run import count_step_multiply_adds

    return f"{count_step_multiply_adds(find_recipe(recipe)):,}"


def time_epoch(recipe: str, threads: str) -> float:
    """Return the seconds of an epoch; threads is a number, 0 for TensorFlow's choice."""
    environment = {
        **os.environ,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
    }
    answer = subprocess.run(
        [sys.executable, __file__, "--one", recipe],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(answer.stdout.splitlines()[-1])


def run_one(recipe: str) -> float:
    """Train for two epochs; return the seconds of the second."""
    from edge_mnist import dataset
    from edge_mnist.training.architectures import build
    from edge_mnist.training.fit import fit
    from edge_mnist.training.recipes import find_recipe

    config = dataclasses.replace(find_recipe(recipe), epochs=2, patience=None)
    digits = dataset.load()
    few = digits.train.take(np.arange(IMAGES))
    return fit(build(config.arch), few, digits.validation, config).history[-1].seconds


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(run_one(sys.argv[2]))
    else:
        main()
