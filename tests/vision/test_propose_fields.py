import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.vision.propose_fields import propose_fields

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tools"))
from form_camera import photograph
from form_layouts import make_layouts

LAYOUTS = {layout.name: layout for layout in make_layouts()}
REFERENCE = Path("blank.png")


def find_same(fields, wanted):
    """Return the proposed field that stands where the wanted one does."""
    near = [
        field
        for field in fields
        if max(abs(a - b) for a, b in zip(field.box, wanted.box, strict=True)) < 0.012
    ]
    assert len(near) == 1, wanted
    return near[0]


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("is_photo", [False, True])
def test_every_field_of_an_empty_form_is_proposed(name, is_photo):
    layout = LAYOUTS[name]
    picture = layout.blank
    if is_photo:
        page = cv2.cvtColor(layout.blank, cv2.COLOR_GRAY2BGR)
        photo = photograph(page, np.random.default_rng(1))
        picture = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    form = propose_fields(picture, REFERENCE)
    assert form.find == ("outline" if is_photo else "reference")
    assert form.reference == (None if is_photo else REFERENCE)
    for wanted in layout.fields:
        proposed = find_same(form.fields, wanted)
        assert proposed.cells == wanted.cells
        if wanted.cells:
            assert proposed.digits == (0, wanted.digits[1])


def test_fields_are_named_in_the_order_of_reading():
    form = propose_fields(LAYOUTS["score_sheet"].blank, REFERENCE)
    assert [field.name for field in form.fields] == [
        f"field_{number}" for number in range(1, len(form.fields) + 1)
    ]
    places = [(round(field.box[1], 2), field.box[0]) for field in form.fields]
    assert places == sorted(places)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_nothing_is_proposed_where_no_boxes_are(level):
    assert propose_fields(np.full((600, 800), level, np.uint8), REFERENCE) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (9000, 2)])
def test_nothing_is_proposed_in_a_thin_picture(shape):
    noise = np.random.default_rng(7).integers(0, 256, shape, np.uint8)
    assert propose_fields(noise, REFERENCE) is None
