"""Drawing what was read on a form into a frame."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge_mnist.vision.color import as_color
from edge_mnist.vision.drawing import STABLE_COLOR, UNSTABLE_COLOR
from edge_mnist.vision.field_reading import FieldReading, FormReading
from edge_mnist.vision.fields import FormFields
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.lettering import (
    MIN_LETTER_PX,
    contrast_to,
    letter_px,
    line_px,
    text_width,
    wrap,
    write_panel,
    write_text,
)
from edge_mnist.vision.outline import Corners
from edge_mnist.vision.page import locate_box

SURE_COLOR, DOUBTFUL_COLOR = STABLE_COLOR, UNSTABLE_COLOR
# How high the letters above a field are at most, of its height.
LABEL_SHARE = 0.35


def annotate_form(
    picture: Picture, form: FormFields, reading: FormReading, *, status: Sequence[str] = ()
) -> Picture:
    """Draw what was read on a form into a copy of a frame.

    Each field gets a frame with its name and text above, or the text alone where both are wider
    than the field: blue, or orange if it is doubtful. A page that was not found is told in the left
    lower corner.

    Args:
        picture: uint8 [height, width, 3] (blue, green, red) or [height, width].
        form: The form.
        reading: What was read in the picture.
        status: What stands at the top.

    Returns:
        uint8 [height, width, 3].
    """
    canvas = as_color(picture)
    letter = letter_px(canvas)
    if reading.corners is None:
        write_panel(canvas, ["page not found"], 1.2 * letter, is_bottom=True)
    else:
        for field, read in zip(form.fields, reading.fields, strict=True):
            _draw_field(canvas, locate_box(field.box, reading.corners), read, letter)
    small = max(MIN_LETTER_PX, 0.8 * letter)
    write_panel(canvas, wrap(status, small, canvas.shape[1]), small)
    return canvas


def _draw_field(canvas: Picture, corners: Corners, field: FieldReading, letter: float) -> None:
    color = DOUBTFUL_COLOR if field.doubts else SURE_COLOR
    thickness = 2 * line_px(letter)
    outline = [np.rint(corners).astype(np.int32)]
    cv2.polylines(canvas, outline, True, contrast_to(color), thickness + 2, cv2.LINE_AA)
    cv2.polylines(canvas, outline, True, color, thickness, cv2.LINE_AA)
    width = float(np.linalg.norm(corners[1] - corners[0]))
    height = float(np.linalg.norm(corners[3] - corners[0]))
    size = min(letter, max(MIN_LETTER_PX, LABEL_SHARE * height))
    label = _to_ascii(f"{field.name}: {field.text}")
    # In a table, names would run into each other.
    if text_width(label, size) > width:
        label = _to_ascii(field.text)
    left, bottom = float(corners[0][0]), float(corners[0][1])
    middle = left + text_width(label, size) / 2
    write_text(canvas, label, middle, bottom - thickness, size, color)


def _to_ascii(text: str) -> str:
    """Return a text in what the font has."""
    return text.encode("ascii", "replace").decode()
