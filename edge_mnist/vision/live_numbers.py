"""Reading every number in view frame after frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge_mnist.cascade import DigitModel
from edge_mnist.vision.description import describe_number, describe_reading
from edge_mnist.vision.drawing import annotate
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.live_reader import next_model
from edge_mnist.vision.reader import Reader
from edge_mnist.vision.reading import Reading
from edge_mnist.vision.tracking import StableNumber, Tracker


@dataclass(frozen=True)
class LiveNumbers:
    """The numbers in a frame; see `LiveReading`.

    Attributes:
        reading: Of this frame alone.
        newly_stable: The numbers that became stable with it.
        stable: All stable numbers in view.
    """

    reading: Reading
    newly_stable: list[StableNumber]
    stable: list[StableNumber]

    @property
    def ms(self) -> dict[str, float]:
        """What it took to find the digits and to read them."""
        return self.reading.ms

    @property
    def told(self) -> list[str]:
        """The text of each number that became stable."""
        return [number.text for number in self.newly_stable]

    def describe(self) -> dict[str, Any]:
        """Return lines, digits, numbers and stable numbers as plain values."""
        stable = [describe_number(number) for number in self.newly_stable]
        return {**describe_reading(self.reading), "stable": stable}

    def draw(self, picture: Picture, status: Sequence[str]) -> Picture:
        """Draw digits and numbers."""
        return annotate(picture, self.reading, self.stable, status=status)


class LiveNumberReader:
    """Reads every number in view and follows it; see `LiveReader`.

    Attributes:
        model: The name of the model that reads.
    """

    def __init__(
        self,
        model: str,
        min_confidence: float,
        load: Callable[[str], DigitModel],
    ) -> None:
        """Load the model.

        Args:
            model: A shipped model's name or a .tflite file, or two of them as `load` takes them.
            min_confidence: Digits of which it is less sure are left out, 0 to 1.
            load: Loads models by their names.

        Raises:
            ModelError: If the model cannot be loaded.
            InvalidInputError: If `min_confidence` is no share.
        """
        self.model = model
        self._load = load
        self._reader = Reader(load(model), min_confidence)
        self._tracker = Tracker()

    def read(self, picture: Picture, *, is_still: bool) -> LiveNumbers:
        """Read the next frame."""
        if is_still:
            return self.read_again(picture, is_still=True)
        reading = self._reader.read(picture)
        newly_stable = self._tracker.update(reading)
        return LiveNumbers(reading, newly_stable, self._tracker.stable)

    def read_again(self, picture: Picture, *, is_still: bool) -> LiveNumbers:
        """Read a frame once more."""
        reading = self._reader.read(picture, careful=is_still)
        if not is_still:
            return LiveNumbers(reading, [], self._tracker.stable)
        numbers = [
            StableNumber(number.text, number.confidence, number.box, track)
            for track, number in enumerate(reading.numbers)
        ]
        return LiveNumbers(reading, numbers, numbers)

    def forget(self) -> None:
        """Start afresh."""
        self._tracker = Tracker()

    def show_stages(self, picture: Picture) -> list[tuple[str, Picture]]:
        """Return a picture of each stage that the reader goes through."""
        return self._reader.show_stages(picture)

    def take_next_model(self) -> None:
        """Go on with the next model."""
        self.model = next_model(self.model)
        self._reader = Reader(self._load(self.model), self._reader.min_confidence)
