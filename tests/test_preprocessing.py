import numpy as np
import pytest

from edge_mnist import Classifier
from edge_mnist.bench.drawn_digits import draw_digit, enlarge
from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import (
    FULL_INK_PERCENTILE,
    PAPER_INK_SHARE,
    bring_into_shape,
    extract_ink,
    normalize_digit,
)


def mass_centers(images):
    """Return the y and x of the centre of mass of images [N, 28, 28], in pixel indices."""
    ink, index = images.astype(np.float64), np.arange(28)
    total = ink.sum(axis=(1, 2))
    return ink.sum(axis=2) @ index / total, ink.sum(axis=1) @ index / total


def ink_size(image):
    return tuple(int(np.ptp(np.flatnonzero(image.any(axis=axis)))) + 1 for axis in (1, 0))


def draw_wedge(paper=(120, 90), box=(20, 10, 40, 70), *, ink=255):
    """Draw a triangle whose mass lies far from the middle of its box (x, y, width, height)."""
    picture = np.zeros(paper, np.uint8)
    x, y, width, height = box
    for row in range(height):
        picture[y + row, x : x + max(1, width * (row + 1) // height)] = ink
    return picture


@pytest.mark.parametrize(
    ("paper", "box", "size"),
    [
        ((100, 100), (10, 20, 30, 60), (20, 10)),
        ((100, 100), (50, 5, 40, 20), (10, 20)),
        ((64, 48), (4, 8, 40, 40), (20, 20)),
        ((28, 28), (3, 3, 10, 20), (20, 10)),
        ((12, 9), (2, 1, 4, 10), (20, 8)),
        ((400, 900), (100, 190, 700, 7), (1, 20)),
        ((1500, 2000), (1990, 0, 10, 1500), (20, 1)),
    ],
)
def test_digit_of_any_size_fills_a_20_px_box_with_its_aspect_ratio(paper, box, size):
    picture = np.full(paper, 230, np.uint8)
    x, y, width, height = box
    picture[y : y + height, x : x + width] = 30
    digit = normalize_digit(picture)
    assert digit.box == box
    assert digit.image.dtype == np.uint8
    assert digit.image.shape == (28, 28)
    assert ink_size(digit.image) == size
    assert set(np.unique(digit.image)) == {0, 255}


@pytest.mark.parametrize("height", [6, 7, 8])
def test_digit_of_few_pixels_looks_the_same_wherever_it_lies_between_them(height):
    images = []
    for y, x in np.ndindex(4, 4):
        fine = np.zeros((64, 64), np.float32)  # four by four make a pixel of the picture
        digit = fine[8 + y : 8 + y + 4 * height, 10 + x : 10 + x + 2 * height]
        digit[:] = 255
        digit[6:10, :-4] = 0
        picture = fine.reshape(16, 4, 16, 4).mean(axis=(1, 3)).astype(np.uint8)
        images.append(normalize_digit(picture).image.astype(float))
    differences = np.abs(np.array(images)[:, None] - images).mean(axis=(2, 3))
    assert differences.max() < 15


@pytest.mark.parametrize("turns", range(4))
def test_centre_of_mass_is_on_pixel_14(turns):
    picture = np.rot90(draw_wedge(), turns)
    image = normalize_digit(picture).image
    for center in mass_centers(image[None]):
        assert 13.5 <= center[0] <= 14.5
    # The middle of the box is elsewhere, so it is not that which was centred.
    rows = np.flatnonzero(image.any(axis=1))
    columns = np.flatnonzero(image.any(axis=0))
    assert max(abs(rows.mean() - 13.5), abs(columns.mean() - 13.5)) > 2


def test_mass_that_lies_far_out_moves_the_digit_to_the_border_and_no_further():
    picture = np.zeros((110, 110), np.uint8)
    picture[90:100, 5:105] = 255  # a heavy foot under a thin mast
    picture[0:90, 54:56] = 255
    image = normalize_digit(picture).image
    assert ink_size(image) == (20, 20)
    assert image[:20].any(axis=1).all()


def test_mnist_itself_has_its_mass_on_pixel_14(mnist):
    offsets = np.abs(np.stack(mass_centers(mnist.everything().images)) - 14)
    # MNIST's authors rounded too: a few images lie past the half pixel, by hundredths.
    assert offsets.max() < 0.525
    assert (offsets > 0.5).mean() < 1e-4


def test_mnist_is_nearly_unchanged(mnist):
    images = mnist.test.images[:3000]
    normalized = np.stack([normalize_digit(image).image for image in images])
    moved = [(0, 0), *((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x)]
    difference = np.array(
        [
            np.abs(np.roll(normalized, move, (1, 2)).astype(int) - images).mean(axis=(1, 2))
            for move in moved
        ]
    )
    # On average over all pixels, within 3 of 255 levels: in place, or moved by a pixel where the
    # centre of mass lies between two.
    assert (difference[0] < 3).mean() > 0.95
    assert (difference.min(axis=0) < 3).mean() > 0.995


def test_digits_cut_out_large_and_dark_on_light_are_read_as_the_originals(mnist):
    images, labels = mnist.test.images[:1000], mnist.test.labels[:1000]
    pictures = [235 - np.kron(np.pad(image, (5, 15)), np.ones((6, 6))) * 0.8 for image in images]
    normalized = np.stack([normalize_digit(p.astype(np.uint8)).image for p in pictures])
    read = np.array([p.digit for p in Classifier.load().predict_batch(normalized)])
    original = np.array([p.digit for p in Classifier.load().predict_batch(images)])
    assert (read == labels).mean() > (original == labels).mean() - 0.005


@pytest.mark.parametrize("picture", [enlarge(draw_digit(7)), draw_wedge(), draw_wedge(ink=100)])
def test_black_on_white_and_white_on_black_give_the_same(picture):
    digit, negative = normalize_digit(picture), normalize_digit(255 - picture)
    assert negative.box == digit.box
    assert np.abs(negative.image.astype(int) - digit.image).max() <= 1
    assert digit.image.max() == 255
    assert digit.image[0, 0] == 0


@pytest.mark.parametrize("scale", [2, 7, 20])
def test_size_of_the_picture_does_not_matter(scale):
    picture = draw_wedge((30, 30), (5, 4, 20, 20))
    enlarged = np.kron(picture, np.ones((scale, scale), np.uint8))
    small, large = normalize_digit(picture), normalize_digit(enlarged)
    assert large.box == tuple(scale * figure for figure in small.box)
    assert np.abs(large.image.astype(int) - small.image).mean() < 3


def test_faint_pencil_on_grey_paper_reaches_full_ink():
    picture = np.full((60, 60), 150, np.uint8)
    picture[10:50, 28:32] = 120
    image = normalize_digit(picture).image
    assert set(np.unique(image)) == {0, 255}


def test_full_ink_and_paper_are_the_percentiles_that_they_are_said_to_be():
    rng = np.random.default_rng(0)
    for size in (3, 4, 10, 99):
        paper = rng.integers(200, 231, (size, size)).astype(np.uint8)
        stroke = rng.integers(20, 91, (size, size)).astype(np.uint8)
        picture = np.hstack([paper, stroke, paper])
        full, level = np.percentile(stroke, 100 - FULL_INK_PERCENTILE), np.median(paper)
        expected = np.clip((level - picture) / (level - full), 0, 1)
        expected[expected < PAPER_INK_SHARE] = 0
        np.testing.assert_allclose(extract_ink(picture), expected, atol=1e-6)


def test_grain_of_the_paper_becomes_0():
    clean = np.where(enlarge(draw_digit(7)) > 128, 220, 40).astype(np.uint8)
    grain = np.random.default_rng(0).integers(-8, 9, clean.shape)
    grainy = np.where(clean > 128, clean + grain, clean).astype(np.uint8)
    expected = normalize_digit(clean)
    digit = normalize_digit(grainy)
    assert digit.box == expected.box
    assert np.array_equal(digit.image == 0, expected.image == 0)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((28, 28), np.uint8),
        np.full((100, 50), 255, np.uint8),
        np.full((1, 1), 128, np.uint8),
        np.random.default_rng(0).integers(180, 200, (90, 90), np.uint8),
    ],
    ids=["black", "white", "one pixel", "noise"],
)
def test_blank_picture_has_no_digit(picture):
    assert normalize_digit(picture) is None


@pytest.mark.parametrize(
    ("picture", "got"),
    [
        (np.zeros((28, 28), np.float32), "float32 [28, 28]"),
        (np.zeros((28, 28, 3), np.uint8), "uint8 [28, 28, 3]"),
        (np.zeros(28, np.uint8), "uint8 [28]"),
        ([[0, 255]], "list"),
    ],
    ids=["float", "color", "one axis", "list"],
)
def test_other_pictures_are_refused(picture, got):
    with pytest.raises(InvalidInputError) as error:
        normalize_digit(picture)
    assert str(error.value) == (
        f"cannot normalize the picture: expected uint8 [height, width], got {got}; "
        "convert it to 8-bit grayscale first"
    )


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_picture_without_pixels_is_refused(shape):
    with pytest.raises(InvalidInputError) as error:
        normalize_digit(np.zeros(shape, np.uint8))
    assert str(error.value) == (
        f"cannot normalize the picture: expected at least one pixel, got {list(shape)}"
    )


def test_what_is_in_shape_already_stays_as_it_is(mnist):
    pictures = [normalize_digit(picture).image for picture in mnist.validation.images[:300]]
    assert all(np.array_equal(bring_into_shape(picture), picture) for picture in pictures)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda picture: 255 - picture,
        lambda picture: np.roll(picture, 5, axis=1),
        lambda picture: picture // 2,
        lambda picture: np.pad(picture, 4),
    ],
    ids=["black on white", "off the middle", "pale", "with a margin"],
)
def test_any_other_picture_is_normalized(spoil):
    picture = spoil(normalize_digit(enlarge(draw_digit(3))).image)
    assert np.array_equal(bring_into_shape(picture), normalize_digit(picture).image)


def test_blank_picture_is_not_brought_into_shape():
    assert bring_into_shape(np.zeros((28, 28), np.uint8)) is None
