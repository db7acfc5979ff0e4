from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("cv2")

from edge_mnist.vision.field_reading import FieldReading, FormReading
from edge_mnist.vision.fields import Field, FormFields
from edge_mnist.vision.form_drawing import DOUBTFUL_COLOR, SURE_COLOR, annotate_form

FORM = FormFields(
    (Field("sum", (0.2, 0.2, 0.6, 0.2), (1, 8)), Field("größe", (0.2, 0.6, 0.6, 0.2), (1, 8)))
)
# The page lies turned in the frame: its upper edge is to the right.
CORNERS = ((500.0, 50.0), (500.0, 450.0), (100.0, 450.0), (100.0, 50.0))
READING = FormReading(
    CORNERS,
    (
        FieldReading("sum", "42", 0.99, (), ()),
        FieldReading("größe", "7?", 0.99, (), ("cell 2 holds no digit",)),
    ),
)


@pytest.fixture
def frame():
    return np.full((480, 640, 3), 200, np.uint8)


def find(picture, color):
    return (picture == color).all(axis=2)


def test_frame_itself_stays_as_it_is(frame):
    drawn = annotate_form(frame, FORM, READING)
    assert (frame == 200).all()
    assert drawn.shape == frame.shape
    assert np.array_equal(annotate_form(frame[..., 0], FORM, READING), drawn)


def test_fields_are_framed_where_they_lie_and_doubtful_ones_look_different(frame):
    drawn = annotate_form(frame, FORM, READING)
    # Fields reach from 20 % to 40 % and from 60 % to 80 % of the way from right to left.
    for color, columns in ((SURE_COLOR, (420, 340)), (DOUBTFUL_COLOR, (260, 180))):
        is_color = find(drawn, color)
        for column in columns:
            assert is_color[140:360, column - 2 : column + 3].any(axis=1).mean() > 0.9
    assert not find(drawn, SURE_COLOR)[:, :300].any()
    assert not find(drawn, DOUBTFUL_COLOR)[:, 420:].any()


def test_text_stands_above_the_field(frame):
    level = replace(READING, corners=((0.0, 0.0), (640.0, 0.0), (640.0, 480.0), (0.0, 480.0)))
    written = annotate_form(frame, FORM, level)
    empty = replace(level, fields=(replace(level.fields[0], text=""), level.fields[1]))
    differs = (written != annotate_form(frame, FORM, empty)).any(axis=2)
    rows, columns = np.nonzero(differs)
    assert 60 < rows.min() < rows.max() < 100
    assert 128 < columns.min() < columns.max() < 512


def test_name_that_is_wider_than_its_field_is_left_out(frame):
    def draw(name):
        form = FormFields((replace(FORM.fields[0], name=name),))
        reading = replace(READING, fields=(replace(READING.fields[0], name=name),))
        return annotate_form(frame, form, reading)

    assert np.array_equal(draw("a name that is far too long" * 3), draw("another" * 9))
    assert not np.array_equal(draw("sum"), draw("another" * 9))


def test_page_that_is_not_found_is_told_in_the_corner(frame):
    drawn = annotate_form(frame, FORM, replace(READING, corners=None))
    changed = (drawn != frame).any(axis=2)
    assert changed[-30:, :150].mean() > 0.5
    assert not changed[:400].any()
    assert (annotate_form(frame, FORM, READING, status=["9 frames/s"])[:20, :80] < 100).any()
