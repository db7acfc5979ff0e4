import math

import numpy as np
import pytest

from edge_mnist.training.augmentation import augment
from edge_mnist.training.config import Augmentation

pytestmark = pytest.mark.train

COUNT = 200
STILL = Augmentation(rotation_deg=0, shear=0, zoom=0, shift_px=0)


def vary(images, config, seed=(0, 0)):
    return augment(images, config, np.array(seed, np.int32)).numpy()


def draw_spot(x, y):
    """Copies of an image with one soft spot, at x and y from the middle."""
    rows, columns = np.mgrid[:28, :28] - 13.5
    spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 4).astype(np.float32)
    return np.repeat(spot[None, ..., None], COUNT, axis=0)


def locate(images):
    """Return the centres of mass from the middle: x [N], y [N]."""
    rows, columns = np.mgrid[:28, :28] - 13.5
    mass = images[..., 0]
    total = mass.sum(axis=(1, 2))
    return (mass * columns).sum(axis=(1, 2)) / total, (mass * rows).sum(axis=(1, 2)) / total


@pytest.fixture(scope="module")
def digits(optdigits):
    return optdigits.train.images[:COUNT, ..., None].astype(np.float32) / 255


def test_same_seed_gives_the_same_variations(digits):
    np.testing.assert_array_equal(
        vary(digits, Augmentation(), (1, 2)), vary(digits, Augmentation(), (1, 2))
    )


@pytest.mark.parametrize("seed", [(2, 2), (1, 3)], ids=["run", "step"])
def test_another_seed_gives_others(digits, seed):
    first, second = vary(digits, Augmentation(), (1, 2)), vary(digits, Augmentation(), seed)
    assert (first != second).any(axis=(1, 2, 3)).all()


def test_each_image_varies_in_its_own_way():
    varied = vary(draw_spot(3, 5), Augmentation())
    assert len({image.tobytes() for image in varied}) == COUNT


def test_nothing_moves_without_variations(digits):
    np.testing.assert_allclose(vary(digits, STILL), digits, atol=1e-6)


def test_pixels_stay_between_0_and_1(digits):
    varied = vary(digits, Augmentation(rotation_deg=45, shear=0.5, zoom=0.5, shift_px=10))
    assert varied.shape == digits.shape
    assert varied.dtype == np.float32
    assert varied.min() >= 0
    assert varied.max() <= 1


def test_shift_moves_by_at_most_its_pixels():
    x, y = locate(vary(draw_spot(0, 0), Augmentation(0, 0, 0, shift_px=3)))
    for offsets in (x, y):
        assert np.abs(offsets).max() <= 3.05
        assert offsets.min() < -2
        assert offsets.max() > 2


def test_rotation_turns_by_at_most_its_degrees():
    x, y = locate(vary(draw_spot(8, 0), Augmentation(20, 0, 0, 0)))
    angles = np.degrees(np.arctan2(y, x))
    assert np.abs(angles).max() <= 20.5
    assert angles.min() < -15
    assert angles.max() > 15
    np.testing.assert_allclose(np.hypot(x, y), 8, atol=0.2)


def test_zoom_scales_each_axis_by_at_most_its_factor():
    x, y = locate(vary(draw_spot(6, 6), Augmentation(0, 0, 0.3, 0)))
    for offsets in (x, y):
        assert offsets.max() <= 6 * math.exp(0.3) + 0.2
        assert offsets.min() >= 6 * math.exp(-0.3) - 0.2
        assert offsets.max() > 7
        assert offsets.min() < 5
    assert np.abs(x - y).max() > 1, "both axes get the same factor"


def test_shear_moves_rows_sideways_only():
    x, y = locate(vary(draw_spot(0, 8), Augmentation(0, 0.25, 0, 0)))
    assert np.abs(x).max() <= 0.25 * 8 + 0.1
    assert x.min() < -1.5
    assert x.max() > 1.5
    np.testing.assert_allclose(y, 8, atol=0.1)
