"""The compiled training loop against plain `Model.fit`, same recipe, same machine, same run.

Usage: python benchmarks/training_throughput.py [RECIPE] (about two minutes for tutorial-4x4)

Each variant runs in a process of its own. The time is that of the whole training: building,
tracing, five epochs with validation; not the imports and not the reading of the data.
"""

import dataclasses
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
from report import render_markdown_table, write_report

TARGET = 0.9817
ROUNDS = 2
VARIANTS = {
    "plain `Model.fit`, float32 arrays": "plain",
    "`Model.fit`, 50 steps per execution": "steps",
    "`Model.fit`, 50 steps per execution, XLA": "xla",
    "`edge-mnist train`": "ours",
}


def main() -> None:
    """Run every variant in turn, several times round, and write the report."""
    recipe = sys.argv[1] if len(sys.argv) > 1 else "tutorial-4x4"
    results: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    for _ in range(ROUNDS):
        for name, variant in VARIANTS.items():
            answer = subprocess.run(
                [sys.executable, __file__, "--one", recipe, variant],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout
            results[name].append(json.loads(answer.splitlines()[-1]))
            print(f"{name}: {results[name][-1]}", file=sys.stderr)
    plain_s = min(run["seconds"] for run in results["plain `Model.fit`, float32 arrays"])
    rows = []
    for name, runs in results.items():
        seconds = min(run["seconds"] for run in runs)
        accuracy = runs[0]["test_accuracy"]
        rows.append(
            [
                name,
                f"{seconds:.1f}",
                f"{seconds / plain_s:.2f}",
                f"{100 * accuracy:.2f} %" + ("" if accuracy >= TARGET else " (short)"),
            ]
        )
    header = ["", "seconds", "of plain", "MNIST test"]
    write_report(
        "training_throughput",
        f"Training `{recipe}` to its end",
        "python benchmarks/training_throughput.py",
        render_markdown_table(header, rows)
        + f"\n\nThe faster of {ROUNDS} rounds, variants in turn, seed 0; the same "
        "optimizer, rates, batch size and epochs, none stopped early.",
    )


def run_one(recipe: str, variant: str) -> dict[str, float]:
    """Train once; return the seconds it took and the accuracy on the test images."""
    import tf_keras

    from edge_mnist import dataset
    from edge_mnist.training.architectures import build, plan_multiply_adds
    from edge_mnist.training.device import select_device
    from edge_mnist.training.fit import fit
    from edge_mnist.training.recipes import find_recipe
    from edge_mnist.training.run import predict_logits

    # All train to the end: stopping early in one of them would make it look quicker.
    config = dataclasses.replace(find_recipe(recipe), patience=None)
    assert config.augmentation is None, "Model.fit here has no augmentation to compare with"
    digits = dataset.load(validation_split=config.validation_split)
    assert digits.test is not None
    if variant == "ours":
        select_device("cpu", config.batch_size * plan_multiply_adds(config.arch))
    tf_keras.utils.set_random_seed(config.seed)
    started = time.perf_counter()
    model = build(config.arch)
    if variant == "ours":
        fit(model, digits.train, digits.validation, config)
    else:
        fit_plainly(model, digits, config, variant)
    seconds = time.perf_counter() - started
    predicted = predict_logits(model, digits.test.images).argmax(axis=1)
    return {
        "seconds": round(seconds, 2),
        "test_accuracy": float((predicted == digits.test.labels).mean()),
    }


def fit_plainly(model: Any, digits: Any, config: Any, variant: str) -> None:
    """Train as a tutorial would, with the rates of our recipe."""
    import tf_keras

    from edge_mnist.training.optimizer import build_optimizer

    steps = -(-len(digits.train) // config.batch_size)
    model.compile(
        build_optimizer(model, config, steps),
        tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=1 if variant == "plain" else 50,
        jit_compile=variant == "xla",
    )

    def to_float(images: Any) -> Any:
        return images[..., None].astype(np.float32) / 255

    model.fit(
        to_float(digits.train.images),
        digits.train.labels,
        batch_size=config.batch_size,
        epochs=config.epochs,
        validation_data=(to_float(digits.validation.images), digits.validation.labels),
        verbose=0,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(run_one(sys.argv[2], sys.argv[3])))
    else:
        main()
