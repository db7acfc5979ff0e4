"""Pictures in colour, whatever they come in."""

import cv2
import numpy as np

from edge_mnist.vision.frames import Picture


def as_color(picture: Picture) -> Picture:
    """Return a copy of a picture as uint8 [height, width, 3], grey ones with equal channels.

    Args:
        picture: uint8 [height, width, 3] (blue, green, red) or [height, width].
    """
    if picture.ndim == 2:
        return cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR).astype(np.uint8)
    return picture.copy()
