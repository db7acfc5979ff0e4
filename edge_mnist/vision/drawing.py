"""Drawing what was read into a frame."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge_mnist.vision.frames import Picture
from edge_mnist.vision.lettering import (
    LIGHT,
    MIN_LETTER_PX,
    Color,
    contrast_to,
    letter_px,
    line_px,
    text_width,
    wrap,
    write_panel,
    write_text,
)
from edge_mnist.vision.reading import Box, Number, Reading
from edge_mnist.vision.tracking import StableNumber

# Blue and orange of Okabe and Ito's palette, which everyone tells apart (jfly.uni-koeln.de/color);
# blue, green, red.
STABLE_COLOR: Color = (178, 114, 0)
UNSTABLE_COLOR: Color = (0, 159, 230)


def annotate(
    picture: Picture,
    reading: Reading,
    stable: Sequence[StableNumber] = (),
    *,
    status: Sequence[str] = (),
) -> Picture:
    """Draw what was read into a copy of a frame.

    Each digit gets a box, what it was read as above it and how sure that is, in percent, below.
    Numbers that are stable are blue, in a thick frame with their text on a plate, the others
    orange. The text of the lines stands in the left lower corner.

    Args:
        picture: uint8 [height, width, 3] (blue, green, red) or [height, width].
        reading: What was read in it.
        stable: The numbers in view whose reading holds.
        status: What stands at the top.

    Returns:
        uint8 [height, width, 3].
    """
    canvas = picture.copy()
    if picture.ndim == 2:
        canvas = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR).astype(np.uint8)
    letter = letter_px(canvas)
    for number in reading.numbers:
        is_stable = any(_holds_middle(held.box, number.box) for held in stable)
        _draw_digits(canvas, number, STABLE_COLOR if is_stable else UNSTABLE_COLOR, letter)
    for held in stable:
        _draw_stable(canvas, held, letter)
    small = max(MIN_LETTER_PX, 0.8 * letter)
    write_panel(canvas, wrap(status, small, canvas.shape[1]), small)
    write_panel(canvas, reading.lines, 1.5 * letter, is_bottom=True)
    return canvas


def _holds_middle(outer: Box, inner: Box) -> bool:
    x, y = inner[0] + inner[2] / 2, inner[1] + inner[3] / 2
    left, top, width, height = outer
    return left <= x <= left + width and top <= y <= top + height


def _draw_digits(canvas: Picture, number: Number, color: Color, letter: float) -> None:
    thickness = line_px(letter)
    for found in number.digits:
        x, y, width, height = found.box
        _draw_box(canvas, found.box, color, thickness)
        size = _label_px(height, letter)
        write_text(canvas, str(found.digit), x + width / 2, y - 2 * thickness, size, color)
        percent = str(min(99, int(100 * found.confidence)))
        smaller = max(MIN_LETTER_PX, 0.6 * size)
        # Those of digits that stand close would run into each other.
        if text_width(percent, smaller) <= width + 4 * thickness:
            bottom = y + height + 2 * thickness + smaller
            write_text(canvas, percent, x + width / 2, bottom, smaller, color)


def _draw_stable(canvas: Picture, held: StableNumber, letter: float) -> None:
    x, y, width, height = held.box
    # Around the digits' own boxes and what is written at them.
    margin = round(1.6 * _label_px(height, letter))
    box = (x - margin // 2, y - margin, width + 2 * (margin // 2), height + 2 * margin)
    _draw_box(canvas, box, STABLE_COLOR, 2 * line_px(letter))
    size = 1.5 * letter
    plate_width, plate_height = text_width(held.text, size) + size, 1.8 * size
    left = max(0.0, min(box[0], canvas.shape[1] - plate_width))
    # Above the frame, or below where the picture ends.
    top = box[1] - plate_height if box[1] >= plate_height else box[1] + box[3]
    top = max(0.0, min(top, canvas.shape[0] - plate_height))
    corners = (round(left), round(top)), (round(left + plate_width), round(top + plate_height))
    cv2.rectangle(canvas, *corners, STABLE_COLOR, cv2.FILLED)
    write_text(canvas, held.text, left + plate_width / 2, top + 1.4 * size, size, LIGHT)


def _label_px(height: int, letter: float) -> float:
    """Return how high the label of a digit of some height is: small digits stand close."""
    return min(1.3 * letter, max(MIN_LETTER_PX, 0.6 * height))


def _draw_box(canvas: Picture, box: Box, color: Color, thickness: int) -> None:
    x, y, width, height = box
    corners = (x, y), (x + width - 1, y + height - 1)
    cv2.rectangle(canvas, *corners, contrast_to(color), thickness + 2)
    cv2.rectangle(canvas, *corners, color, thickness)
