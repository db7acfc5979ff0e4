import numpy as np
import pytest

pytest.importorskip("cv2")

from edge_mnist.dataset import Examples
from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import MIN_CONTRAST
from edge_mnist.vision.non_digits import (
    HALVES,
    LETTERS,
    SCRIPT_LETTERS,
    make_non_digits,
)

KINDS = {"letters", "shapes", "halves", "blank", "noise", "textures"}


@pytest.fixture(scope="module")
def made(mnist):
    return make_non_digits(mnist.test, count=60)


def test_gives_as_many_images_of_each_kind_as_asked(made):
    assert made.keys() == KINDS
    for images in made.values():
        assert images.shape == (60, 28, 28)
        assert images.dtype == np.uint8


@pytest.mark.parametrize("kind", sorted(KINDS - {"blank"}))
def test_images_have_something_on_them_and_differ(kind, made):
    contrast = np.ptp(made[kind].reshape(60, -1).astype(int), axis=1)
    assert contrast.min() > MIN_CONTRAST
    assert len(np.unique(made[kind], axis=0)) > 55


def test_blank_images_hold_no_stroke(made):
    blank = made["blank"].astype(int)
    steps = [np.abs(np.diff(blank, axis=axis)).max() for axis in (1, 2)]
    assert max(steps) < MIN_CONTRAST


@pytest.mark.parametrize("kind", ["letters", "shapes", "halves"])
def test_what_is_drawn_stands_where_a_digit_would(kind, made):
    for image in made[kind]:
        rows = np.flatnonzero((image > 127).any(axis=1))
        columns = np.flatnonzero((image > 127).any(axis=0))
        height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        assert 17 <= max(height, width) <= 20
        assert image[0].max() == image[:, 0].max() == 0


def test_same_seed_gives_the_same_images(mnist, made):
    again, other = (make_non_digits(mnist.test, count=60, seed=seed) for seed in (0, 1))
    for kind, images in made.items():
        assert np.array_equal(again[kind], images)
        assert not np.array_equal(other[kind], images)


@pytest.mark.parametrize("letter", "OoQDGbgqIilSsZzBy")
def test_letters_that_look_like_digits_are_left_out(letter):
    assert letter not in LETTERS
    assert letter not in SCRIPT_LETTERS


def test_halves_are_cut_from_the_given_digits(mnist):
    # The lower half of one and the same zero, and its upper half, which is another image.
    zero = mnist.test.take(np.flatnonzero(mnist.test.labels == 0)[:1])
    halves = make_non_digits(zero, count=20)["halves"]
    assert len(np.unique(halves, axis=0)) == 2
    assert all((half[:14].sum() > 0) and (half[14:].sum() > 0) for half in halves)


@pytest.mark.parametrize("digit", [1, 8])
def test_digits_whose_halves_are_digits_are_refused(digit):
    assert not any(digit in digits for digits in HALVES.values())
    examples = Examples(np.full((3, 28, 28), 255, np.uint8), np.full(3, digit, np.uint8))
    with pytest.raises(InvalidInputError, match=r"^cannot cut halves of digits: expected .*, got"):
        make_non_digits(examples, count=5)


def test_digits_without_ink_do_not_hold_it_up():
    examples = Examples(np.zeros((3, 28, 28), np.uint8), np.zeros(3, np.uint8))
    with pytest.raises(InvalidInputError, match=r"^cannot cut halves of digits"):
        make_non_digits(examples, count=5)


def test_count_below_one_is_refused(mnist):
    with pytest.raises(InvalidInputError, match=r"^non-digits: expected at least 1 of a kind, got"):
        make_non_digits(mnist.test, count=0)
