import numpy as np
import pytest

pytest.importorskip("cv2")

from edge_mnist.vision.merging import take_better
from edge_mnist.vision.reading import FoundDigit, Number, Reading


def number(text, left, top=0, confidence=0.9, width=20, height=40, fall=0):
    """A number whose digits stand side by side; each may stand lower than the last."""
    boxes = [(left + i * width, top + i * fall, width, height) for i in range(len(text))]
    return Number(
        tuple(
            FoundDigit(int(character), confidence, box, np.eye(10)[int(character)])
            for character, box in zip(text, boxes, strict=True)
        )
    )


def merge(*readings):
    return Reading(take_better(*readings)).lines


def test_number_of_which_more_was_read_is_taken():
    mine = ((number("12", 0), number("3", 200)),)
    theirs = ((number("124", 0), number("7", 200, confidence=0.5)),)
    assert merge(mine, theirs) == ["124 3"]


def test_surer_reading_is_taken():
    mine = ((number("12", 0, confidence=0.6), number("3", 200)),)
    theirs = ((number("72", 0, confidence=0.8), number("3", 200)),)
    assert merge(mine, theirs) == ["72 3"]


def test_less_sure_reading_of_as_many_digits_is_taken_if_that_suffices():
    mine = ((number("1134", 0, confidence=0.95), number("123456789012", 200, confidence=0.95)),)
    theirs = ((number("7734", 0, confidence=0.9), number("12345678901", 200, confidence=0.95)),)
    assert merge(mine, theirs) == ["1134 123456789012"]
    assert merge(mine, theirs, 0.9) == ["7734 123456789012"]


@pytest.mark.parametrize("fall", [-8, 8])
def test_line_of_a_turned_page_does_not_stand_in_the_next_ones_place(fall):
    below = (number("24816357", 0, top=50, fall=fall),)
    mine = ((number("2048163", 0, fall=fall),), below)
    theirs = ((number("20481635", 0, fall=fall),), below)
    assert merge(mine, theirs) == ["20481635", "24816357"]


def test_softer_edges_are_no_reason_to_take_the_other():
    mine = ((number("128", 0, height=20),),)
    theirs = ((number("121", 0, height=24, confidence=0.8),),)
    assert merge(mine, theirs) == ["128"]


def test_fewer_digits_are_not_taken_for_softer_edges():
    mine = ((number("123", 0, height=20), number("45", 200, height=20)),)
    theirs = ((number("12", 0, height=32), number("45", 200, height=32)),)
    assert merge(mine, theirs) == ["123 45"]


def test_as_sure_a_reading_changes_nothing():
    mine, theirs = ((number(text, 0, confidence=c),) for text, c in (("1", 0.9), ("7", 0.901)))
    assert merge((mine,), (theirs,)) == ["1"]


SURE = {"confidence": 0.999}


def test_what_only_the_other_has_read_is_taken_if_it_is_unmistakable():
    mine = (number("123", 0),)
    assert merge((mine,), ((*mine, number("8", 200, **SURE)),)) == ["123 8"]
    assert merge((mine,), ((number("81", 0, top=100, **SURE),), mine)) == ["123", "81"]


def test_new_line_stands_where_it_is():
    mine = ((number("123", 0),), (number("4", 0, top=200),))
    assert merge(mine, ((number("56", 0, top=100, **SURE),),)) == ["123", "56", "4"]


@pytest.mark.parametrize(
    "other",
    [
        number("8", 200),
        number("11", 200, **SURE),
        number("8", 200, height=60, **SURE),
        number("8", 200, height=30, **SURE),
    ],
    ids=["unsure", "mere strokes", "higher", "lower"],
)
def test_what_only_the_other_has_read_is_left_out_if_it_can_be_mistaken(other):
    mine = (number("123", 0),)
    assert merge((mine,), ((*mine, other),)) == ["123"]


def test_too_few_digits_do_not_tell_how_high_they_are():
    mine = (number("12", 0),)
    assert merge((mine,), ((*mine, number("8", 200, **SURE)),)) == ["12"]


def test_what_the_other_has_not_read_stays():
    assert merge(((number("12", 0), number("8", 200)),), ()) == ["12 8"]


def test_number_may_fall_into_two_and_two_into_one():
    one, two = (number("1234", 0),), (number("12", 0), number("4", 60))
    assert merge((one,), (two,)) == ["1234"]
    assert merge((two,), (one,)) == ["1234"]
    cut = (number("12", 0), number("345", 40, width=16))
    assert merge((one,), (cut,)) == ["12 345"]


def test_lines_stay_as_they_are():
    mine = ((number("1", 0),), (number("2", 0, top=100), number("3", 200, top=100)))
    theirs = ((number("45", 195, top=100),), (number("67", 0),))
    assert merge(mine, theirs) == ["67", "2 45"]


def test_number_across_two_lines_is_not_taken():
    mine = ((number("1", 0),), (number("2", 0, top=50),))
    theirs = ((number("8", 0, width=40, height=90),),)
    assert merge(mine, theirs) == ["1", "2"]
