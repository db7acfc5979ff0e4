"""Two models in turn: a quick one reads all, a better one what the first is not sure of."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_mnist.prediction import Prediction
from edge_mnist.runtime import Classifier

# Between the names of two models, and what reads pages.
SEPARATOR = "+"
DEFAULT_MODELS = "micro+small"
# A digit is read again unless this likely it is a digit, and the one it seems to be.
SURE = 0.97


class DigitModel(Protocol):
    """What reads images of one digit: a `Classifier`, or several of them."""

    def predict(self, image: NDArray[np.uint8]) -> Prediction:
        """Read one digit; see `Classifier.predict`."""
        ...

    def predict_batch(self, images: NDArray[np.uint8]) -> list[Prediction]:
        """Read many digits; see `Classifier.predict_batch`."""
        ...


class Cascade:
    """Reads with one model, and again with another what the first is not sure of.

    The cost of the second is paid only for the few images of a clean page that need it (Viola and
    Jones, "Rapid object detection using a boosted cascade of simple features", CVPR 2001).
    """

    def __init__(self, first: DigitModel, second: DigitModel) -> None:
        """Put two models in turn.

        Args:
            first: Reads all, so it should be quick.
            second: What it says of an image holds, where it is asked.
        """
        self._first, self._second = first, second

    def predict(self, image: NDArray[np.uint8]) -> Prediction:
        """Read one digit; see `Classifier.predict`."""
        prediction = self._first.predict(image)
        return prediction if _is_sure(prediction) else self._second.predict(image)

    def predict_batch(self, images: NDArray[np.uint8]) -> list[Prediction]:
        """Read many digits; see `Classifier.predict_batch`."""
        predictions = self._first.predict_batch(images)
        doubtful = [index for index, p in enumerate(predictions) if not _is_sure(p)]
        if doubtful:
            again = self._second.predict_batch(images[doubtful])
            for index, prediction in zip(doubtful, again, strict=True):
                predictions[index] = prediction
        return predictions


def load_models(
    names: str = DEFAULT_MODELS, load: Callable[[str], DigitModel] = Classifier.load
) -> DigitModel:
    """Load a model, or two in turn.

    Args:
        names: A shipped model's name or a path; or two of them with a `+` between.
        load: Loads one model.

    Raises:
        ModelError: If there is no such model, or it is damaged or of another kind.
    """
    first, _, second = names.partition(SEPARATOR)
    if not second or Path(names).exists():
        return load(names)
    return Cascade(load(first), load(second))


def _is_sure(prediction: Prediction) -> bool:
    return prediction.confidence * (1 - prediction.rejection_score) >= SURE
