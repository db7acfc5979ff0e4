"""The model card: the JSON beside a .tflite that says what it is, and the page made from it."""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edge_mnist.errors import ModelError
from edge_mnist.files import write_atomically

OutputKind = Literal["logits", "probabilities"]
OUTPUT_MEANINGS: dict[OutputKind, str] = {
    "logits": "ten logits; softmax(logits / temperature) gives the probabilities",
    "probabilities": "ten probabilities",
}

# The share of validation digits that the rejection threshold lets pass: 99 % and two standard
# errors of that among 5,000 images, so that of other digits 99 % pass too.
KEPT_SHARE = 0.993


@dataclass(frozen=True)
class Accuracy:
    """What was measured, how often it was right, and how it was measured."""

    accuracy: float  # 0 to 1
    low: float  # 95 % interval (Wilson)
    high: float
    images: int
    protocol: str


@dataclass(frozen=True)
class ModelCard:
    """Everything about one exported model that a user or a successor would ask."""

    name: str
    architecture: str
    parameters: int
    multiply_adds: int  # of one inference
    size_bytes: int
    sha256: str
    number_format: str  # int8, float16, dynamic or float32
    quantization: dict[str, Any]  # method (qat, ptq or none) and what it was done with
    input: str
    output_kind: OutputKind
    temperature: float  # softmax(logits / temperature) is calibrated on the validation images
    operators: list[str]
    training: dict[str, Any]  # the TrainConfig, enough to repeat it
    data: dict[str, Any]  # its name, and what `TrainedOn` tells
    accuracy: dict[str, Accuracy]  # "float validation", "int8 test", ...
    agreement: dict[str, str]  # by engine: top-1 agreement with the Keras model
    engines: dict[str, str]  # each that ran the model, with its version
    versions: dict[str, str]  # what it was made with
    # The rejection score that KEPT_SHARE of the validation digits stay below; None rejects nothing.
    rejection_threshold: float | None = None
    labels: list[str] = field(default_factory=lambda: [str(digit) for digit in range(10)])


def card_path(model_path: Path) -> Path:
    """Return where the card of a model stands: beside it, with .json for .tflite."""
    return model_path.with_suffix(".json")


def hash_bytes(content: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def save_card(card: ModelCard, model_path: Path) -> None:
    """Write the JSON and the Markdown page beside a model."""
    write_atomically(card_path(model_path), json.dumps(dataclasses.asdict(card), indent=2) + "\n")
    write_atomically(model_path.with_suffix(".md"), render_markdown(card))


def load_card(model_path: Path) -> ModelCard | None:
    """Read the card beside a model.

    Returns:
        The card, or None if there is none.

    Raises:
        ModelError: If there is one and it cannot be read, or is of a model of another kind.
    """
    path = card_path(model_path)
    if not path.exists():
        return None
    try:
        fields = json.loads(path.read_text())
        what = isinstance(fields, dict) and fields.get("what")
        if what:
            raise ModelError(
                f"{path} is the card of a model of another kind",
                expected="one that reads one digit",
                got=str(what),
                remedy="edge-mnist models lists what ships",
            )
        fields["accuracy"] = {
            name: Accuracy(**measured) for name, measured in fields["accuracy"].items()
        }
        card = ModelCard(**fields)
        is_valid = (
            0 < card.temperature < math.inf
            and card.output_kind in OUTPUT_MEANINGS
            and isinstance(card.sha256, str)
            and (card.rejection_threshold is None or 0 <= card.rejection_threshold <= 1)
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as exc:
        raise _unreadable(path, f"{type(exc).__name__}: {exc}") from exc
    if not is_valid:
        raise _unreadable(
            path,
            f"temperature {card.temperature!r} and output_kind {card.output_kind!r} "
            f"and sha256 {card.sha256!r} and rejection_threshold {card.rejection_threshold!r}",
        )
    return card


def render_markdown(card: ModelCard) -> str:
    """Return the card as a page for people."""
    rows = [
        ("architecture", card.architecture),
        ("parameters", f"{card.parameters:,}"),
        ("multiply-adds", f"{card.multiply_adds:,}"),
        ("size", f"{card.size_bytes:,} bytes"),
        ("numbers", f"{card.number_format} (method: {card.quantization['method']})"),
        ("input", card.input),
        ("output", f"{OUTPUT_MEANINGS[card.output_kind]} (temperature {card.temperature:.4g})"),
        *_describe_rejection(card),
        ("operators", ", ".join(card.operators)),
        ("trained on", f"{card.data['name']} (SHA-256 {card.data['sha256'][:16]}…)"),
        ("SHA-256", f"`{card.sha256}`"),
    ]
    lines = [f"# {card.name}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows]
    lines += ["", "## Accuracy", "", "| | accuracy | 95 % interval | images | how |"]
    lines += ["|---|---|---|---|---|"]
    lines += [
        f"| {name} | {100 * m.accuracy:.2f} % | {100 * m.low:.2f} to {100 * m.high:.2f} % "
        f"| {m.images:,} | {m.protocol} |"
        for name, m in card.accuracy.items()
    ]
    lines += ["", "## Checked", "", "| engine | version | top-1 agreement with the Keras model |"]
    lines += ["|---|---|---|"]
    lines += [
        f"| {engine} | {version} | {card.agreement[engine]} |"
        for engine, version in card.engines.items()
    ]
    recipe = json.dumps({"training": card.training, "quantization": card.quantization}, indent=2)
    lines += ["", "## How it was made", "", "```json", recipe, "```"]
    made_with = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    return "\n".join([*lines, "", f"Made with {made_with}.", ""])


def _describe_rejection(card: ModelCard) -> list[tuple[str, str]]:
    if card.rejection_threshold is None:
        return []
    lost = f"{100 * (1 - KEPT_SHARE):.2g} % of the validation digits"
    return [("rejects", f"what scores above {card.rejection_threshold:.4g}: {lost}")]


def _unreadable(path: Path, got: str) -> ModelError:
    return ModelError(
        f"cannot read the model card {path}",
        expected="a card that edge-mnist quantize wrote",
        got=got,
        remedy="export the model again, or delete the card to run the model without it",
    )
