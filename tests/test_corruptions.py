from itertools import pairwise

import numpy as np
import pytest

from edge_mnist import Classifier
from edge_mnist.corruptions import CORRUPTIONS, STRENGTHS, choose_indices, corrupt
from edge_mnist.errors import InvalidInputError

HABITS = ["crossed seven", "slashed zero", "serif one"]
EVERY_DIGIT = [kind for kind, corruption in CORRUPTIONS.items() if corruption.digit is None]


@pytest.fixture(scope="module")
def digits(mnist):
    """Return a function that takes the first of the test images that a kind is for."""

    def choose(kind, count):
        return mnist.test.take(choose_indices(mnist.test, kind)[:count])

    return choose


@pytest.fixture(scope="module")
def classifier():
    return Classifier.load("micro")


@pytest.fixture(scope="module")
def read(classifier):
    return lambda images: np.array([p.digit for p in classifier.predict_batch(images)])


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_every_strength_changes_images_and_leaves_them_images(kind, digits):
    images = digits(kind, 30).images
    before = images.copy()
    changed = [images, *(corrupt(images, kind, strength) for strength in STRENGTHS)]
    assert np.array_equal(images, before)
    for weaker, stronger in pairwise(changed):
        assert stronger.shape == images.shape
        assert stronger.dtype == np.uint8
        # Of a few, what is erased had no ink, or what is drawn lies under ink.
        assert (weaker != stronger).any(axis=(1, 2)).mean() > 0.75


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_digits_remain_what_they_were_at_strength_1(kind, digits, read):
    examples = digits(kind, 500)
    read_right = read(corrupt(examples.images, kind, 1)) == examples.labels
    assert read_right.mean() > 0.95


@pytest.mark.parametrize("kind", EVERY_DIGIT)
def test_strength_grows_the_damage(kind, digits, classifier):
    """In how sure a model is of the digit: a good one may still read it."""
    examples = digits(kind, 500)
    sure = [
        np.mean(
            [
                p.probabilities[label] * (1 - p.rejection_score)
                for p, label in zip(
                    classifier.predict_batch(corrupt(examples.images, kind, strength)),
                    examples.labels,
                    strict=True,
                )
            ]
        )
        for strength in (1, 3, 5)
    ]
    assert sure[0] > sure[1] > sure[2]
    assert sure[0] > sure[2] + 0.02


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_same_seed_gives_the_same_images(kind, digits):
    images = digits(kind, 20).images
    assert np.array_equal(corrupt(images, kind, 3, seed=1), corrupt(images, kind, 3, seed=1))


@pytest.mark.parametrize("kind", ["noise", "motion blur", "rotation", "occlusion", *HABITS])
def test_another_seed_gives_other_images(kind, digits):
    images = digits(kind, 20).images
    assert not np.array_equal(corrupt(images, kind, 3, seed=1), corrupt(images, kind, 3, seed=2))


@pytest.mark.parametrize("kind", EVERY_DIGIT)
def test_single_image_is_changed_as_many_are(kind, digits):
    image = digits(kind, 1).images
    for seed in range(3):  # of a few, whichever side is drawn
        assert corrupt(image, kind, 3, seed).shape == image.shape


def test_images_do_not_depend_on_how_many_kinds_were_asked_before(digits):
    images = digits("noise", 5).images
    first = corrupt(images, "noise", 2)
    corrupt(images, "rotation", 2)
    assert np.array_equal(corrupt(images, "noise", 2), first)


@pytest.mark.parametrize(("kind", "digit"), [("crossed seven", 7), ("slashed zero", 0)])
def test_habits_are_for_one_digit(kind, digit, mnist):
    labels = mnist.test.labels
    assert np.array_equal(choose_indices(mnist.test, kind), np.flatnonzero(labels == digit))


def spans_of(image):
    """Return the height and width of what is ink."""
    return [np.ptp(np.flatnonzero((image > 127).any(axis=axis))) + 1 for axis in (1, 0)]


def test_narrow_digits_keep_their_height_and_lose_width(digits):
    zeros = digits("slashed zero", 100).images
    for before, after in zip(zeros, corrupt(zeros, "narrow", 3), strict=True):
        (height, width), (narrow_height, narrow_width) = spans_of(before), spans_of(after)
        assert narrow_width / narrow_height == pytest.approx(0.65 * width / height, abs=0.15)


def test_few_pixels_leave_a_ring_and_take_what_is_fine():
    ring = corrupt(draw(RING), "few pixels", 5)[0]
    assert spans_of(ring) == pytest.approx(spans_of(draw(RING)[0]), abs=3)
    # Lines that are finer than the pixels lose most of their contrast.
    lines = np.zeros((1, 28, 28), np.uint8)
    lines[0, 4:24, 4:24:2] = 255
    ink = corrupt(lines, "few pixels", 5)[0, 8:20, 8:20]
    assert np.ptp(ink.astype(int)) < 128


