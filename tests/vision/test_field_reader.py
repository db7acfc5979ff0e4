import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist import Classifier
from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.field_reader import FieldReader
from edge_mnist.vision.fields import Field, FormFields

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tools"))
from form_writing import Hand, draw_mark, put_ink, write_cells, write_freely

COMB, FREE = (40, 60, 320, 90), (40, 200, 320, 90)
HAND = Hand((60, 40, 40), 0.95, 0.65, 0.0)
FIELDS = FormFields(
    (
        Field("comb", (0.1, 0.15, 0.8, 0.225), (1, 4), cells=True),
        Field("free", (0.1, 0.5, 0.8, 0.225), (0, 4)),
    ),
    "whole",
)


@pytest.fixture(scope="module")
def classifier():
    return Classifier.load()


@pytest.fixture
def page():
    """400x400 pixels with a comb of four cells and a box, captions above them."""
    page = np.full((400, 400, 3), 235, np.uint8)
    for index in range(4):
        cv2.rectangle(page, (40 + 80 * index, 60), (120 + 80 * index, 150), (110,) * 3, 2)
    cv2.rectangle(page, (40, 200), (360, 290), (110,) * 3, 2)
    for y, caption in ((52, "1. Number 123"), (192, "2. Sum 456")):
        cv2.putText(page, caption, (40, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (40,) * 3, 2)
    return page


@pytest.fixture
def write(page, clear_digits):
    def write(comb="", free=""):
        rng = np.random.default_rng(3)
        write_cells(page, COMB, 4, comb, clear_digits, HAND, rng)
        write_freely(page, FREE, free, clear_digits, HAND, rng)

    return write


def read(classifier, page, form=FIELDS, **options):
    reading = FieldReader(classifier, form, **options).read(page)
    return {field.name: field for field in reading.fields}


def test_fields_are_read_with_confidence_and_second_choices(classifier, page, write):
    write(comb="2074", free="315")
    fields = read(classifier, page)
    assert {name: field.text for name, field in fields.items()} == {"comb": "2074", "free": "315"}
    for field in fields.values():
        assert field.doubts == ()
        assert [str(digit.digit) for digit in field.digits] == list(field.text)
        assert field.confidence == min(digit.confidence for digit in field.digits) > 0.97
        for digit in field.digits:
            assert digit.second != digit.digit
            assert 0 <= digit.second_confidence <= 1 - digit.confidence + 1e-9


def test_gray_page_reads_the_same(classifier, page, write):
    write(comb="2074", free="315")
    gray = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    assert read(classifier, gray) == read(classifier, page)


def test_empty_cells_at_the_end_are_empty(classifier, page, write):
    write(comb="27")
    fields = read(classifier, page)
    assert (fields["comb"].text, fields["comb"].doubts) == ("27", ())
    assert (fields["free"].text, fields["free"].confidence, fields["free"].doubts) == ("", None, ())


def test_empty_cell_between_others_is_doubtful(classifier, page, write):
    write(comb="2274")
    page[65:146, 125:196] = 235
    field = read(classifier, page)["comb"]
    assert (field.text, field.doubts) == ("2 74", ("an empty cell between others",))


def test_field_that_must_not_be_empty_is_doubtful_if_it_is(classifier, page):
    field = read(classifier, page)["comb"]
    assert (field.text, field.doubts) == ("", ("length: expected 1 to 4 digits, got 0",))


@pytest.mark.parametrize("seed", [1, 2, 5, 8])
def test_ticks_and_letters_are_no_digits(seed, classifier, page, write):
    write(comb="2")
    rng = np.random.default_rng(seed)
    put_ink(page, cv2.resize(draw_mark(rng), (60, 60)), (130, 75), HAND)
    put_ink(page, cv2.resize(draw_mark(rng), (60, 60)), (170, 215), HAND)
    fields = read(classifier, page)
    assert fields["comb"].text.replace("?", "") == "2"
    assert fields["free"].text == ""
    if "?" in fields["comb"].text:
        assert fields["comb"].doubts == ("cell 2 holds no digit",)


def test_something_beside_the_digits_is_doubtful(classifier, page, write):
    write(free="31")
    cv2.line(page, (290, 225), (340, 270), (60, 40, 40), 6, cv2.LINE_AA)
    cv2.line(page, (340, 225), (290, 270), (60, 40, 40), 6, cv2.LINE_AA)
    field = read(classifier, page)["free"]
    assert field.text == "31"
    assert "something that is no digit" in field.doubts


def test_broken_rules_and_low_confidence_are_told(classifier, page, write):
    write(comb="2074")
    comb = replace(FIELDS.fields[0], range=(0, 2000), check="luhn")
    field = read(classifier, page, FormFields((comb,), "whole"), doubt_below=1.0)["comb"]
    assert field.text == "2074"
    assert field.doubts[:2] == ("range: expected 0 to 2000", "check digit: wrong by luhn")
    first = field.digits[0]
    assert field.doubts[2] == (
        f"low confidence: 2 ({100 * first.confidence:.0f} %) may be {first.second} "
        f"({100 * first.second_confidence:.0f} %)"
    )


def test_field_that_is_unsure_as_a_whole_is_doubtful(classifier, page, write, monkeypatch):
    write(free="315")
    monkeypatch.setattr("edge_mnist.vision.ink_reader.is_unsure", lambda *_: True)
    monkeypatch.setattr("edge_mnist.vision.ink_reader.choose_text", lambda *_: (None, 0.62))
    field = read(classifier, page)["free"]
    assert (field.text, field.confidence) == ("315", 0.62)
    assert field.doubts == ("low confidence: 62 % as a whole",)


def test_page_that_is_not_found_leaves_every_field_doubtful(classifier):
    form = replace(FIELDS, find="outline")
    reading = FieldReader(classifier, form).read(np.full((480, 640, 3), 128, np.uint8))
    assert reading.corners is None
    assert [(field.text, field.doubts) for field in reading.fields] == [
        ("", ("page not found",)),
        ("", ("page not found",)),
    ]


def test_cells_without_enough_pixels_are_not_read(classifier, page, write):
    write(comb="2074")
    narrow = Field("narrow", (0.1, 0.15, 0.05, 0.225), (1, 8), cells=True)
    field = read(classifier, page, FormFields((narrow, *FIELDS.fields), "whole"))
    assert (field["narrow"].text, field["narrow"].doubts) == ("", ("too small on the page",))
    assert field["comb"].text == "2074"


def test_field_that_rounding_takes_beyond_the_page_is_read(classifier):
    edge = Field("edge", (0.0, 0.995, 1.0, 0.0058), (0, 4))
    field = read(classifier, np.full((2400, 400, 3), 235, np.uint8), FormFields((edge,), "whole"))
    assert (field["edge"].text, field["edge"].doubts) == ("", ())


def test_page_is_found_in_a_photograph_and_its_corners_are_told(classifier, page, write):
    write(comb="2074", free="315")
    corners = np.float32([[120, 60], [690, 90], [700, 660], [90, 620]])
    flat = np.float32([[0, 0], [400, 0], [400, 400], [0, 400]])
    matrix = cv2.getPerspectiveTransform(flat, corners)
    desk = np.full((720, 800, 3), (40, 60, 80), np.uint8)
    photo = cv2.warpPerspective(
        page, matrix, (800, 720), desk, borderMode=cv2.BORDER_TRANSPARENT, flags=cv2.INTER_CUBIC
    )
    reading = FieldReader(classifier, replace(FIELDS, find="outline", aspect=1.0)).read(photo)
    assert np.abs(np.array(reading.corners) - corners).max() < 3
    assert [field.text for field in reading.fields] == ["2074", "315"]


def test_threshold_that_is_no_share_is_refused(classifier):
    with pytest.raises(
        InvalidInputError, match=r"^confidence to doubt below: expected 0 to 1, got 1\.5"
    ):
        FieldReader(classifier, FIELDS, doubt_below=1.5)
