"""Drawing what was read into a frame."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from edge_mnist.vision.frames import Picture
from edge_mnist.vision.reading import Box, Number, Reading
from edge_mnist.vision.tracking import StableNumber

Color = tuple[int, int, int]

# Blue, green, red. The two of Okabe and Ito's palette that everyone tells apart, on light paper and
# on dark (jfly.uni-koeln.de/color).
STABLE_COLOR: Color = (178, 114, 0)
UNSTABLE_COLOR: Color = (0, 159, 230)
LIGHT: Color = (255, 255, 255)
DARK: Color = (0, 0, 0)

FONT = cv2.FONT_HERSHEY_SIMPLEX
# A capital's height in pixels at scale 1: the font's own measure.
FONT_HEIGHT_PX = 21
# The smallest letters that can be read, and those of a frame as share of its shorter side.
MIN_LETTER_PX = 8.0
LETTER_SHARE = 1 / 34


def annotate(
    picture: Picture,
    reading: Reading,
    stable: Sequence[StableNumber] = (),
    *,
    status: Sequence[str] = (),
    hints: Sequence[str] = (),
) -> Picture:
    """Draw what was read into a copy of a frame.

    Each digit gets a box, what it was read as above it and how sure that is, in percent, below.
    Numbers that are stable have a thick frame and their text on a plate besides. The text of the
    lines stands in the left lower corner.

    Args:
        picture: uint8 [height, width, 3] (blue, green, red) or [height, width].
        reading: What was read in it.
        stable: The numbers in view whose reading holds.
        status: Lines for the left upper corner.
        hints: Lines for the right upper corner; left out where the frame is too narrow for both.

    Returns:
        uint8 [height, width, 3].
    """
    canvas = (
        picture.copy() if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    ).astype(np.uint8)
    letter = _letter_px(canvas)
    for number in reading.numbers:
        is_stable = any(_holds_middle(held.box, number.box) for held in stable)
        _draw_digits(canvas, number, STABLE_COLOR if is_stable else UNSTABLE_COLOR, letter)
    for held in stable:
        _draw_stable(canvas, held, letter)
    right = _draw_panel(canvas, status, letter)
    _draw_panel(canvas, hints, letter, is_right=True, is_optional=True, keep_clear=right)
    _draw_panel(canvas, reading.lines, 1.5 * letter, is_bottom=True)
    return canvas


def tile(stages: Sequence[tuple[str, Picture]], width: int, height: int) -> Picture:
    """Show pictures beside each other, each with its name.

    Args:
        stages: Names, and pictures as for `annotate`, each of any size.
        width: Of the result, in pixels.
        height: Of the result, in pixels.

    Returns:
        uint8 [height, width, 3].
    """
    canvas = np.zeros((height, width, 3), np.uint8)
    columns = math.ceil(math.sqrt(len(stages))) or 1
    rows = math.ceil(len(stages) / columns) or 1
    cell_width, cell_height = width // columns, height // rows
    for index, (name, picture) in enumerate(stages):
        cell = fit(picture, cell_width, cell_height)
        _draw_panel(cell, [name], _letter_px(cell))
        y, x = index // columns * cell_height, index % columns * cell_width
        canvas[y : y + cell_height, x : x + cell_width] = cell
    return canvas


def fit(picture: Picture, width: int, height: int) -> Picture:
    """Scale a picture into a size with its aspect ratio kept; what is left over is black.

    Args:
        picture: uint8 [height, width, 3] or [height, width].
        width: Of the result, in pixels.
        height: Of the result, in pixels.

    Returns:
        uint8 [height, width, 3].
    """
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR).astype(np.uint8)
    if picture.shape[:2] == (height, width):
        return picture.copy()
    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner = (
        min(width, max(1, round(picture.shape[1] * scale))),
        min(height, max(1, round(picture.shape[0] * scale))),
    )
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        picture, inner, interpolation=method
    )
    return canvas


def _letter_px(canvas: Picture) -> float:
    return max(MIN_LETTER_PX, LETTER_SHARE * min(canvas.shape[:2]))


def _holds_middle(outer: Box, inner: Box) -> bool:
    x, y = inner[0] + inner[2] / 2, inner[1] + inner[3] / 2
    left, top, width, height = outer
    return left <= x <= left + width and top <= y <= top + height


def _draw_digits(canvas: Picture, number: Number, color: Color, letter: float) -> None:
    thickness = _line_px(letter)
    gap = 2 * thickness
    for found in number.digits:
        x, y, width, height = found.box
        _draw_box(canvas, found.box, color, thickness)
        _write(canvas, str(found.digit), x + width / 2, y - gap, 1.3 * letter, color)
        percent = str(min(99, int(100 * found.confidence)))
        # The percentages of digits that stand close would run into each other.
        if _text_width(percent, 0.8 * letter) <= width + letter:
            bottom = y + height + gap + 0.8 * letter
            _write(canvas, percent, x + width / 2, bottom, 0.8 * letter, color)


def _draw_stable(canvas: Picture, held: StableNumber, letter: float) -> None:
    thickness = 2 * _line_px(letter)
    # Around the digits' own boxes and what is written at them.
    margin = round(2.2 * letter)
    x, y, width, height = held.box
    outer = (x - margin // 2, y - margin, width + margin // 2 * 2, height + 2 * margin)
    _draw_box(canvas, outer, STABLE_COLOR, thickness)
    size = 1.5 * letter
    plate = (_text_width(held.text, size) + size, 1.8 * size)
    left = max(0, min(outer[0], canvas.shape[1] - plate[0]))
    # Above the number, or below it where the frame ends.
    top = outer[1] - plate[1] if outer[1] >= plate[1] else outer[1] + outer[3]
    top = max(0, min(top, canvas.shape[0] - plate[1]))
    corner = (round(left + plate[0]), round(top + plate[1]))
    cv2.rectangle(canvas, (round(left), round(top)), corner, STABLE_COLOR, cv2.FILLED)
    middle = left + plate[0] / 2
    _write(canvas, held.text, middle, top + 1.4 * size, size, LIGHT, has_outline=False)


def _draw_box(canvas: Picture, box: Box, color: Color, thickness: int) -> None:
    x, y, width, height = box
    corners = (x, y), (x + width - 1, y + height - 1)
    cv2.rectangle(canvas, *corners, _contrast(color), thickness + 2)
    cv2.rectangle(canvas, *corners, color, thickness)


def _draw_panel(
    canvas: Picture,
    lines: Sequence[str],
    letter: float,
    *,
    is_right: bool = False,
    is_bottom: bool = False,
    is_optional: bool = False,
    keep_clear: float = 0,
) -> float:
    """Write lines on a darkened plate in a corner; return where it ends on the right.

    They become smaller where the frame is too narrow, down to what can be read.
    """
    if not lines:
        return 0
    frame_height, frame_width = canvas.shape[:2]
    room = frame_width - keep_clear
    widest = max(_text_width(line, letter) for line in lines) + 2 * letter
    if widest > room:
        if is_optional:
            return 0
        letter = max(MIN_LETTER_PX, letter * room / widest)
        widest = max(_text_width(line, letter) for line in lines) + 2 * letter
    step = 1.9 * letter
    fitting = max(1, int((frame_height - letter) // step))
    lines = lines[:fitting]
    height = min(frame_height, round(letter + step * len(lines)))
    left = max(0, round(frame_width - widest)) if is_right else 0
    right = min(frame_width, round(left + widest))
    top = frame_height - height if is_bottom else 0
    plate = canvas[top : top + height, left:right]
    plate[:] = plate // 4
    for index, line in enumerate(lines):
        middle = left + letter + _text_width(line, letter) / 2
        bottom = top + 0.4 * letter + step * (index + 1) - 0.4 * letter
        _write(canvas, line, middle, bottom, letter, LIGHT)
    return right


def _write(
    canvas: Picture,
    text: str,
    middle: float,
    bottom: float,
    letter: float,
    color: Color,
    *,
    has_outline: bool = True,
) -> None:
    """Write text centred at a column, its letters so many pixels high."""
    scale, thickness = letter / FONT_HEIGHT_PX, _line_px(letter)
    place = (round(middle - _text_width(text, letter) / 2), round(bottom))
    if has_outline:
        outline = thickness + 2 * max(1, thickness)
        cv2.putText(canvas, text, place, FONT, scale, _contrast(color), outline, cv2.LINE_AA)
    cv2.putText(canvas, text, place, FONT, scale, color, thickness, cv2.LINE_AA)


def _text_width(text: str, letter: float) -> float:
    return float(cv2.getTextSize(text, FONT, letter / FONT_HEIGHT_PX, _line_px(letter))[0][0])


def _line_px(letter: float) -> int:
    return max(1, round(letter / 9))


def _contrast(color: Color) -> Color:
    """Return black or white, whichever stands out more from a colour."""
    blue, green, red = color
    luma = 0.114 * blue + 0.587 * green + 0.299 * red  # ITU-R BT.601
    return DARK if luma > 110 else LIGHT
