"""Drawing what was read into a frame."""

from collections.abc import Sequence

import cv2

from edge_mnist.vision.color import as_color
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
from edge_mnist.vision.reading import Box, FoundDigit, Number, Reading
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
    canvas = as_color(picture)
    letter = letter_px(canvas)
    # Where lines stand close, plates and boxes cover the percentages, and not the other way round.
    for number in reading.numbers:
        _draw_confidences(canvas, number, letter)
    for number in reading.numbers:
        if not any(_holds_middle(held.box, number.box) for held in stable):
            _draw_unstable(canvas, number, letter)
    for held in stable:
        inside = [found for found in reading.digits if _holds_middle(held.box, found.box)]
        _draw_stable(canvas, held, inside, letter)
    small = max(MIN_LETTER_PX, 0.8 * letter)
    write_panel(canvas, wrap(status, small, canvas.shape[1]), small)
    write_panel(canvas, reading.lines, 1.2 * letter, is_bottom=True)
    return canvas


def _holds_middle(outer: Box, inner: Box) -> bool:
    x, y = inner[0] + inner[2] / 2, inner[1] + inner[3] / 2
    left, top, width, height = outer
    return left <= x <= left + width and top <= y <= top + height


def _draw_confidences(canvas: Picture, number: Number, letter: float) -> None:
    for found in number.digits:
        x, y, width, height = found.box
        percent = str(min(99, int(100 * found.confidence)))
        size = max(MIN_LETTER_PX, 0.6 * _label_px(height, letter))
        # Those of digits that stand close would run into each other.
        if text_width(percent, size) <= width + 4 * line_px(letter):
            bottom = y + height + 5 * line_px(letter) + size
            write_text(canvas, percent, x + width / 2, bottom, size, LIGHT)


def _draw_unstable(canvas: Picture, number: Number, letter: float) -> None:
    thickness = line_px(letter)
    for found in number.digits:
        x, y, width, height = found.box
        _draw_box(canvas, found.box, UNSTABLE_COLOR, thickness)
        size = _label_px(height, letter)
        bottom = y - 2 * thickness
        write_text(canvas, str(found.digit), x + width / 2, bottom, size, UNSTABLE_COLOR)


def _draw_stable(
    canvas: Picture, held: StableNumber, digits: Sequence[FoundDigit], letter: float
) -> None:
    thickness = line_px(letter)
    for found in digits:
        _draw_box(canvas, found.box, STABLE_COLOR, thickness)
    gap = 2 * thickness
    x, y, width, height = held.box
    _draw_box(
        canvas, (x - gap, y - gap, width + 2 * gap, height + 2 * gap), STABLE_COLOR, 2 * thickness
    )
    size = _label_px(height, letter)
    plate_height = 1.5 * size
    plate_width = max(width + 2.0 * gap, text_width(held.text, size) + size)
    left = max(0.0, min(x - gap, canvas.shape[1] - plate_width))
    # On the frame, or below it where the picture ends.
    top = y - gap - plate_height if y - gap >= plate_height else y + height + gap
    corners = (round(left), round(top)), (round(left + plate_width), round(top + plate_height))
    cv2.rectangle(canvas, *corners, STABLE_COLOR, cv2.FILLED)
    bottom = top + 1.25 * size
    if len(digits) != len(held.text):  # read otherwise in this frame
        write_text(canvas, held.text, left + plate_width / 2, bottom, size, LIGHT)
        return
    for character, found in zip(held.text, digits, strict=True):
        write_text(canvas, character, found.box[0] + found.box[2] / 2, bottom, size, LIGHT)


def _label_px(height: int, letter: float) -> float:
    """Return how high the label of a digit of some height is: small digits stand close."""
    return min(1.3 * letter, max(MIN_LETTER_PX, 0.6 * height))


def _draw_box(canvas: Picture, box: Box, color: Color, thickness: int) -> None:
    x, y, width, height = box
    corners = (x, y), (x + width - 1, y + height - 1)
    cv2.rectangle(canvas, *corners, contrast_to(color), thickness + 2)
    cv2.rectangle(canvas, *corners, color, thickness)
