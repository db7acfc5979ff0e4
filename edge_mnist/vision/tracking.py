"""Numbers over time: which hold still, and what they are."""

from dataclasses import dataclass

from edge_mnist.vision.reading import Box, Reading


@dataclass(frozen=True)
class StableNumber:
    """A number whose reading has held.

    Attributes:
        text: Its digits.
        confidence: The share of the votes that spoke for it, 0 to 1.
        box: Where it stands in the newest frame.
        track: Which of the numbers followed it is, counted from 0: the same for the same number.
    """

    text: str
    confidence: float
    box: Box
    track: int


class Tracker:
    """Follows numbers from frame to frame and tells when their reading holds."""

    def update(self, reading: Reading) -> list[StableNumber]:
        """Take in the next frame's reading.

        Returns:
            The numbers that have become stable with it: each is given once, not in every frame.
        """
        raise NotImplementedError

    @property
    def stable(self) -> list[StableNumber]:
        """All stable numbers that are in view."""
        raise NotImplementedError
