import math
from dataclasses import replace

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


EVERYTHING = Augmentation(
    elastic_px=0.5, stroke=1, low_resolution=1, blur=1, gamma=1, contrast=1, noise=1
)


def only(**limits):
    return replace(STILL, **limits)


def spread(images):
    """How far ink lies from its centre, in pixels [N]."""
    x, y = locate(images)
    rows, columns = np.mgrid[:28, :28] - 13.5
    mass = images[..., 0]
    squares = (columns - x[:, None, None]) ** 2 + (rows - y[:, None, None]) ** 2
    return np.sqrt((mass * squares).sum(axis=(1, 2)) / mass.sum(axis=(1, 2)))


def test_all_at_once_stays_between_0_and_1_and_repeats(digits):
    varied = vary(digits, EVERYTHING, (3, 4))
    assert varied.dtype == np.float32
    assert varied.min() >= 0
    assert varied.max() <= 1
    np.testing.assert_array_equal(varied, vary(digits, EVERYTHING, (3, 4)))
    assert len({image.tobytes() for image in vary(draw_spot(0, 0), EVERYTHING)}) == COUNT


def test_strokes_become_thicker_and_thinner_by_at_most_a_pixel_each_side():
    line = np.zeros((COUNT, 28, 28, 1), np.float32)
    line[:, :, 12:15] = 1
    widths = vary(line, only(stroke=1))[:, 14, :, 0].sum(axis=1)
    assert widths.max() <= 5.001
    assert widths.min() >= 0.999
    assert widths.max() > 4.5
    assert widths.min() < 1.5


@pytest.mark.parametrize("limits", [{"blur": 1}, {"low_resolution": 1}], ids=str)
def test_detail_is_lost_and_ink_is_not(limits):
    spots = draw_spot(0, 0)
    varied = vary(spots, only(**limits))
    np.testing.assert_allclose(varied.sum(axis=(1, 2, 3)), spots.sum(axis=(1, 2, 3)), rtol=0.02)
    assert (spread(varied) >= spread(spots) - 1e-3).all()
    assert spread(varied).max() > spread(spots).max() + 0.2
    np.testing.assert_allclose(locate(varied), 0, atol=0.05)


def test_gamma_bends_the_grey_between_paper_and_ink():
    greys = np.repeat(np.linspace(0, 1, 28, dtype=np.float32)[None, None, :, None], 28, axis=1)
    varied = vary(np.repeat(greys, COUNT, axis=0), only(gamma=0.5))[:, 14, :, 0]
    np.testing.assert_allclose(varied[:, 0], 0, atol=1e-3)
    np.testing.assert_allclose(varied[:, -1], 1, atol=1e-3)
    exponents = np.log(varied[:, 9]) / np.log(1 / 3)
    assert exponents.max() <= np.exp(0.5) + 0.01
    assert exponents.min() >= np.exp(-0.5) - 0.01
    assert exponents.max() > 1.4
    assert exponents.min() < 0.75


def test_contrast_shrinks_about_mid_grey(digits):
    varied = vary(digits, only(contrast=0.4))
    paper, ink = varied.min(axis=(1, 2, 3)), varied.max(axis=(1, 2, 3))
    np.testing.assert_allclose(paper + ink, 1, atol=0.02)
    assert 0.15 < paper.max() <= 0.2


def test_noise_is_as_strong_as_asked_for():
    grey = np.full((COUNT, 28, 28, 1), 0.5, np.float32)
    deviations = vary(grey, only(noise=0.1)).std(axis=(1, 2, 3))
    assert deviations.max() <= 0.11
    assert deviations.max() > 0.08
    assert deviations.min() < 0.02


def test_plain_images_move_and_keep_their_ink(digits):
    images = np.tile(digits, (8, 1, 1, 1))
    limits = only(shift_px=2, contrast=0.4, plain=0.25)
    moved, varied = vary(images, only(shift_px=2)), vary(images, limits)
    is_plain = (varied == moved).all(axis=(1, 2, 3))
    assert 0.15 < is_plain.mean() < 0.35
    np.testing.assert_array_equal(
        varied[~is_plain], vary(images, replace(limits, plain=0))[~is_plain]
    )


def test_elastic_moves_parts_of_an_image_in_different_ways():
    moves = [
        np.stack(locate(vary(draw_spot(x, 0), only(elastic_px=1.0)))) - [[x], [0]] for x in (-8, 8)
    ]
    for move in moves:
        assert 0.3 < move.std() < 1.5
        assert abs(move.mean()) < 0.2
    assert np.abs(np.corrcoef(moves[0].reshape(-1), moves[1].reshape(-1))[0, 1]) < 0.3


@pytest.mark.parametrize("elastic_px", [0.0, 1e-6])
def test_both_ways_of_moving_agree(digits, elastic_px):
    config = replace(Augmentation(), elastic_px=elastic_px)
    np.testing.assert_allclose(vary(digits, config), vary(digits, Augmentation()), atol=2e-3)
