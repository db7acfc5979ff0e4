"""`edge-mnist evaluate`."""

import dataclasses
from pathlib import Path
from typing import Annotated

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
from edge_mnist.cli.loading import (
    DATA_HELP,
    load_classifier,
    load_dataset,
    tensorflow_for,
)
from edge_mnist.cli.robustness import (
    Predictor,
    Readings,
    measure_corruptions,
    measure_non_digits,
    render_corruptions,
    render_non_digits,
)
from edge_mnist.dataset import DEFAULT_DATA, DEFAULT_VALIDATION_SPLIT, Examples
from edge_mnist.evaluation import Evaluation
from edge_mnist.files import expect_folder
from edge_mnist.model_card import load_card
from edge_mnist.model_store import find_model, is_shipped
from edge_mnist.native_output import held_native_stderr
from edge_mnist.runtime import Classifier
from edge_mnist.trained_on import TrainedOn, choose_unseen, choose_validation


def evaluate(
    model: Annotated[
        str | None,
        typer.Argument(help="A shipped model's name, a .tflite or .keras file, or a run folder."),
    ] = None,
    data: Annotated[str, typer.Option(help=DATA_HELP, metavar="DATA")] = DEFAULT_DATA,
    engine: Annotated[str, typer.Option(help="What runs a .tflite file.")] = "auto",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for pictures: the confusion matrix, with --corrupt samples."),
    ] = None,
    corrupt: Annotated[
        bool, typer.Option("--corrupt", help="Also on images with noise, blur, other pens, ...")
    ] = False,
    non_digits: Annotated[
        bool, typer.Option("--non-digits", help="Also how many pictures of no digit it rejects.")
    ] = False,
    validation: Annotated[
        bool,
        typer.Option("--validation", help="On the validation images: to choose a model by."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a model's accuracy, by class and as a confusion matrix.

    On data that it was trained on, the test images count; on other data, all that it has not seen.

    Example: edge-mnist evaluate micro --data optdigits
    """
    expect_folder("--out", out)
    predict, trained_on, validation_split = _open_predictor(model, engine)
    choose = choose_validation if validation else choose_unseen
    examples, described = choose(load_dataset(data, validation_split), trained_on)
    say(f"evaluating on {described}")
    with held_native_stderr():
        read = predict(examples.images)
    result = evaluation.evaluate(read.digits, examples.labels, read.confidences, read.rejected)
    fields, text = dataclasses.asdict(result), [_render(result)]
    if non_digits:
        rejection = measure_non_digits(predict, examples, result.rejected)
        fields["non_digits"] = dataclasses.asdict(rejection)
        text.append(render_non_digits(rejection))
    if corrupt:
        reports = measure_corruptions(predict, examples, read.digits)
        fields["corruptions"] = [dataclasses.asdict(report) for report in reports]
        text.append(render_corruptions(reports))
    if out is not None:
        _draw(result, examples if corrupt else None, out)
    print_result(fields, "\n\n".join(text), as_json)


def _draw(result: Evaluation, to_corrupt: Examples | None, folder: Path) -> None:
    with needs("train", "drawing"):
        from edge_mnist.training.plots import plot_confusion, plot_corruptions
    plot_confusion(result.confusion, folder / "confusion.png")
    if to_corrupt is not None:
        plot_corruptions(to_corrupt, folder / "corruptions.png")


def _open_predictor(model: str | None, engine: str) -> tuple[Predictor, TrainedOn | None, float]:
    """Return the model, what it was trained on if known, and its validation split."""
    path = Path(model or "")
    if model and not is_shipped(model) and (path.suffix == ".keras" or path.is_dir()):
        with tensorflow_for("running a Keras model"):
            from edge_mnist.training import run
        keras_model, training = run.load_run(path), run.load_run_config(path)
        return (
            lambda images: Readings(run.predict_logits(keras_model, images).argmax(axis=1)),
            run.load_trained_on(path),
            training.validation_split if training else DEFAULT_VALIDATION_SPLIT,
        )
    classifier = load_classifier(model, engine)
    card = load_card(find_model(model))
    return (
        lambda images: _read(classifier, images),
        TrainedOn.from_json(card.data) if card else None,
        card.training["validation_split"] if card else DEFAULT_VALIDATION_SPLIT,
    )


def _read(classifier: Classifier, images: NDArray[np.uint8]) -> Readings:
    predictions = classifier.predict_batch(images)
    return Readings(
        np.array([prediction.digit for prediction in predictions]),
        np.array([prediction.confidence for prediction in predictions]),
        np.array([prediction.rejected for prediction in predictions]),
    )


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
    told = [
        f"accuracy {format_percent(result.accuracy)} of {result.images:,} images "
        f"(95 % interval {100 * result.low:.2f} to {100 * result.high:.2f})"
    ]
    if result.calibration_error is not None and result.rejected is not None:
        told.append(
            f"calibration error {format_percent(result.calibration_error)}, "
            f"rejected {format_percent(result.rejected)}"
        )
    return "\n".join(
        [
            *told,
            "",
            render_table(("digit", "precision", "recall", "images"), classes),
            "",
            "confusion (row: label, column: read as)",
            render_table(("", *map(str, range(10))), confusion),
        ]
    )
