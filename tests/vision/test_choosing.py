import pytest

pytest.importorskip("cv2")

import cv2
import numpy as np

from edge_mnist.prediction import Prediction
from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.candidates import Candidate
from edge_mnist.vision.choosing import choose_parts, is_doubtful, is_worth_cutting
from edge_mnist.vision.judging import judge
from edge_mnist.vision.reader import Reader


def print_text(page, text, left, baseline, scale=1.6, font=cv2.FONT_HERSHEY_SIMPLEX):
    cv2.putText(page, text, (left, baseline), font, scale, 40, 4, cv2.LINE_AA)


@pytest.mark.parametrize("hand", range(4))
def test_ones_stay_ones(hand, reader, make_paper, write):
    page = make_paper()
    write(page, "1111", 60, 60, hand=hand)
    write(page, "10171", 60, 160, hand=hand)
    write(page, "2111", 60, 260, height=70, hand=hand)
    assert reader.read(page).lines == ["1111", "10171", "2111"]


@pytest.mark.parametrize("thicker", [0, 6, 12])
@pytest.mark.parametrize("slant", [-20, 0, 14, 30])
def test_one_that_is_a_plain_stroke_is_read(slant, thicker, reader, make_paper, write):
    page = make_paper()
    write(page, "2", 100, 200, height=60, thicker=thicker)
    cv2.line(page, (200 + slant, 205), (200, 255), 40, 6 + thicker, cv2.LINE_AA)
    write(page, "3", 240, 200, height=60, thicker=thicker)
    assert reader.read(page).lines == ["213"]


@pytest.mark.parametrize("font", [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX])
@pytest.mark.parametrize("text", ["HKXWM", "KMWHX", "HEX", "WARM"])
def test_letters_are_no_digits(text, font, reader, make_paper):
    page = make_paper()
    print_text(page, text, 100, 250, font=font)
    assert reader.read(page).lines == []


@pytest.mark.parametrize("text", ["room", "mum", "mom"])
def test_legs_of_letters_are_no_ones(text, reader, make_paper):
    page = make_paper()
    print_text(page, text, 150, 250, scale=2)
    # A round o may be a 0.
    assert "1" not in "".join(reader.read(page).lines)


@pytest.mark.parametrize("legs", [5, 6, 7])
def test_zigzag_is_no_number(legs, reader, make_paper):
    page = make_paper()
    zigzag = [(200 + 24 * leg, 244 if leg % 2 else 200) for leg in range(legs)]
    cv2.polylines(page, [np.array(zigzag)], False, 40, 4, cv2.LINE_AA)
    assert reader.read(page).lines == []


def test_number_below_letters_is_read_without_them(reader, make_paper, write):
    page = make_paper()
    print_text(page, "HKXWM", 100, 120)
    write(page, "20473", 100, 200)
    assert reader.read(page).lines == ["20473"]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("text", ["7", "42", "3 8"])
def test_short_numbers_alone_on_a_page_are_read(text, hand, reader, make_paper, write):
    page = make_paper()
    write(page, text, 250, 200, hand=hand)
    assert reader.read(page).lines == [text]


def test_model_that_is_sure_of_nothing_reads_nothing(classifier, make_paper, write):
    page = make_paper()
    write(page, "20473", 100, 200)
    assert Reader(classifier, min_confidence=1).read(page).lines == []


@pytest.mark.parametrize("hand", range(3))
def test_page_of_ones_is_read(hand, reader, make_paper, write):
    page = make_paper()
    for top in range(40, 440, 80):
        write(page, "11171117", 60, top, hand=hand)
    assert reader.read(page).lines == ["11171117"] * 5


def test_frame_beside_a_number_is_no_one(reader, make_paper, write):
    page = make_paper()
    write(page, "20473", 100, 200)
    cv2.line(page, (345, 170), (345, 270), 40, 5, cv2.LINE_AA)
    assert reader.read(page).lines == ["20473"]


@pytest.mark.parametrize("hand", range(4))
@pytest.mark.parametrize("left", [84, 345])
def test_faint_printed_line_beside_a_number_is_no_one(left, hand, reader, make_paper, write):
    page = make_paper()
    write(page, "20473", 100, 200, hand=hand)
    cv2.line(page, (left, 202), (left, 238), 175, 4, cv2.LINE_AA)
    assert reader.read(page).lines == ["20473"]


