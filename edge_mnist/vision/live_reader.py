"""What reads frame after frame, and tells what holds by now."""

from collections.abc import Sequence
from typing import Any, Protocol

from edge_mnist.cascade import DEFAULT_MODELS
from edge_mnist.model_store import shipped_models
from edge_mnist.vision.frames import Picture


class LiveReading(Protocol):
    """What was read in a frame, and what holds by now."""

    @property
    def ms(self) -> dict[str, float]:
        """What each stage took, in milliseconds."""
        ...

    @property
    def told(self) -> list[str]:
        """What newly holds with this frame, each as a line of text."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what was read and, as "stable", what newly holds, as plain values."""
        ...

    def draw(self, picture: Picture, status: Sequence[str]) -> Picture:
        """Draw it into a copy of the frame, with the status at the top."""
        ...


class LiveReader(Protocol):
    """Reads frame after frame with a model that can be changed on the way.

    Attributes:
        model: The name of the model that reads.
    """

    model: str

    def read(self, picture: Picture, *, is_still: bool) -> LiveReading:
        """Read the next frame.

        Args:
            picture: uint8 [height, width, 3], blue, green, red.
            is_still: Whether it stands for itself: all that is read in it holds.
        """
        ...

    def read_again(self, picture: Picture, *, is_still: bool) -> LiveReading:
        """Read a frame once more, without effect on what holds."""
        ...

    def forget(self) -> None:
        """Start afresh: the next frame is not of the same scene."""
        ...

    def show_stages(self, picture: Picture) -> list[tuple[str, Picture]]:
        """Return a picture of each stage that a frame goes through, with its name."""
        ...

    def take_next_model(self) -> None:
        """Go on with what `next_model` says."""
        ...


def next_model(name: str) -> str:
    """Return the next larger shipped model, the default two after the largest, then the smallest.

    One of the user's own is followed by the smallest, too.
    """
    names = [*(model.name for model in shipped_models()), DEFAULT_MODELS]
    position = names.index(name) + 1 if name in names else 0
    return names[position % len(names)]
