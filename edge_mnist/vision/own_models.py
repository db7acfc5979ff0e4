"""The models that the reader brings, besides the one that reads single digits."""

import json
from dataclasses import dataclass
from pathlib import Path

from edge_mnist.errors import ModelError
from edge_mnist.model_card import hash_bytes
from edge_mnist.model_store import models_dir


@dataclass(frozen=True)
class OwnModel:
    """A model that the reader brings.

    Attributes:
        content: The .tflite file's bytes, known to be what its card describes.
        temperature: What logits are divided by before the softmax, above 0.
    """

    content: bytes
    temperature: float


def own_model_path(name: str) -> Path:
    """Return where such a model stands; its card stands beside it."""
    return models_dir() / "vision" / f"{name}.tflite"


def load_own_model(name: str, what: str) -> OwnModel:
    """Load one.

    Args:
        name: Of its file.
        what: What it reads, for errors.

    Raises:
        ModelError: If it is missing or damaged.
    """
    path = own_model_path(name)
    try:
        content, card = path.read_bytes(), json.loads(path.with_suffix(".json").read_text())
        expected, temperature = str(card["sha256"]), float(card["temperature"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ModelError(
            f"cannot read the model of {what} {path}",
            got=str(exc),
            remedy="reinstall edge-mnist",
        ) from exc
    sha256 = hash_bytes(content)
    if sha256 != expected:
        raise ModelError(
            f"{path} is not the file that its card describes",
            expected=f"SHA-256 {expected[:12]}…",
            got=f"{sha256[:12]}…",
            remedy="reinstall edge-mnist",
        )
    return OwnModel(content, temperature)