def test_perspective_makes_one_side_of_a_ring_longer_than_the_other():
    longest = set()
    for seed in range(30):
        ink = corrupt(draw(RING), "perspective", 5, seed)[0] > 127
        rows, columns = ink.sum(axis=1), ink.sum(axis=0)
        rows, columns = rows[rows > 0], columns[columns > 0]
        for name, first, last in (("row", rows[1], rows[-2]), ("column", columns[1], columns[-2])):
            if abs(int(first) - int(last)) > 2:
                longest.add((name, "first" if first > last else "last"))
    assert len(longest) == 4


def test_noise_is_for_every_digit(mnist):
    assert len(choose_indices(mnist.test, "noise")) == len(mnist.test)


def draw(rows):
    """Return an image [1, 28, 28] from the digit's rows, # is ink, at the usual place."""
    image = np.zeros((1, 28, 28), np.uint8)
    for y, row in enumerate(rows, 4):
        for x, mark in enumerate(row, 8):
            image[0, y, x] = 255 * (mark == "#")
    return image


STEM = ["     ##     "] * 20
SEVEN = ["############"] * 2 + ["          ##"] * 18
RING = [
    "############"[:12] if y in (0, 1, 18, 19) else "##        ##" for y in range(20)
]  # fmt: skip
CLOSED_FOUR = [
    "############" if y in (0, 1, 9, 10) else "##        ##" if y < 9 else "          ##"
    for y in range(20)
]


def ink_of(image):
    return image[0].astype(float) / 255


@pytest.mark.parametrize("strength", STRENGTHS)
def test_seven_is_crossed_on_both_sides_of_its_stem(strength):
    ink = ink_of(corrupt(draw(SEVEN), "crossed seven", strength))
    rows, columns = np.flatnonzero(ink.max(axis=1) > 0.5), np.flatnonzero(ink[-8] > 0.5)
    stem = columns.mean()
    middle = ink[(rows[0] + rows[-1]) // 2 - 2 : (rows[0] + rows[-1]) // 2 + 5].max(axis=0)
    bar = np.flatnonzero(middle > 0.5)
    assert bar[0] < stem - 1
    assert bar[-1] > stem + 1


def test_zero_is_slashed_from_lower_left_to_upper_right():
    before = ink_of(draw(RING))
    after = ink_of(corrupt(draw(RING), "slashed zero", 2))
    assert before[14, 12:16].max() == 0
    assert after[13:16, 12:17].max() > 0.5  # through the middle
    assert after[10:12, 15:18].max() > 0.5  # above it, to the right
    assert after[10:12, 10:13].max() < 0.5


def test_one_gets_a_foot_and_a_flag():
    ink = ink_of(corrupt(draw(STEM), "serif one", 3))
    rows = np.flatnonzero(ink.max(axis=1) > 0.5)
    stem = np.flatnonzero(ink[(rows[0] + rows[-1]) // 2] > 0.5)
    foot = np.flatnonzero(ink[rows[-2] :].max(axis=0) > 0.5)
    flag = np.flatnonzero(ink[rows[0] : rows[0] + 6].max(axis=0) > 0.5)
    assert foot[0] < stem[0] - 1
    assert foot[-1] > stem[-1] + 1
    assert flag[0] < stem[0] - 1
    assert flag[-1] <= stem[-1] + 1


def test_closed_four_is_opened_at_the_top():
    ink = ink_of(corrupt(draw(CLOSED_FOUR), "open four", 3))
    rows = np.flatnonzero(ink.max(axis=1) > 0.5)
    columns = np.flatnonzero(ink[rows[0] + 3] > 0.5)
    top = ink[rows[0] : rows[0] + 2].max(axis=0)[columns[0] : columns[-1] + 1]
    assert top.min() < 0.2
    assert min(top[0], top[-1]) > 0.5


def test_unknown_kind_is_refused():
    with pytest.raises(InvalidInputError, match=r"^corruption: expected noise, .*, got snow$"):
        corrupt(draw(STEM), "snow", 1)


@pytest.mark.parametrize("strength", [0, 6])
def test_unknown_strength_is_refused(strength):
    with pytest.raises(InvalidInputError, match=f"^strength: expected 1 to 5, got {strength}$"):
        corrupt(draw(STEM), "noise", strength)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_blank_image_does_no_harm(kind):
    assert corrupt(np.zeros((2, 28, 28), np.uint8), kind, 3).shape == (2, 28, 28)
    assert corrupt(np.zeros((0, 28, 28), np.uint8), kind, 3).shape == (0, 28, 28)
