"""Pictures scaled into a size, and many in one."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from edge_mnist.vision.color import as_color
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.lettering import letter_px, write_panel


def fit(picture: Picture, width: int, height: int) -> Picture:
    """Scale a picture into a size with its aspect ratio kept; what is left over is black.

    Args:
        picture: uint8 [height, width, 3] or [height, width].
        width: Of the result, in pixels.
        height: Of the result, in pixels.

    Returns:
        uint8 [height, width, 3], a copy.
    """
    picture = as_color(picture)
    if picture.shape[:2] == (height, width):
        return picture
    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner_width = min(width, max(1, round(picture.shape[1] * scale)))
    inner_height = min(height, max(1, round(picture.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    inner = cv2.resize(picture, (inner_width, inner_height), interpolation=method)
    left, top = (width - inner_width) // 2, (height - inner_height) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + inner_height, left : left + inner_width] = inner
    return canvas


def tile(named: Sequence[tuple[str, Picture]], width: int, height: int) -> Picture:
    """Show pictures beside each other, each with its name.

    Args:
        named: At least one name and picture, uint8 [height, width, 3] or [height, width].
        width: Of the result, in pixels.
        height: Of the result, in pixels.

    Returns:
        uint8 [height, width, 3].
    """
    columns = math.ceil(math.sqrt(len(named)))
    rows = math.ceil(len(named) / columns)
    cell_width, cell_height = width // columns, height // rows
    canvas = np.zeros((height, width, 3), np.uint8)
    for index, (name, picture) in enumerate(named):
        cell = fit(picture, cell_width, cell_height)
        write_panel(cell, [name], letter_px(cell))
        top, left = index // columns * cell_height, index % columns * cell_width
        canvas[top : top + cell_height, left : left + cell_width] = cell
    return canvas
