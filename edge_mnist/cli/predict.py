"""`edge-mnist predict`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_mnist.cli.console import say
from edge_mnist.cli.loading import load_classifier, read_image
from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import normalize_digit
from edge_mnist.runtime import Classifier


def predict(
    files: Annotated[list[Path], typer.Argument(help="Pictures of one digit each.")],
    model: Annotated[
        str | None, typer.Option(help="A shipped model's name or a .tflite file.")
    ] = None,
    engine: Annotated[str, typer.Option(help="What runs it.")] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a file, each on a line.")
    ] = False,
) -> None:
    """Read the digit in each picture: any format, size and polarity.

    Example: edge-mnist predict scan.png photo.jpg
    """
    classifier = load_classifier(model, engine)
    failed = False
    for path in files:
        try:
            reading = _read(classifier, path)
        except InvalidInputError as exc:
            say(f"edge-mnist: {exc}")
            failed = True
            continue
        print(json.dumps(reading) if as_json else _render(reading))
    if failed:
        raise typer.Exit(1)


def _read(classifier: Classifier, path: Path) -> dict[str, Any]:
    """Return the reading of one picture; one without a digit has no lines and no digits."""
    nothing = {"source": str(path), "lines": [], "digits": []}
    digit = normalize_digit(read_image(path))
    if digit is None:
        return nothing
    prediction = classifier.predict(digit.image)
    if prediction.rejected:
        return nothing
    found = {
        "digit": prediction.digit,
        "confidence": round(prediction.confidence, 4),
        "box": list(digit.box),
    }
    return {"source": str(path), "lines": [str(prediction.digit)], "digits": [found]}


def _render(reading: dict[str, Any]) -> str:
    found = ", ".join(f"{d['digit']} ({100 * d['confidence']:.1f} %)" for d in reading["digits"])
    return f"{reading['source']}: {found or 'no digit'}"
