"""What a fine-tuning starts from: a shipped model, an export or a run."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from edge_mnist.errors import ModelError, TrainingError
from edge_mnist.model_card import hash_bytes, load_card
from edge_mnist.model_store import MODEL_SUFFIX, find_model, is_shipped
from edge_mnist.trained_on import TrainedOn
from edge_mnist.training.adoption import adopt
from edge_mnist.training.architectures import ARCHITECTURES, build
from edge_mnist.training.config import Augmentation, TrainConfig
from edge_mnist.training.recipes import DEFAULT_RECIPE, RECIPES, find_recipe
from edge_mnist.training.run import load_run, load_run_config, load_trained_on


@dataclass(frozen=True)
class Base:
    """A trained network.

    Attributes:
        name: As the user said.
        model: A tf_keras model as from `architectures.build`.
        training: How it was trained, as far as that is known.
        temperature: What its logits are divided by before the softmax.
        trained_on: What it has seen; None if that is not known.
    """

    name: str
    model: Any
    training: TrainConfig
    temperature: float = 1.0
    trained_on: TrainedOn | None = None


def open_base(name: str, images: NDArray[np.uint8], rebuild: Callable[[bytes], Any]) -> Base:
    """Load what a fine-tuning starts from.

    Args:
        name: A shipped model's name, a .tflite or .keras file, or a run folder.
        images: uint8 [N, 28, 28], a few hundred digits to measure an export's channels on.
        rebuild: Makes a float network of a .tflite file's content.

    Raises:
        ModelError: If there is no such model, or it is of no known architecture.
        TrainingError: If a run's configuration cannot be read.
    """
    path = Path(name).expanduser()
    if not is_shipped(name) and (path.is_dir() or path.suffix == ".keras"):
        return _open_run(name, path)
    path = find_model(name)
    if path.suffix != MODEL_SUFFIX:
        raise ModelError(
            f"cannot train {name} further",
            expected=f"a shipped model's name, a {MODEL_SUFFIX} or .keras file, or a run folder",
            got=f"a file that ends in {path.suffix!r}",
        )
    card, content = load_card(path), path.read_bytes()
    if card is not None and hash_bytes(content) != card.sha256:
        raise ModelError(
            f"{path} is not the file that its card describes",
            expected=f"SHA-256 {card.sha256[:12]}…",
            got=f"{hash_bytes(content)[:12]}…",
            remedy="export or fetch both again",
        )
    plain = rebuild(content)
    if isinstance(plain.layers[-1], tf_keras.layers.Softmax):
        plain = tf_keras.Model(plain.input, plain.layers[-1].input)
    model = adopt(plain, images, card.architecture if card else None)
    training = _read_training(card.training) if card else None
    temperature = card.temperature if card else 1.0
    trained_on = TrainedOn.from_json(card.data) if card else None
    return Base(name, model, training or _guess_training(model.name), temperature, trained_on)


def _open_run(name: str, path: Path) -> Base:
    trained, training = load_run(path), load_run_config(path)
    weights = trained.get_weights()
    for arch in [training.arch] if training else ARCHITECTURES:
        model = build(arch)
        if [own.shape for own in model.get_weights()] == [one.shape for one in weights]:
            model.set_weights(weights)
            return Base(
                name, model, training or _guess_training(arch), trained_on=load_trained_on(path)
            )
    raise ModelError(
        f"cannot train {name} further",
        expected=f"a network of one of the architectures {', '.join(ARCHITECTURES)}",
        got="weights of other shapes",
    )


def _read_training(fields: dict[str, Any]) -> TrainConfig | None:
    """Return the training that a card tells; None if it is of another version."""
    try:
        augmentation = fields.get("augmentation")
        chosen = None if augmentation is None else Augmentation(**augmentation)
        return TrainConfig(**{**fields, "augmentation": chosen})
    except (TypeError, TrainingError):
        return None


def _guess_training(arch: str) -> TrainConfig:
    recipe = find_recipe(arch if arch in RECIPES else DEFAULT_RECIPE)
    return dataclasses.replace(recipe, arch=arch)
