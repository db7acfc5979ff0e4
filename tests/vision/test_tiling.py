import numpy as np
import pytest

pytest.importorskip("cv2")

from edge_mnist.vision.tiling import fit, tile


@pytest.mark.parametrize(
    ("size", "inner"),
    [
        ((100, 200), (100, 200)),
        ((50, 100), (100, 200)),
        ((400, 800), (100, 200)),
        ((100, 100), (100, 100)),
        ((300, 30), (100, 10)),
        ((2, 3000), (1, 200)),
    ],
)
def test_picture_fits_with_its_aspect_and_black_around(size, inner):
    fitted = fit(np.full((*size, 3), 255, np.uint8), 200, 100)
    assert fitted.shape == (100, 200, 3)
    is_white = (fitted == 255).all(axis=2)
    assert (is_white.any(axis=1).sum(), is_white.any(axis=0).sum()) == inner
    assert is_white.sum() == inner[0] * inner[1]


def test_fitting_copies_and_takes_gray():
    gray = np.full((10, 20), 7, np.uint8)
    fitted = fit(gray, 20, 10)
    fitted[:] = 0
    assert (gray == 7).all()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_every_picture_is_shown_once(count):
    levels = [60 + 20 * i for i in range(count)]
    named = [(f"stage {level}", np.full((48, 64), level, np.uint8)) for level in levels]
    tiled = tile(named, 640, 480)
    assert tiled.shape == (480, 640, 3)
    areas = [int((tiled == level).all(axis=2).sum()) for level in levels]
    assert min(areas) > 640 * 480 / (count + 1) / 4
    assert max(areas) < 1.2 * min(areas)
