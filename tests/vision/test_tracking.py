import numpy as np
import pytest

from edge_mnist.vision.reading import FoundDigit, Number, Reading
from edge_mnist.vision.tracking import Tracker


def number(text, x=100, y=100, confidence=0.99, fall=0):
    """A number at a place, 20 pixels a digit; each may stand lower than the last."""
    return Number(
        tuple(
            FoundDigit(int(digit), confidence, (x + 20 * i, y + fall * i, 15, 30), np.full(10, 0.1))
            for i, digit in enumerate(text)
        )
    )


def reading(*numbers):
    return Reading(tuple((n,) for n in numbers))


def track(tracker, readings):
    """What became stable, in order."""
    return [found.text for reading in readings for found in tracker.update(reading)]


def test_number_that_holds_is_given_once():
    assert track(Tracker(), [reading(number("0522"))] * 30) == ["0522"]


def test_number_is_stable_within_ten_frames_though_some_are_misread():
    shown = ["0522", "0522", "0527", "0522", "522", "0522", "0522", "0522", "0522", "0522"]
    assert track(Tracker(), [reading(number(text)) for text in shown]) == ["0522"]


def test_reading_that_keeps_changing_is_never_stable():
    shown = ["12", "13", "12", "18", "13", "12", "18", "13"] * 5
    assert track(Tracker(), [reading(number(text)) for text in shown]) == []


def test_votes_count_by_confidence():
    shown = [number("17", confidence=0.95), number("11", confidence=0.2)] * 6
    tracker = Tracker()
    assert track(tracker, [reading(n) for n in shown]) == ["17"]
    (found,) = tracker.stable
    assert found.confidence > 0.7


@pytest.mark.parametrize(("confidence", "frames"), [(0.99, 4), (0.96, 4), (0.9, 10), (0.6, 10)])
def test_what_is_less_sure_must_hold_for_longer(confidence, frames):
    tracker = Tracker()
    shown = reading(number("17", confidence=confidence))
    assert track(tracker, [shown] * (frames - 1)) == []
    assert track(tracker, [shown]) == ["17"]


@pytest.mark.parametrize("fall", [-6, 6])
def test_numbers_of_a_turned_page_are_followed_apart(fall):
    # Their boxes overlap by more than half.
    upper, lower = (number(text, y=y, fall=fall) for text, y in (("12345678", 100), ("7654", 140)))
    tracker = Tracker()
    assert sorted(track(tracker, [reading(upper, lower)] * 10)) == ["12345678", "7654"]
    assert len({found.track for found in tracker.stable}) == 2


def test_number_that_moves_is_one_number():
    drifting = [reading(number("42", x=100 + 4 * i, y=100 + 2 * i)) for i in range(40)]
    tracker = Tracker()
    assert track(tracker, drifting) == ["42"]
    (found,) = tracker.stable
    assert found.box[:2] == (100 + 4 * 39, 100 + 2 * 39)


def test_two_numbers_are_followed_apart():
    tracker = Tracker()
    emitted = track(tracker, [reading(number("12"), number("34", y=200))] * 10)
    assert sorted(emitted) == ["12", "34"]
    assert len({found.track for found in tracker.stable}) == 2


def test_meter_that_counts_on_is_given_again():
    shown = ["0041"] * 15 + ["0042"] * 15
    emitted = track(Tracker(), [reading(number(text)) for text in shown])
    assert emitted == ["0041", "0042"]


def test_number_hidden_for_a_moment_is_not_given_again():
    shown = [reading(number("77"))] * 10 + [reading()] * 8 + [reading(number("77"))] * 10
    assert track(Tracker(), shown) == ["77"]


@pytest.mark.parametrize(("frames", "is_in_view"), [(1, True), (2, True), (5, False), (40, False)])
def test_number_that_is_not_seen_is_soon_no_longer_in_view(frames, is_in_view):
    tracker = Tracker()
    track(tracker, [reading(number("77"))] * 10 + [reading()] * frames)
    assert bool(tracker.stable) == is_in_view


@pytest.mark.parametrize("pieces", [("12", "34"), ("1", "234")])
def test_pieces_of_a_number_do_not_become_numbers(pieces):
    whole = reading(number("1234"))
    first, second = pieces
    broken = reading(number(first), number(second, x=100 + 20 * len(first)))
    tracker = Tracker()
    assert track(tracker, [whole] * 6 + [broken, broken, whole] * 5) == ["1234"]
