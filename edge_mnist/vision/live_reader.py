"""Reading frame after frame, with what has held so far."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_mnist.model_store import DEFAULT_MODEL, shipped_models
from edge_mnist.runtime import Classifier
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.reader import Reader
from edge_mnist.vision.reading import Reading
from edge_mnist.vision.tracking import StableNumber, Tracker


@dataclass(frozen=True)
class LiveReading:
    """What was read in a frame, and what holds by now.

    Attributes:
        reading: Of this frame alone.
        newly_stable: The numbers that became stable with it.
        stable: All stable numbers in view.
    """

    reading: Reading
    newly_stable: list[StableNumber]
    stable: list[StableNumber]


class LiveReader:
    """A reader and a tracker, with a model that can be changed on the way.

    Attributes:
        model: The name of the model that reads.
    """

    def __init__(
        self,
        model: str | None,
        min_confidence: float,
        load: Callable[[str | None], Classifier],
    ) -> None:
        """Load the model.

        Args:
            model: A shipped model's name or a .tflite file; None for the default.
            min_confidence: Digits of which it is less sure are left out, 0 to 1.
            load: Loads a model by its name.

        Raises:
            ModelError: If the model cannot be loaded.
            InvalidInputError: If `min_confidence` is no share.
        """
        self.model = model or DEFAULT_MODEL
        self._load = load
        self._reader = Reader(load(model), min_confidence)
        self._tracker = Tracker()

    def read(self, picture: Picture, *, is_still: bool) -> LiveReading:
        """Read the next frame.

        Args:
            picture: uint8 [height, width, 3], blue, green, red.
            is_still: Whether it stands for itself: all that is read in it holds.
        """
        reading = self._reader.read(picture)
        if is_still:
            numbers = [
                StableNumber(number.text, number.confidence, number.box, track)
                for track, number in enumerate(reading.numbers)
            ]
            return LiveReading(reading, numbers, numbers)
        newly_stable = self._tracker.update(reading)
        return LiveReading(reading, newly_stable, self._tracker.stable)

    def read_alone(self, picture: Picture) -> Reading:
        """Read a frame once more, without effect on what holds."""
        return self._reader.read(picture)

    def show_stages(self, picture: Picture) -> list[tuple[str, Picture]]:
        """Return a picture of each stage that a frame goes through, with its name."""
        return self._reader.show_stages(picture)

    def take_next_model(self) -> None:
        """Go on with the next larger shipped model, after the largest with the smallest."""
        names = [model.name for model in shipped_models()]
        position = names.index(self.model) + 1 if self.model in names else 0
        self.model = names[position % len(names)]
        self._reader = Reader(self._load(self.model), self._reader.min_confidence)
