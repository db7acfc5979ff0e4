"""Frames and where they come from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# uint8 [height, width, 3] in the order blue, green, red, or uint8 [height, width] in grey.
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Frame:
    """One picture of a source.

    Attributes:
        picture: uint8 [height, width, 3], blue, green, red.
        index: Its number in the source, from 0. Live sources leave numbers out where frames came
            faster than they were asked for.
        time_s: When it was taken: seconds since the source was opened, or in a video's own time.
            Still pictures have none: 0.
        name: What it came from: the file's path, or the camera or stream.
    """

    picture: Picture
    index: int
    time_s: float
    name: str


class Source(Protocol):
    """Frames, one after another, until they end or the source is closed.

    Attributes:
        name: What it is, as the user named it.
        files: What is read of it, one after another; nothing of a camera or stream.
        is_live: Whether it goes on by itself, as cameras and streams do: only the newest frame is
            given then. Files wait, and none of their frames is left out.
        fps: Frames a second, as far as the source tells; None for still pictures.
        failures: What could not be read of the source so far, as it was told: of a folder with one
            damaged file, the rest is given and this names the one.
    """

    name: str
    files: Sequence[str]
    is_live: bool
    fps: float | None
    failures: list[str]

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames in order.

        Raises:
            SourceError: If the source breaks down and does not come back, or none of its files
                holds a picture.
            InvalidInputError: If the only file holds no picture, or the region to read lies outside
                of the frames.
        """
        ...

    def close(self) -> None:
        """Release the camera or file; twice does no harm."""
        ...
