"""What optdigits allow: what models make of them that learned from the same collection.

Usage: python benchmarks/elsewhere.py (seconds); writes results/elsewhere.md

A support vector machine learns from four fifths of the 1,797 digits and reads the rest. Cut into
folds as they stand, neighbours are together, which seem to be of one writer: then those that are
read are of other writers. Mixed, it has seen the hands that it reads. The shipped models have
learned from MNIST alone, and from what training draws.
"""

import numpy as np
from report import render_markdown_table, write_report
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold, cross_val_score
from sklearn.svm import SVC

from edge_mnist import Classifier, dataset
from edge_mnist.model_store import shipped_models

FOLDS = 5
# Those of scikit-learn's own example on these digits; C is its usual optimum there.
SETTINGS = {"C": 10, "gamma": 0.001}


def main() -> None:
    """Measure, print and write the table."""
    digits = load_digits()
    rows = []
    for described, folds in (
        ("optdigits, as they stand", KFold(FOLDS)),
        ("optdigits, mixed", KFold(FOLDS, shuffle=True, random_state=0)),
    ):
        shares = cross_val_score(SVC(**SETTINGS), digits.data, digits.target, cv=folds)
        rows.append(
            [
                "support vector machine",
                described,
                f"{100 * shares.mean():.2f} %",
                f"{100 * shares.min():.2f} to {100 * shares.max():.2f} %",
            ]
        )
    examples = dataset.load("optdigits").everything()
    for model in shipped_models():
        predictions = Classifier.load(model.name).predict_batch(examples.images)
        share = np.mean(np.array([p.digit for p in predictions]) == examples.labels)
        rows.append([f"`{model.name}`", "MNIST", f"{100 * share:.2f} %", ""])
    write_report(
        "elsewhere",
        "What optdigits allow",
        "python benchmarks/elsewhere.py",
        render_markdown_table(["model", "learned from", "reads optdigits", "by fold"], rows)
        + f"\n\nThe support vector machine takes the 8x8 pixels as they are, {FOLDS}-fold. As they "
        "stand, neighbours seem to be of one writer, as the gap between both rows suggests, and "
        "what is read is of others than it has learned from; mixed, it knows the hands.",
    )


if __name__ == "__main__":
    main()