def test_faint_one_among_faint_digits_is_read(reader, make_paper, write):
    page = make_paper()
    write(page, "20473", 100, 200, level=170)
    cv2.line(page, (345, 202), (345, 238), 175, 4, cv2.LINE_AA)
    assert reader.read(page).lines == ["204731"]


def predict(digit, confidence, rejection_score=0.0):
    rejected = rejection_score > 0.5
    return Prediction(digit, confidence, rejection_score, rejected, np.eye(10)[digit].tolist(), 1.0)


def stand(left, digit, confidence=0.99, top=0, width=25, height=40, level=255.0, **fields):
    blob = Blob((left, top, width, height), np.ones((height, width), bool), level)
    return Candidate(blob, predict(digit, confidence), **fields)


def stand_in_row(digits, **fields):
    return [stand(30 * i, digit, **fields) for i, digit in enumerate(digits)]


@pytest.mark.parametrize(
    ("cut", "confidence", "is_number"),
    [(0, 0.7, True), (1, 0.7, True), (2, 0.7, False), (3, 0.7, False), (3, 0.95, True)],
)
def test_what_was_cut_apart_must_be_clear_digits(cut, confidence, is_number):
    digits = [
        stand(30 * i, digit, confidence=confidence, parts=1 + (i < cut))
        for i, digit in enumerate((5, 0, 8))
    ]
    assert judge([digits], min_confidence=0.5) == [digits if is_number else []]


def stand_on_feet(digit, feet):
    """A digit whose ink is one stroke above, and from there down as many as it has feet."""
    mask = np.zeros((40, 30), bool)
    mask[:16] = True
    for foot in range(feet):
        mask[:, 10 * foot : 10 * foot + 5] = True
    return Candidate(Blob((0, 0, 30, 40), mask, 255.0), predict(digit, 0.999))


@pytest.mark.parametrize(
    ("digit", "feet", "is_asked", "confidence", "text"),
    [
        (7, 2, True, 0.8, "71"),
        (9, 2, True, 0.8, "71"),
        (7, 2, True, 0.3, "7"),
        (7, 1, False, 0.8, "7"),
        (0, 2, False, 0.8, "0"),
    ],
)
def test_sure_seven_on_two_feet_is_a_seven_and_a_one(digit, feet, is_asked, confidence, text):
    whole = stand_on_feet(digit, feet)
    assert is_doubtful(whole, 30.0) == is_asked
    best = choose_parts(whole, [], 30.0, (predict(7, confidence), predict(1, confidence)))
    assert "".join(str(part.prediction.digit) for part in best) == text


@pytest.mark.parametrize(
    ("confidence", "pair", "is_worth"),
    [
        (0.9, None, False),
        (0.9, (predict(6, 0.9), predict(2, 0.9)), False),
        (0.9, (predict(6, 0.99), predict(2, 0.99)), True),
        (0.5, None, True),
    ],
)
def test_what_is_a_little_unsure_is_cut_only_where_a_pair_is_surer(confidence, pair, is_worth):
    whole = stand(0, 8, confidence)
    assert is_doubtful(whole, 25.0)
    assert is_worth_cutting(whole, 25.0, pair) == is_worth


def test_digits_of_a_pair_are_as_high_as_digits_wherever_the_cuts_are():
    whole = stand(0, 8, 0.1, width=50)
    # The lower half of the left digit, and all of the rest.
    parts = {
        (0, 1): stand(0, 6, 0.9, top=24, width=20, height=16),
        (1, 2): stand(14, 2, 0.9, width=36),
    }
    best = choose_parts(whole, [(2, parts)], 25.0, (predict(6, 0.99), predict(2, 0.99)))
    assert [digit.prediction.digit for digit in best] == [6, 2]
    assert all(digit.blob.height == 40 for digit in best)


