"""Text in frames, readable on any background and at any size of the frame."""

from collections.abc import Sequence

import cv2

from edge_mnist.vision.frames import Picture

Color = tuple[int, int, int]  # blue, green, red

LIGHT: Color = (255, 255, 255)
DARK: Color = (0, 0, 0)

FONT = cv2.FONT_HERSHEY_SIMPLEX
# A capital's height in pixels at scale 1: the font's own measure.
FONT_HEIGHT_PX = 21
# The smallest letters that can be read, and what letters are of a frame's shorter side.
MIN_LETTER_PX = 8.0
LETTER_SHARE = 1 / 34
# From one line of text to the next, in letters.
LINE_STEP = 1.9
# What the pixels behind text are divided by.
DARKENING = 4


def letter_px(picture: Picture) -> float:
    """Return how high letters are in a picture of this size, in pixels."""
    return max(MIN_LETTER_PX, LETTER_SHARE * min(picture.shape[:2]))


def line_px(letter: float) -> int:
    """Return how thick lines are beside letters of this height, in pixels."""
    return max(1, round(letter / 12))


def text_width(text: str, letter: float) -> float:
    """Return how wide text is, in pixels, with letters of this height."""
    return float(cv2.getTextSize(text, FONT, letter / FONT_HEIGHT_PX, line_px(letter))[0][0])


def contrast_to(color: Color) -> Color:
    """Return black or white, whichever stands out more from a colour."""
    blue, green, red = color
    luma = 0.114 * blue + 0.587 * green + 0.299 * red  # ITU-R BT.601
    return DARK if luma > 110 else LIGHT


def write_text(
    canvas: Picture,
    text: str,
    middle: float,
    bottom: float,
    letter: float,
    color: Color,
) -> None:
    """Write text with an outline into a picture.

    Args:
        canvas: uint8 [height, width, 3].
        text: ASCII; the font has nothing else.
        middle: The column that it is centred at.
        bottom: The row that its letters stand on.
        letter: Their height in pixels.
        color: Theirs; the outline is black or white.
    """
    scale, thickness = letter / FONT_HEIGHT_PX, line_px(letter)
    place = (round(middle - text_width(text, letter) / 2), round(bottom))
    outline = 3 * thickness
    cv2.putText(canvas, text, place, FONT, scale, contrast_to(color), outline, cv2.LINE_AA)
    cv2.putText(canvas, text, place, FONT, scale, color, thickness, cv2.LINE_AA)


def write_panel(
    canvas: Picture,
    lines: Sequence[str],
    letter: float,
    *,
    is_right: bool = False,
    is_bottom: bool = False,
) -> None:
    """Write lines on a darkened plate in a corner: smaller where the picture is too small for all.

    Args:
        canvas: uint8 [height, width, 3].
        lines: ASCII.
        letter: The largest height of letters in pixels.
        is_right: Whether it is a right corner.
        is_bottom: Whether it is a lower corner.
    """
    if not lines:
        return
    height, width = canvas.shape[:2]
    # A third of the height is enough: behind the plate there are digits.
    needed = max(
        _panel_width(lines, letter) / width, LINE_STEP * letter * len(lines) / (height / 3)
    )
    letter = max(MIN_LETTER_PX, letter / max(1.0, needed))
    fitting = max(1, int((height / 3) // (LINE_STEP * letter)))
    if len(lines) > fitting:
        lines = [*lines[: fitting - 1], f"and {len(lines) - fitting + 1} more lines"]
    plate_width = min(width, round(_panel_width(lines, letter)))
    plate_height = min(height, round(LINE_STEP * letter * len(lines) + 0.4 * letter))
    left = width - plate_width if is_right else 0
    top = height - plate_height if is_bottom else 0
    canvas[top : top + plate_height, left : left + plate_width] //= DARKENING
    for index, line in enumerate(lines):
        middle = left + 0.7 * letter + text_width(line, letter) / 2
        bottom = top + LINE_STEP * letter * (index + 1) - 0.3 * letter
        write_text(canvas, line, middle, bottom, letter, LIGHT)


def wrap(parts: Sequence[str], letter: float, width: int) -> list[str]:
    """Join parts to as few lines as fit into a width in pixels."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}   {part}" if lines else part
        if lines and _panel_width([longer], letter) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _panel_width(lines: Sequence[str], letter: float) -> float:
    return max(text_width(line, letter) for line in lines) + 1.4 * letter
