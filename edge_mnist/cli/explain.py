"""`edge-mnist explain`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_mnist.cli.console import JsonOption, needs, print_result, render_table
from edge_mnist.cli.loading import read_image, tensorflow_for
from edge_mnist.errors import InvalidInputError
from edge_mnist.explanation import explain as explaining
from edge_mnist.explanation.description import describe_explanation
from edge_mnist.explanation.explain import (
    ALL,
    GRADCAM,
    ExplainConfig,
    Explanation,
    Subject,
)
from edge_mnist.files import expect_folder
from edge_mnist.model_store import is_shipped
from edge_mnist.native_output import held_native_stderr
from edge_mnist.preprocessing import GrayImage, bring_into_shape


def explain(
    model: Annotated[
        str,
        typer.Argument(help="A shipped model's name, a .tflite or .keras file, or a run folder."),
    ],
    images: Annotated[
        list[Path] | None, typer.Argument(help="Pictures of one digit each.", metavar="IMAGE...")
    ] = None,
    method: Annotated[
        str,
        typer.Option(help="filters, activations, gradcam, occlusion or all.", metavar="METHOD"),
    ] = ALL,
    layer: Annotated[str | None, typer.Option(help="Only this layer.")] = None,
    digit: Annotated[
        int | None,
        typer.Option("--class", help="The digit to explain; default the one that is read."),
    ] = None,
    engine: Annotated[str, typer.Option(help="What runs a .tflite file.")] = "auto",
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("explained"),
    as_json: JsonOption = False,
) -> None:
    """Show what a network looks at: its filters, its activations, what speaks for a digit.

    Example: edge-mnist explain micro seven.png --method occlusion --out why
    """
    expect_folder("--out", out)
    config = ExplainConfig(method, layer, digit)
    if config.needs_images and not images:
        raise InvalidInputError("IMAGE", expected="at least one picture", got="none")
    with needs("train", "drawing"):
        from edge_mnist.explanation.album import draw

    digits = [(str(path), _read_digit(path)) for path in images or []]
    subject = _open_subject(model, engine, config)
    with held_native_stderr():
        explanation = explaining.explain(subject, digits, config)
        pictures = draw(explanation, out)
    fields = {**describe_explanation(explanation), "pictures": list(map(str, pictures))}
    print_result(fields, _render(explanation, pictures), as_json)


def _read_digit(path: Path) -> GrayImage:
    image = bring_into_shape(read_image(path))
    if image is None:
        raise InvalidInputError(f"no digit in {path}", expected="ink on paper", got="a blank one")
    return image


def _open_subject(model: str, engine: str, config: ExplainConfig) -> Subject:
    """Load the model; tflite-runtime has to come before TensorFlow."""
    path = Path(model)
    if not is_shipped(model) and (path.suffix == ".keras" or path.is_dir()):
        with tensorflow_for("explaining a Keras model"):
            from edge_mnist.explanation.keras_subject import KerasSubject

        return KerasSubject(path)
    from edge_mnist.explanation.tflite_subject import TfliteSubject

    with held_native_stderr():
        subject = TfliteSubject(model, engine)
    if GRADCAM in config.methods:
        with tensorflow_for("Grad-CAM"):
            import edge_mnist.explanation.gradcam
            import edge_mnist.quantization.rebuild  # noqa: F401 - imported here to be answered for
    return subject


def _render(explanation: Explanation, pictures: list[Path]) -> str:
    rows = [
        [
            image.source,
            str(image.digit),
            f"{100 * image.confidence:.1f} %",
            str(image.explained_digit),
        ]
        for image in explanation.images
    ]
    table = [render_table(("picture", "read as", "confidence", "explained"), rows)] if rows else []
    return "\n\n".join([*table, "\n".join(map(str, pictures))])
