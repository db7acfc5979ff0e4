import numpy as np
import pytest

from edge_mnist.errors import InvalidInputError
from edge_mnist.explanation.occlusion import measure_occlusion
from edge_mnist.explanation.tflite_subject import TfliteSubject

CORNER = (slice(0, 10), slice(0, 10))


def read_corner(images):
    """Ten probabilities of a reader that sees the top left corner only: the more ink, the more 3.

    Its logit is 4 times the share of the corner that is ink; the others' are 0.
    """
    logits = np.zeros((len(images), 10))
    logits[:, 3] = 4 * (images[:, CORNER[0], CORNER[1]] / 255).mean(axis=(1, 2))
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True)


def test_only_what_the_reader_sees_counts(four_corners):
    found = measure_occlusion(read_corner, four_corners, 3, patch_px=5)
    # The odds of 3 against nine others of logit 0 are exp(logit) to 9.
    assert found.log_odds == pytest.approx(4 * 36 / 100 - np.log(9))
    # A pixel's share of the loss is that of the ink in the squares which cover it.
    expected = np.zeros((28, 28))
    for top in range(-4, 28):
        for left in range(-4, 28):
            window = slice(max(top, 0), top + 5), slice(max(left, 0), left + 5)
            covered = np.zeros((28, 28), bool)
            covered[window] = True
            ink = ((four_corners > 0) & covered)[CORNER].sum()
            expected[window] += 4 * ink / 100 / 25
    np.testing.assert_allclose(found.lost, expected, atol=1e-6)
    assert found.lost.argmax() in (4 * 28 + 4, 4 * 28 + 5, 5 * 28 + 4, 5 * 28 + 5)
    # Beyond the reach of a square that covers ink in the corner nothing is lost.
    assert not found.lost[:, 12:].any()
    assert not found.lost[12:].any()


def test_what_speaks_against_a_digit_is_below_zero(four_corners):
    found = measure_occlusion(read_corner, four_corners, 5)
    assert found.lost.min() < -0.1
    assert found.lost.max() == pytest.approx(0, abs=1e-9)


def test_single_pixels_can_be_covered(four_corners):
    found = measure_occlusion(read_corner, four_corners, 3, patch_px=1)
    np.testing.assert_array_equal(found.lost > 1e-9, (four_corners > 0) & is_in_corner())


def is_in_corner():
    inside = np.zeros((28, 28), bool)
    inside[CORNER] = True
    return inside


def test_certainty_has_finite_odds(four_corners):
    certain = np.eye(10)[3]
    found = measure_occlusion(lambda images: np.tile(certain, (len(images), 1)), four_corners, 3)
    assert np.isfinite(found.log_odds)
    assert not found.lost.any()


@pytest.mark.parametrize("patch_px", [0, -1, 29])
def test_other_sizes_of_the_square_are_refused(patch_px, four_corners):
    with pytest.raises(InvalidInputError, match=f"expected 1 to 28 px, got {patch_px} px$"):
        measure_occlusion(read_corner, four_corners, 3, patch_px=patch_px)


def test_image_is_left_as_it_was(four_corners):
    before = four_corners.copy()
    measure_occlusion(read_corner, four_corners, 3)
    np.testing.assert_array_equal(four_corners, before)


def test_bar_is_what_makes_a_seven_of_a_one(mnist, engine):
    """Without its bar a seven is a one: so the bar's pixels are worth more than the stem's."""
    subject = TfliteSubject("micro", engine)
    image = np.zeros((28, 28), np.uint8)
    for row in range(5, 25):  # a stem from the top right to the bottom
        image[row, 17 - row // 5 : 20 - row // 5] = 255
    as_one = subject.read(image[None])[0]
    image[5:8, 8:17] = 255
    as_seven = subject.read(image[None])[0]
    assert (as_one.argmax(), as_seven.argmax()) == (1, 7)
    lost = measure_occlusion(subject.read, image, 7).lost
    assert lost[5:8, 9:15].mean() > lost[15:24, 8:20].mean()
    assert lost[5:8, 9:15].min() > 0