@pytest.mark.parametrize(("text", "is_number"), [("0", False), ("101", False), ("108", True)])
def test_zeros_and_ones_beside_what_is_no_digit_are_letters(text, is_number):
    digits = stand_in_row(map(int, text))
    other = Candidate(stand(30 * len(text), 4).blob, predict(4, 0.9, 0.96))
    # Alone, the same are digits.
    assert judge([digits], min_confidence=0.5) == [digits]
    # Much that is like a digit must stand beside it, or it is a word in any case.
    likely = stand_in_row(map(int, text * 3))
    assert judge([[*likely, other]], min_confidence=0.5) == [likely if is_number else []]


@pytest.mark.parametrize(
    ("text", "heights", "is_number"),
    [
        ("100", (40, 28, 28), False),
        ("100", (40, 32, 32), True),
        ("10", (40, 28), True),
        ("1007", (40, 28, 28, 28), True),
    ],
)
def test_zeros_and_ones_as_uneven_as_letters_are_a_word(text, heights, is_number):
    digits = [
        stand(30 * i, int(digit), top=40 - height, height=height)
        for i, (digit, height) in enumerate(zip(text, heights, strict=True))
    ]
    assert judge([digits], min_confidence=0.5) == [digits if is_number else []]


@pytest.mark.parametrize(
    ("heights", "are_digits"),
    [((24, 28, 32, 40, 46, 50), False), ((38, 40, 40, 41, 42, 44), True), ((24, 32, 50), True)],
)
def test_many_lone_digits_of_all_heights_are_crossings_of_a_grid(heights, are_digits):
    written = stand_in_row([2, 0, 4, 8, 3])
    lone = [[stand(0, 9, confidence=0.99, height=height)] for height in heights]
    expected = [written, *(lone if are_digits else [[] for _ in lone])]
    assert judge([written, *lone], min_confidence=0.5) == expected


@pytest.mark.parametrize("text", ["175", "20865"])
@pytest.mark.parametrize(
    ("level", "confidence", "is_number"),
    [(60.0, 0.7, False), (60.0, 0.95, True), (200.0, 0.7, True)],
)
def test_what_is_faint_and_unclear_is_the_pattern_of_the_paper(level, confidence, is_number, text):
    written = stand_in_row([2, 0, 4, 8, 3])
    faint = stand_in_row(map(int, text), level=level, confidence=confidence)
    expected = [written, faint if is_number else []]
    assert judge([written, faint], min_confidence=0.5) == expected


@pytest.mark.parametrize(("height", "is_number"), [(100, True), (240, False)])
def test_what_is_many_times_as_high_as_the_rest_is_no_number(height, is_number):
    written = stand_in_row([2, 0, 4, 8, 3])
    high = stand_in_row([8, 2, 5], height=height)
    assert judge([written, high], min_confidence=0.5) == [written, high if is_number else []]


@pytest.mark.parametrize(("text", "is_number"), [("1", False), ("17", False), ("171417", True)])
def test_one_low_stroke_does_not_make_a_pattern_of_a_long_number(text, is_number):
    written = stand_in_row([2, 0, 8, 8, 3])
    strokes = [stand(0, 1, height=24), *stand_in_row(map(int, text[1:]))]
    assert judge([written, strokes], min_confidence=0.5) == [written, strokes if is_number else []]


@pytest.mark.parametrize(
    ("text", "index", "is_digit"),
    [("20486", 2, True), ("2048", 1, True), ("204", 1, False), ("20486", 4, False)],
)
def test_what_stands_among_digits_is_one_however_strange(text, index, is_digit):
    number = stand_in_row(map(int, text))
    strange = predict(int(text[index]), 0.99, rejection_score=0.99)
    number[index] = Candidate(number[index].blob, strange)
    expected = number if is_digit else [c for c in number if not c.prediction.rejected]
    assert judge([number], min_confidence=0.5) == [expected]


@pytest.mark.parametrize(
    ("parts", "is_number"),
    [([3, 3, 3], True), ([4] * 4, False), ([5] * 5, False), ([2] * 4, True), ([4] * 4 + [1], True)],
)
def test_many_digits_in_one_piece_are_a_word_if_they_are_all_that_there_is(parts, is_number):
    number = [stand(30 * i, 2 * i, parts=count) for i, count in enumerate(parts)]
    assert judge([number], min_confidence=0.5) == [number if is_number else []]
