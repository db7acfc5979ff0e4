"""Finding models by name or path; the shipped ones stand in models/."""

from dataclasses import dataclass
from pathlib import Path

from edge_mnist.errors import ModelError
from edge_mnist.model_card import ModelCard, load_card

DEFAULT_MODEL = "micro"
MODEL_SUFFIX = ".tflite"


@dataclass(frozen=True)
class ShippedModel:
    """One model that comes with edge-mnist."""

    name: str
    path: Path
    card: ModelCard


def models_dir() -> Path:
    """Return the folder of the shipped models: in the package if installed, else the checkout's."""
    package = Path(__file__).parent
    installed = package / "models"
    return installed if installed.is_dir() else package.parent / "models"


def shipped_models() -> list[ShippedModel]:
    """Return the models that come with edge-mnist, smallest first."""
    models = []
    for path in models_dir().glob(f"*{MODEL_SUFFIX}"):
        card = load_card(path)
        if card is None:
            raise ModelError(f"the shipped model {path} has no card", remedy="reinstall edge-mnist")
        models.append(ShippedModel(path.stem, path, card))
    return sorted(models, key=lambda model: model.card.size_bytes)


def is_shipped(name: str | Path) -> bool:
    """Return whether this is the name of a shipped model; a path never is."""
    is_name = isinstance(name, str) and name == Path(name).name
    return is_name and (models_dir() / f"{name}{MODEL_SUFFIX}").is_file()


def find_model(model: str | Path | None = None) -> Path:
    """Return the path of a model.

    Args:
        model: A shipped model's name, a path, or None for the default.

    Raises:
        ModelError: If there is no such model.
    """
    name = DEFAULT_MODEL if model is None else model
    if is_shipped(name):
        return models_dir() / f"{name}{MODEL_SUFFIX}"
    path = Path(name).expanduser()
    if path.is_file():
        return path
    names = ", ".join(sorted(p.stem for p in models_dir().glob(f"*{MODEL_SUFFIX}")))
    raise ModelError(
        "cannot find the model",
        expected=f"a file, or one of: {names}",
        got=repr(str(name)) + (" (a folder)" if path.is_dir() else ""),
    )
