"""`edge-mnist compare`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from edge_mnist.agreement import Agreement
from edge_mnist.cli.console import (
    JsonOption,
    format_percent,
    interruptible,
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
from edge_mnist.dataset import DEFAULT_DATA
from edge_mnist.files import expect_folder
from edge_mnist.layer_noise import LayerNoise
from edge_mnist.model_card import load_card
from edge_mnist.model_store import find_model, is_shipped
from edge_mnist.native_output import held_native_stderr
from edge_mnist.trained_on import TrainedOn, choose_unseen
from edge_mnist.twins import compare_twins


@dataclass(frozen=True)
class Comparison:
    """A float model and its int8 twin on the same images."""

    float_model: str
    int8_model: str
    images: str
    readings: Agreement  # first the float model, second the int8 one
    layers: list[LayerNoise]
    advice: str


def compare(
    float_model: Annotated[
        str, typer.Argument(help="A float32 .tflite file, a .keras file or a run folder.")
    ],
    int8_model: Annotated[str, typer.Argument(help="The int8 .tflite file that was made of it.")],
    data: Annotated[str, typer.Option(help=DATA_HELP, metavar="DATA")] = DEFAULT_DATA,
    engine: Annotated[str, typer.Option(help="What runs both.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Folder for pictures: histograms, disagreements.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what quantization changed: readings, confidence, noise layer by layer.

    Example: edge-mnist compare runs/mine runs/mine/micro.tflite --out compared
    """
    expect_folder("--out", out)
    with interruptible("nothing is told of what was compared so far"):
        # Before TensorFlow, which keeps tflite-runtime from being imported.
        classifier = load_classifier(int8_model, engine)
        content = _read_float(float_model, classifier.engine)
        card = load_card(find_model(int8_model))
        examples, described = choose_unseen(
            load_dataset(data), TrainedOn.from_json(card.data) if card else None
        )
        say(f"comparing on {described}")
        int8_content = find_model(int8_model).read_bytes()
        with held_native_stderr():
            result = compare_twins(content, int8_content, card, classifier, examples)
    comparison = Comparison(
        float_model, int8_model, described, result.readings, result.noises, result.advice
    )
    if out is not None:
        with needs("train", "drawing"):
            from edge_mnist.quantization.plots import plot_disagreements, plot_layers
        plot_layers(result.layers, out / "layers.png")
        plot_disagreements(examples.images, comparison.readings, out / "disagreements.png")
    print_result(comparison, _render(comparison), as_json)


def _read_float(model: str, engine: str) -> bytes:
    """Return the float model as a .tflite file's bytes."""
    path = Path(model)
    if not is_shipped(model) and (path.suffix == ".keras" or path.is_dir()):
        with tensorflow_for("converting a Keras model"):
            from edge_mnist.quantization.convert import convert_float
            from edge_mnist.training.run import load_run

            return convert_float(load_run(path), "float32")
    load_classifier(model, engine)  # refuses what cannot be run
    return find_model(model).read_bytes()


def _render(comparison: Comparison) -> str:
    readings = comparison.readings
    rows = [
        [name, format_percent(score.accuracy), f"{100 * score.low:.2f} to {100 * score.high:.2f} %"]
        for name, score in (
            (comparison.float_model, readings.first),
            (comparison.int8_model, readings.second),
        )
    ]
    layers = [
        [
            str(noise.number),
            noise.name,
            "x".join(map(str, noise.shape)),
            f"{noise.sqnr_db:.1f}",
            f"{100 * noise.added:.2g} %",
            f"{noise.weights_sqnr_db:.1f}",
            f"{100 * noise.used_codes:.0f} %",
        ]
        for noise in comparison.layers
    ]
    header = ["", "layer", "output", "SQNR, dB", "noise added", "of weights", "codes used"]
    return "\n\n".join(
        [
            render_table(["model", "accuracy", "95 % interval"], rows),
            f"{comparison.images}: {format_percent(readings.agreement)} read the same; "
            f"{readings.only_first_right} only the float model reads rightly, "
            f"{readings.only_second_right} only the int8 one (McNemar's exact test: p = "
            f"{readings.p_value:.2g})\n"
            f"confidence: {readings.confidence_change:.4f} apart on average, "
            f"{readings.largest_change:.3f} at most; int8 is {readings.confidence_shift:+.4f} "
            "more confident",
            render_table(header, layers),
            comparison.advice,
        ]
    )
