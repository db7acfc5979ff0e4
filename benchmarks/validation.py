"""What recipes are chosen by: errors on validation digits, as they are and changed a little.

Usage: python benchmarks/validation.py [MODEL.tflite ...]; writes results/validation.md

Without a model those of the family are measured, every seed that benchmarks/results/zoo keeps.
With some nothing is written: a recipe on trial is held against them. 5,000 digits as they are tell
too little of models that misread 15 of them; changed, the same digits tell more. MNIST's test
images choose nothing, so they are not here.
"""

import sys
from collections.abc import Sequence
from statistics import mean

import numpy as np
from report import RESULTS, render_markdown_table, write_report

from edge_mnist import Classifier
from edge_mnist.cli.loading import load_dataset
from edge_mnist.corruptions import corrupt
from edge_mnist.dataset import Examples
from edge_mnist.errors import EdgeMnistError
from edge_mnist.model_store import shipped_models
from edge_mnist.training.crops import MAX_SIDE, MIN_SIDE, make_crops

# As `edge-mnist evaluate --corrupt` changes test digits, at the least of its strengths.
VARIATIONS = ("rotation", "narrow", "perspective", "thin strokes", "thick strokes", "few pixels")
STRENGTH = 1
CROP_SEEDS = range(4)

HEADER = ["as they are", "slightly varied", "as crops"]


def main() -> int:
    """Measure, print, and write what belongs to the family."""
    try:
        on_trial = {path: Classifier.load(path) for path in sys.argv[1:]}
        validation = load_dataset("mnist").validation
        sets = make_sets(validation)
        if on_trial:
            cells = [
                [path, *map(as_percent, measure(classifier, sets))]
                for path, classifier in on_trial.items()
            ]
            print(render_markdown_table(["model", *HEADER], cells))
            return 0
        rows = [[f"`{model.name}`", *summarize(model.name, sets)] for model in shipped_models()]
    except EdgeMnistError as exc:
        print(f"validation: {exc}", file=sys.stderr)
        return 1
    write_report(
        "validation",
        "Errors on validation digits",
        "python benchmarks/validation.py",
        render_markdown_table(["model", "seeds", *HEADER], rows)
        + f"\n\nOf MNIST's {len(validation):,} validation digits these are misread, as int8 files "
        "in the runtime: the mean over the seeds, in brackets the least to the most. Slightly "
        f"varied: {', '.join(VARIATIONS)}, as `edge-mnist evaluate --corrupt` does them at its "
        f"least strength. As crops: brought into resolutions of {MIN_SIDE} to {MAX_SIDE} pixels "
        "and back through preprocessing. Recipes are chosen by these figures; what is rejected "
        "counts as it is read.",
    )
    return 0


def make_sets(digits: Examples) -> list[list[Examples]]:
    """Return the digits as they are, slightly varied and as crops, each in one set or more."""
    varied = [corrupt(digits.images, kind, STRENGTH) for kind in VARIATIONS]
    crops = [make_crops(digits.images, seed) for seed in CROP_SEEDS]
    return [
        [Examples(images, digits.labels) for images in sets]
        for sets in ([digits.images], varied, crops)
    ]


def measure(classifier: Classifier, sets: Sequence[Sequence[Examples]]) -> list[float]:
    """Return what share of each kind of set a model misreads, 0 to 1."""
    return [mean(count_wrong(classifier, examples) for examples in kind) for kind in sets]


def count_wrong(classifier: Classifier, examples: Examples) -> float:
    """Return the share of examples that are misread."""
    read = [prediction.digit for prediction in classifier.predict_batch(examples.images)]
    return float(np.mean(np.array(read) != examples.labels))


def summarize(name: str, sets: Sequence[Sequence[Examples]]) -> list[str]:
    """Return the cells of a model's row: how many seeds, and of each kind the mean and range."""
    paths = sorted(RESULTS.glob(f"zoo/{name}/seed-*/{name}.tflite"))
    kinds = zip(*(measure(Classifier.load(path), sets) for path in paths), strict=True)
    return [
        str(len(paths)),
        *(
            f"{as_percent(mean(shares))} ({100 * min(shares):.2f} to {100 * max(shares):.2f})"
            for shares in kinds
        ),
    ]


def as_percent(share: float) -> str:
    """Return a share as the tables tell it."""
    return f"{100 * share:.3f} %"


if __name__ == "__main__":
    sys.exit(main())
