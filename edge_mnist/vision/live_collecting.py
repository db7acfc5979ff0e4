"""Collecting the digits of numbers that hold, frame after frame."""

from collections.abc import Callable
from pathlib import Path

from edge_mnist.cascade import DigitModel
from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.collecting import Collector, name_source
from edge_mnist.vision.frames import Frame
from edge_mnist.vision.live_numbers import LiveNumbers
from edge_mnist.vision.live_reader import LiveReading
from edge_mnist.vision.reading import Number


class LiveCollector:
    """A `Collector` for frames; where it cannot write any more, all else goes on.

    Attributes:
        was_complete: Whether all was saved that was to be.
    """

    def __init__(self, folder: Path | None, say: Callable[[str], None]) -> None:
        """Look through the folder.

        Args:
            folder: Where the digits go; None to collect none.
            say: Is told, once, if they cannot be written any more.

        Raises:
            InvalidInputError: If it cannot be a folder.
        """
        self.was_complete = True
        self._collector = None if folder is None else Collector(folder)
        self._say = say
        self._name = ""
        self._done: set[tuple[int, str]] = set()  # the numbers in view that were collected

    def watch(self, model: DigitModel) -> DigitModel:
        """Return the model to read the frames with."""
        return model if self._collector is None else self._collector.watch(model)

    def see(self, frame: Frame, live: LiveReading, *, is_still: bool) -> None:
        """Save the digits of the numbers that hold, each number once while it is in view.

        Args:
            frame: The newest.
            live: What was read in it.
            is_still: Whether it stands for itself.
        """
        if self._collector is None or not self.was_complete or not isinstance(live, LiveNumbers):
            return
        if frame.name != self._name:
            self._name = frame.name
            self._done.clear()
        name = name_source(frame.name, None if is_still else frame.index)
        try:
            self._collector.take(frame.picture, name, self._choose(live))
        except InvalidInputError as exc:
            self._say(f"{exc}; no more digits are collected")
            self.was_complete = False

    def say_summary(self) -> None:
        """Say what was collected, if anything was to be."""
        if self._collector is not None:
            self._say(self._collector.summarize())

    def _choose(self, live: LiveNumbers) -> list[Number]:
        """Return what holds and is new; what this frame reads as something else waits."""
        self._done &= {(number.track, number.text) for number in live.stable}
        chosen = []
        for number in live.stable:
            key = (number.track, number.text)
            # A stable number's box is that of what stands there in this frame.
            same = [n for n in live.reading.numbers if (n.text, n.box) == (number.text, number.box)]
            if same and key not in self._done:
                self._done.add(key)
                chosen.append(same[0])
        return chosen
