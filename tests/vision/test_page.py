import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.fields import Field, FormFields
from edge_mnist.vision.page import PageFinder, locate_box, straighten

FIELD = Field("f", (0.1, 0.1, 0.5, 0.1), (1, 1))
CORNERS = np.array([[160, 90], [700, 130], [660, 520], [120, 470]], np.float32)


@pytest.fixture(scope="module")
def blank():
    """A page of 700x1000 pixels with print on it."""
    page = np.full((700, 1000), 240, np.uint8)
    for row, text in enumerate(("Invoice No. 4711", "Name, first name", "Bank & branch", "Kg / m")):
        place = (60 + 40 * row, 140 + 150 * row)
        cv2.putText(page, text, place, cv2.FONT_HERSHEY_TRIPLEX, 1.6, 20, 2, cv2.LINE_AA)
    return page


@pytest.fixture
def reference(blank, tmp_path):
    path = tmp_path / "blank.png"
    cv2.imwrite(str(path), blank)
    return FormFields((FIELD,), "reference", reference=path)


def photograph(page, corners, size=(800, 600)):
    height, width = page.shape
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, np.float32(corners))
    photo = np.full(size[::-1], 90, np.uint8)
    return cv2.warpPerspective(page, matrix, size, photo, borderMode=cv2.BORDER_TRANSPARENT)


def test_page_with_an_outline_is_straightened(blank):
    page = PageFinder(FormFields((FIELD,), aspect=10 / 7)).find(photograph(blank, CORNERS))
    assert np.abs(page.corners - CORNERS).max() < 2
    assert page.gray.shape[1] / page.gray.shape[0] == pytest.approx(10 / 7, abs=0.01)
    same = cv2.resize(page.gray, (1000, 700)).astype(int)
    assert np.abs(cv2.blur(same, (15, 15)) - cv2.blur(blank, (15, 15)).astype(int)).mean() < 5


@pytest.mark.parametrize("turns", range(4))
def test_page_with_a_reference_may_lie_in_any_way(turns, blank, reference):
    photo = np.rot90(photograph(blank, CORNERS), turns).copy()
    page = PageFinder(reference).find(photo)
    same = cv2.resize(page.gray, (1000, 700)).astype(int)
    assert np.abs(cv2.blur(same, (15, 15)) - cv2.blur(blank, (15, 15)).astype(int)).mean() < 5


def test_reference_finds_a_page_that_fills_the_picture(blank, reference):
    page = PageFinder(reference).find(blank)
    assert np.abs(page.corners - [[0, 0], [1000, 0], [1000, 700], [0, 700]]).max() < 3


def test_other_page_is_not_taken_for_the_form(reference):
    other = np.full((700, 1000), 240, np.uint8)
    for row in range(5):
        place = (50, 100 + 120 * row)
        cv2.putText(other, "shopping list 99", place, cv2.FONT_HERSHEY_SIMPLEX, 2, 0, 3)
    assert PageFinder(reference).find(photograph(other, CORNERS)) is None


@pytest.mark.parametrize("find", ["outline", "reference"])
def test_no_page_is_found_where_there_is_none(find, reference):
    form = reference if find == "reference" else FormFields((FIELD,))
    assert PageFinder(form).find(np.full((480, 640), 128, np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (9000, 2)])
def test_nothing_is_found_in_a_thin_picture(shape, reference):
    noise = np.random.default_rng(7).integers(0, 256, shape, np.uint8)
    for form in (reference, FormFields((FIELD,), aspect=1.4)):
        assert PageFinder(form).find(noise) is None


def test_thin_picture_that_is_the_page_keeps_a_pixel_of_its_width():
    form = FormFields((FIELD,), "whole")
    assert PageFinder(form).find(np.zeros((1, 8000), np.uint8)).gray.shape == (1, 2400)


def test_whole_picture_is_the_page_if_the_form_says_so(blank):
    page = PageFinder(FormFields((FIELD,), "whole")).find(blank)
    assert np.array_equal(page.gray, blank)


def test_reference_without_print_is_refused(tmp_path):
    path = tmp_path / "white.png"
    cv2.imwrite(str(path), np.full((300, 200), 255, np.uint8))
    with pytest.raises(InvalidInputError) as error:
        PageFinder(FormFields((FIELD,), "reference", reference=path))
    assert str(error.value) == (
        f"too little to see on the reference picture {path}: expected at least 20 corners of "
        'print, got 0; use find = "outline"'
    )


def test_missing_reference_is_named(tmp_path):
    form = FormFields((FIELD,), "reference", reference=tmp_path / "none.png")
    with pytest.raises(InvalidInputError, match=r"^cannot read .*none\.png: got No such file"):
        PageFinder(form)


def test_small_page_is_enlarged_to_700_pixels():
    small = np.full((210, 297), 255, np.uint8)
    corners = np.array([[0, 0], [296, 0], [296, 209], [0, 209]], np.float32)
    assert max(straighten(small, corners).shape) == 700


def test_box_lies_in_the_photograph_where_it_lies_on_the_page():
    corners = [(100, 50), (300, 50), (300, 450), (100, 450)]
    located = locate_box((0.25, 0.5, 0.5, 0.1), corners)
    assert np.allclose(located, [[150, 250], [250, 250], [250, 290], [150, 290]], atol=1e-3)
