"""`edge-mnist evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_mnist.cli.console import (
    JsonOption,
    format_percent,
    needs,
    print_result,
    render_table,
    say,
)
from edge_mnist.cli.loading import DATA_HELP, load_dataset, tensorflow_for
from edge_mnist.dataset import DEFAULT_DATA

if TYPE_CHECKING:
    from edge_mnist.evaluation import Evaluation


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
    from edge_mnist.evaluation import evaluate as compare

    predict, trained_on = _open_predictor(model, engine)
    examples, described = _choose_images(data, trained_on)
    say(f"evaluating on {described}")
    result = compare(predict(examples.images), examples.labels)
    if out is not None:
        with needs("train", "drawing"):
            from edge_mnist.training.plots import plot_confusion
        plot_confusion(result.confusion, out / "confusion.png")
    print_result(result, _render(result), as_json)


def _open_predictor(model: str | None, engine: str) -> tuple[Any, str | None]:
    """Return what maps images [N, 28, 28] to digits [N], and the data that it was trained on."""
    import numpy as np

    path = Path(model or "")
    if model and (path.suffix == ".keras" or path.is_dir()):
        with tensorflow_for("running a Keras model"):
            from edge_mnist.training.run import load_run, predict_logits
        keras_model, config = load_run(path)
        return (
            lambda images: predict_logits(keras_model, images).argmax(axis=1),
            config.data if config else None,
        )
    from edge_mnist.model_card import load_card
    from edge_mnist.model_store import find_model
    from edge_mnist.runtime import Classifier

    classifier = Classifier.load(model, engine=engine)
    card = load_card(find_model(model))
    return (
        lambda images: np.array([p.digit for p in classifier.predict_batch(images)]),
        card.data["name"] if card else None,
    )


def _choose_images(data: str, trained_on: str | None) -> tuple[Any, str]:
    """Return the images that the model has not seen, and what they are in words."""
    dataset = load_dataset(data)
    if trained_on is not None and trained_on != data:
        examples = dataset.everything()
        return examples, f"all {len(examples):,} images of {data} (trained on {trained_on})"
    if dataset.test is None:
        return dataset.validation, (
            f"{len(dataset.validation):,} validation images of {data}, which has no test images"
        )
    return dataset.test, f"the {len(dataset.test):,} test images of {data}"


def _render(result: "Evaluation") -> str:
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
