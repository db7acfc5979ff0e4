"""What a report is about: the models that the user named, found and loaded."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from edge_mnist.model_card import ModelCard, load_card
from edge_mnist.model_store import MODEL_SUFFIX, find_model, is_shipped
from edge_mnist.runtime import Classifier

INT8 = "int8"


@dataclass(frozen=True)
class Subject:
    """One model, or a run with the model that was made of it.

    Attributes:
        name: As the user said.
        title: What headings call it.
        trained: The run folder or .keras file that was named, or the folder that the .tflite stands
            in; None for a shipped model.
        is_run: Whether that was named, and not the .tflite file.
        model: The .tflite file: the one that was named, or the run's int8 one. None if there is
            none.
        card: Of the .tflite file, if it has one.
        classifier: Runs the .tflite file.
    """

    name: str
    title: str
    trained: Path | None
    is_run: bool
    model: Path | None
    card: ModelCard | None
    classifier: Classifier | None


def open_subject(name: str, engine: str) -> Subject:
    """Find a model and load its .tflite file; this has to come before TensorFlow is imported.

    Args:
        name: A shipped model's name, a .tflite or .keras file, or a run folder.
        engine: An engine's name or "auto".

    Raises:
        ModelError: If there is no such model, or its .tflite is damaged or of another kind.
    """
    path = Path(name).expanduser()
    is_run = not is_shipped(name) and (path.is_dir() or path.suffix == ".keras")
    if is_run:
        trained: Path | None = path
        # Every run's model has the same name.
        title = (path if path.is_dir() else path.parent).resolve().name
        model = _find_export(path) if path.is_dir() else None
    else:
        model = find_model(name)
        trained = None if is_shipped(name) else model.parent
        title = model.stem
    if model is None:
        return Subject(name, title, trained, is_run, None, None, None)
    classifier = Classifier.load(model, engine)
    return Subject(name, title, trained, is_run, model, load_card(model), classifier)


def tell_apart(subjects: list[Subject]) -> list[Subject]:
    """Return the same with titles of their own: what the user said where they would be the same."""
    told: list[Subject] = []
    for subject in subjects:
        is_alone = sum(other.title == subject.title for other in subjects) == 1
        title = wanted = subject.title if is_alone else subject.name
        times = 1
        while any(other.title == title for other in told):
            times += 1
            title = f"{wanted} ({times})"
        told.append(dataclasses.replace(subject, title=title))
    return told


def _find_export(folder: Path) -> Path | None:
    """Return the int8 file that was made of a run: that of the architecture's name, or the first.

    One without a card could be anything, and is passed over.
    """
    cards = {path: load_card(path) for path in sorted(folder.glob(f"*{MODEL_SUFFIX}"))}
    found = [path for path, card in cards.items() if card and card.number_format == INT8]
    named = [path for path in found if (card := cards[path]) and card.architecture == path.stem]
    return next(iter(named or found), None)
