"""A single frame, saved on the way."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import cv2

from edge_mnist.files import write_atomically
from edge_mnist.vision.frames import Picture


def save_frame(picture: Picture, say: Callable[[str], None]) -> None:
    """Save a frame as it was read into the current folder, under a name that is free.

    Args:
        picture: uint8 [height, width, 3], blue, green, red.
        say: Is told where it is, or why it is nowhere.
    """
    names = (Path(f"frame-{number:04d}.png") for number in count(1))
    path = next(name for name in names if not name.exists())
    try:
        write_atomically(path, cv2.imencode(".png", picture)[1].tobytes())
    except OSError as exc:
        say(f"cannot save {path}: got {exc.strerror or exc}")
    else:
        say(f"saved {path}")
