"""`edge-mnist evaluate`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from edge_mnist import evaluation
from edge_mnist.cli.console import (
    JsonOption,
    format_percent,
    needs,
    print_result,
    render_table,
    say,
)
from edge_mnist.cli.loading import DATA_HELP, load_classifier, load_dataset, tensorflow_for
from edge_mnist.dataset import DEFAULT_DATA, DEFAULT_VALIDATION_SPLIT, Dataset, Examples
from edge_mnist.evaluation import Evaluation
from edge_mnist.model_card import load_card
from edge_mnist.model_store import find_model, is_shipped
from edge_mnist.native_output import held_native_stderr

# Maps images, uint8 [N, 28, 28], to digits, integers [N].
Predictor = Callable[[NDArray[np.uint8]], NDArray[Any]]


def evaluate(
    model: Annotated[
        str | None,
        typer.Argument(help="A shipped model's name, a .tflite or .keras file, or a run folder."),
    ] = None,
    data: Annotated[str, typer.Option(help=DATA_HELP, metavar="DATA")] = DEFAULT_DATA,
    engine: Annotated[str, typer.Option(help="What runs a .tflite file.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Folder for a picture of the confusion matrix.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a model's accuracy, by class and as a confusion matrix.

    On the data it was trained on, the test images count; on other data, all of them.

    Example: edge-mnist evaluate micro --data optdigits
    """
    predict, trained_on, validation_split = _open_predictor(model, engine)
    examples, described = _choose_images(load_dataset(data, validation_split), trained_on)
    say(f"evaluating on {described}")
    with held_native_stderr():
        predicted = predict(examples.images)
    result = evaluation.evaluate(predicted, examples.labels)
    if out is not None:
        with needs("train", "drawing"):
            from edge_mnist.training.plots import plot_confusion
        plot_confusion(result.confusion, out / "confusion.png")
    print_result(result, _render(result), as_json)


def _open_predictor(model: str | None, engine: str) -> tuple[Predictor, str | None, float]:
    """Return the model, the SHA-256 of its training data if known, and its validation split."""
    path = Path(model or "")
    if model and not is_shipped(model) and (path.suffix == ".keras" or path.is_dir()):
        with tensorflow_for("running a Keras model"):
            from edge_mnist.training import run
        keras_model, training = run.load_run(path), run.load_run_config(path)
        return (
            lambda images: run.predict_logits(keras_model, images).argmax(axis=1),
            run.load_data_sha256(path),
            training.validation_split if training else DEFAULT_VALIDATION_SPLIT,
        )
    classifier = load_classifier(model, engine)
    card = load_card(find_model(model))
    return (
        lambda images: np.array([p.digit for p in classifier.predict_batch(images)]),
        card.data["sha256"] if card else None,
        card.training["validation_split"] if card else DEFAULT_VALIDATION_SPLIT,
    )


def _choose_images(dataset: Dataset, trained_on: str | None) -> tuple[Examples, str]:
    """Return images that the model has not been trained on, and what they are in words."""
    name = dataset.name
    if trained_on is not None and trained_on != dataset.sha256:
        examples = dataset.everything()
        return examples, f"all {len(examples):,} images of {name}; it was trained on other data"
    if dataset.test is None:
        count = len(dataset.validation)
        return (
            dataset.validation,
            f"{count:,} validation images of {name}, which has no test images",
        )
    return dataset.test, f"the {len(dataset.test):,} test images of {name}"


def _render(result: Evaluation) -> str:
    classes = [
        [
            str(report.digit),
            format_percent(report.precision),
            format_percent(report.recall),
            str(report.images),
        ]
        for report in result.classes
    ]
    confusion = [[str(label), *map(str, row)] for label, row in enumerate(result.confusion)]
    return "\n".join(
        [
            f"accuracy {format_percent(result.accuracy)} of {result.images:,} images "
            f"(95 % interval {100 * result.low:.2f} to {100 * result.high:.2f})",
            "",
            render_table(("digit", "precision", "recall", "images"), classes),
            "",
            "confusion (row: label, column: read as)",
            render_table(("", *map(str, range(10))), confusion),
        ]
    )
