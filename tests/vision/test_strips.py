import numpy as np
import pytest

pytest.importorskip("cv2")

from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.ink import InkMap
from edge_mnist.vision.strips import cut_strip


def make_ink(contrast):
    contrast = contrast.astype(np.uint8)
    return InkMap(contrast, (contrast > 0).astype(np.uint8), is_bright=False, noise=0.0)


def draw(height, places, level=200, shape=(300, 900)):
    """Blocks half as wide as high, with their left upper corners in these places."""
    contrast = np.zeros(shape)
    blobs = []
    for left, top in places:
        contrast[top : top + height, left : left + height // 2] = level
        mask = np.ones((height, height // 2), bool)
        blobs.append(Blob((left, top, height // 2, height), mask, level))
    return make_ink(contrast), blobs


@pytest.mark.parametrize("height", [12, 20, 60, 120])
def test_digits_of_any_size_come_out_of_one_size(height):
    ink, blobs = draw(height, [(150, 90), (150 + height, 90)])
    strip = cut_strip(ink, blobs)
    assert (strip.image.dtype, strip.image.shape) == (np.uint8, (32, 256))
    rows = np.flatnonzero(strip.image.max(axis=1) > 128)
    assert (rows[0], rows[-1]) == (6, 25)
    # A height free on both sides, two blocks of half a height, and half a height between them.
    columns = strip.image.max(axis=0) > 128
    assert np.flatnonzero(np.diff(columns.astype(int))).tolist() == pytest.approx(
        [19, 29, 39, 49], abs=1
    )
    assert strip.width == pytest.approx(20 * 3.5)


def test_places_are_told():
    ink, blobs = draw(40, [(150, 90), (190, 90)])
    strip = cut_strip(ink, blobs)
    column, row = strip.to_strip @ (190 + 10 - 0.5, 90 + 20 - 0.5, 1)
    assert strip.image[round(row), round(column)] == 255
    assert (column, row) == pytest.approx((20 + 20 + 5, 16), abs=0.5)


def test_faint_ink_becomes_full_ink():
    ink, blobs = draw(40, [(150, 90), (190, 90)], level=25)
    assert cut_strip(ink, blobs).image.max() == 255


def test_number_that_rises_is_levelled():
    level = cut_strip(*draw(40, [(100 + 40 * i, 90) for i in range(5)]))
    rising = cut_strip(*draw(40, [(100 + 40 * i, 90 + 2 * i) for i in range(5)]))
    # Blocks are no digits: their upper edges become slanted, by a pixel.
    difference = np.abs(rising.image.astype(int) - level.image)
    assert (difference[9:23] < 64).mean() > 0.98


def test_long_number_is_squeezed_and_a_longer_one_is_none():
    ink, blobs = draw(20, [(40 + 20 * i, 90) for i in range(14)])
    strip = cut_strip(ink, blobs)
    assert strip.width == pytest.approx(256)
    assert (strip.image[:, :250].max(axis=0) > 128).sum() >= 14 * 6
    assert cut_strip(*draw(20, [(40 + 20 * i, 90) for i in range(20)])) is None


def test_digits_of_the_lines_above_and_below_are_left_out():
    """Of lines that are so close that a strip shows a part of the next ones."""
    places = [(100 + 40 * i, top) for top in (50, 96, 142) for i in range(3)]
    ink, blobs = draw(40, places)
    own, others = blobs[3:6], blobs[:3] + blobs[6:]
    alone = cut_strip(*draw(40, places[3:6]))
    crowded = cut_strip(ink, own)
    assert np.array_equal(crowded.to_strip, alone.to_strip)
    assert (crowded.image[[0, -1]].max(axis=1) == 255).all()
    assert np.array_equal(cut_strip(ink, own, others).image, alone.image)
    assert np.array_equal(cut_strip(ink, own, blobs).image, alone.image)


def test_strokes_close_to_another_line_stay():
    """Of a line above whose digits end a pixel above the own ones."""
    ink, blobs = draw(40, [(100 + 40 * i, 90) for i in range(3)])
    alone = cut_strip(ink, blobs)
    above = [Blob((blob.left, 49, 20, 40), blob.mask, blob.level) for blob in blobs]
    for blob in above:
        ink.contrast[49:89, blob.left : blob.right] = 200
    assert np.array_equal(cut_strip(ink, blobs, above).image, alone.image)


def test_digits_beside_a_number_stay():
    """They may be its own, though they were not put together."""
    ink, blobs = draw(40, [(100, 90), (140, 95), (180, 85)])
    assert np.array_equal(cut_strip(ink, blobs[:2], blobs).image, cut_strip(ink, blobs[:2]).image)


def test_number_at_the_border_is_cut_out():
    ink, blobs = draw(40, [(0, 0), (40, 0)], shape=(40, 60))
    strip = cut_strip(ink, blobs)
    assert strip.image[16, 25] == 255
    assert strip.image[:, :18].max() == 0
