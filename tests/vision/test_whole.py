import numpy as np
import pytest

pytest.importorskip("cv2")

from edge_mnist.prediction import Prediction
from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.candidates import Candidate
from edge_mnist.vision.ink import InkMap
from edge_mnist.vision.strips import cut_strip
from edge_mnist.vision.whole import choose_text, is_unsure, place_digits

BLANK = 10


def make_candidate(digit, confidence=0.999, left=0, width=10):
    weights = np.full(10, (1 - confidence) / 9)
    weights[digit] = confidence
    blob = Blob((left, 20, width, 20), np.ones((20, width), bool), 200.0)
    return Candidate(blob, Prediction(digit, confidence, 0.0, False, weights, 1.0))


def make_columns(text, sure=0.99, sure_of=None, columns=40):
    """A digit in every fourth column from the eighth on; all else goes to the blank."""
    probabilities = np.full((columns, 11), 1e-6)
    probabilities[:, BLANK] = 1
    for index, digit in enumerate(text):
        own = (sure_of or {}).get(index, sure)
        probabilities[8 + 4 * index, int(digit)] = own
        probabilities[8 + 4 * index, BLANK] = 1 - own
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def read(number, probabilities, left_out=""):
    taken = [make_candidate(int(digit)) for digit in number]
    others = [make_candidate(int(digit)) for digit in left_out]
    seen, _ = choose_text([*taken, *others], taken, probabilities)
    return None if seen is None else "".join(str(one.label) for one in seen)


@pytest.mark.parametrize(
    ("confidences", "is_clear", "unsure"),
    [
        ((0.999, 0.999), True, False),
        ((0.999, 0.8), True, True),
        ((0.999, 0.999), False, True),
        ((0.8,), True, False),
        ((0.999,), False, True),
    ],
)
def test_what_is_doubtful_is_read_as_a_whole(confidences, is_clear, unsure):
    group = [make_candidate(3, confidence) for confidence in confidences]
    assert is_unsure(group, group, is_clear) == unsure


def test_number_that_lacks_a_candidate_is_read_as_a_whole():
    group = [make_candidate(3), make_candidate(5)]
    assert is_unsure(group, group[:1], is_clear=True)
    assert is_unsure(group, [], is_clear=True)


def test_lone_ink_that_is_no_digit_is_not_asked_about():
    assert not is_unsure([make_candidate(3)], [], is_clear=False)


def test_text_that_is_much_likelier_counts():
    assert read("12", make_columns("123")) == "123"
    assert read("173", make_columns("123")) == "123"


def test_same_text_changes_nothing():
    assert read("123", make_columns("123")) is None


def test_text_that_is_little_likelier_does_not_count():
    assert read("12", make_columns("123", sure_of={2: 0.6})) is None


@pytest.mark.parametrize(
    ("number", "likelihood"),
    [
        ("123", 0.9 * 0.8 * 0.6),  # is what is read as a whole
        ("12", 0.9 * 0.8 * 0.4),  # is little less likely, and stays
        ("173", 0.9 * 0.8 * 0.6),  # is impossible, and the whole is taken
    ],
)
def test_what_is_chosen_is_told_with_its_probability(number, likelihood):
    columns = make_columns("123", sure_of={0: 0.9, 1: 0.8, 2: 0.6})
    taken = [make_candidate(int(digit)) for digit in number]
    assert choose_text(taken, taken, columns)[1] == pytest.approx(likelihood, abs=1e-3)


def test_what_was_left_out_must_be_likelier_to_count():
    columns = make_columns("123", sure_of={2: 0.95})
    assert read("12", columns) == "123"
    assert read("12", columns, left_out="3") is None
    assert read("12", make_columns("123"), left_out="3") == "123"


def test_nothing_counts_where_a_word_was_read():
    assert read("12", make_columns("")) == ""


def test_faint_doubt_does_not_make_nothing_of_a_number():
    # The digits are somewhat less likely than none.
    assert read("1", make_columns("1", sure=0.3)) is None


def test_what_was_judged_away_is_taken_back_if_it_is_certain():
    assert read("", make_columns("42")) == "42"
    assert read("", make_columns("42", sure_of={0: 0.7})) is None


def test_one_digit_that_was_judged_away_stays_away():
    assert read("", make_columns("4")) is None


def test_digits_are_placed_on_their_ink():
    """A blob for the first digit, one for the next two, and none for the last."""
    contrast = np.zeros((60, 120), np.uint8)
    for left, width in ((20, 10), (40, 22), (72, 10)):
        contrast[20:40, left : left + width] = 200
    ink = InkMap(contrast, (contrast > 0).astype(np.uint8), is_bright=False, noise=0.0)
    group = [make_candidate(1, left=20), make_candidate(8, left=40, width=22)]
    strip = cut_strip(ink, [c.blob for c in group])
    # In the strip as in the ink, a height of 20 to the right of where the first begins.
    middles = [25, 45, 56, 77]
    probabilities = np.full((60, 11), 1e-6)
    probabilities[:, BLANK] = 1
    for digit, middle in enumerate(middles):
        column = int((strip.to_strip @ (middle, 30, 1))[0] / 2)
        probabilities[column, digit], probabilities[column, BLANK] = 0.9, 0.05
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    seen, _ = choose_text(group, group, probabilities)
    placed = place_digits(seen, probabilities, strip, group, ink)
    assert [c.prediction.digit for c in placed] == [0, 1, 2, 3]
    assert placed[0].blob is group[0].blob
    boxes = [c.blob.box for c in placed]
    for (left, top, width, height), middle in zip(boxes, middles, strict=True):
        assert left <= middle < left + width <= left + 16
        assert (top, height) == (20, 20)
    assert boxes[1][0] == 40
    assert sum(boxes[2][::2]) == 62
    for candidate in placed:
        assert candidate.prediction.confidence == pytest.approx(0.9 / 0.95, abs=0.06)
        assert candidate.prediction.probabilities.sum() == pytest.approx(1)


def test_nothing_has_no_place():
    strip = cut_strip(
        InkMap(np.full((60, 120), 9, np.uint8), np.ones((60, 120), np.uint8), False, 0.0),
        [make_candidate(1, left=20).blob],
    )
    assert place_digits([], make_columns(""), strip, [make_candidate(1)], None) == []
