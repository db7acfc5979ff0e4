import numpy as np
import pytest

from edge_mnist.explanation.mosaic import GAP_PX, lay_out
from edge_mnist.explanation.results import Activation, Filters, GradCam, Occlusion

image = pytest.importorskip("matplotlib.image")


@pytest.fixture
def pictures():
    return pytest.importorskip("edge_mnist.explanation.pictures")


def test_maps_stand_in_rows_with_gaps():
    maps = np.arange(3, dtype=np.float32).repeat(24 * 24).reshape(3, 24, 24)
    mosaic = lay_out(maps, 2)
    side = 2 * 24 + GAP_PX
    assert mosaic.picture.shape == (side, side)
    assert (mosaic.rows, mosaic.columns) == (2, 2)
    for number, place in enumerate([(0, 0), (0, 1), (1, 0)]):
        y, x = mosaic.middle(*place)
        assert mosaic.picture[int(y), int(x)] == number
    assert np.isnan(mosaic.picture[-1, -1])
    assert np.isnan(mosaic.picture[24 : 24 + GAP_PX]).all()
    # As many pixels as the maps have, each once.
    assert np.isfinite(mosaic.picture).sum() == maps.size


def test_small_maps_are_enlarged_without_blending():
    mosaic = lay_out(np.array([[[1, 2], [3, 4]]], np.float32), 1)
    assert min(mosaic.picture.shape) >= 24
    assert set(np.unique(mosaic.picture)) == {1, 2, 3, 4}


@pytest.mark.parametrize("shape", [(1, 1, 3, 3), (8, 1, 5, 5), (100, 70, 3, 3), (4, 3, 1, 1)])
def test_any_number_of_filters_is_drawn(shape, pictures, tmp_path):
    weights = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    pictures.draw_filters(Filters("conv", weights), tmp_path / "filters.png")
    check(tmp_path / "filters.png")


def test_filters_of_zeros_are_drawn(pictures, tmp_path):
    zeros = np.zeros((2, 1, 3, 3), np.float32)
    pictures.draw_filters(Filters("conv", zeros), tmp_path / "filters.png")
    assert (tmp_path / "filters.png").exists()


def test_activations_of_any_shape_are_drawn(pictures, tmp_path, four_corners):
    rng = np.random.default_rng(0)
    shapes = [(28, 28, 1), (14, 14, 40), (3, 3, 200), (1, 1, 8), (6, 5), (10,), (500,), (1,)]
    made = [
        Activation(f"layer {place}", values, "float32", None, values)
        for place, values in enumerate(
            rng.normal(size=shape).astype(np.float32) for shape in shapes
        )
    ]
    pictures.draw_activations(made, four_corners, "title", tmp_path / "all.png")
    check(tmp_path / "all.png")


def test_only_what_the_network_gives_is_labelled_with_digits(pictures, tmp_path, four_corners):
    ink = []
    for is_output in (False, True):
        values = np.zeros(10, np.float32)
        units = Activation("ten", values, "float32", None, values, is_output)
        pictures.draw_activations([units], four_corners, "title", tmp_path / "a.png")
        under_the_units = check(tmp_path / "a.png")[-80:, :550, :3]
        ink.append(under_the_units.min() < 0.5)
    assert ink == [False, True]


def test_low_scale_shows_both_of_its_ends(tmp_path):
    from edge_mnist.explanation.sheet import Sheet

    sheet = Sheet(2, 1)
    axes = sheet.add_axes(0.1, 0.1, 0.5, 0.5)
    drawn = axes.imshow([[-6.3, 0, 1.27]])
    scale = sheet.add_scale(drawn, 0.6, 0.1, 0.45)
    assert [label.get_text() for label in scale.ax.get_yticklabels()] == ["-6.3", "1.3"]


def test_heat_is_drawn_where_it_is(pictures, tmp_path, four_corners):
    heat = np.zeros((7, 7), np.float32)
    heat[0, 0] = 1
    pictures.draw_gradcams([GradCam("conv", 3, heat)], four_corners, "title", tmp_path / "a.png")
    pixels = check(tmp_path / "a.png")
    # Cividis ends in yellow: little blue. The panel is the right half's left part.
    yellow = (pixels[..., 0] > 0.9) & (pixels[..., 2] < 0.4)
    height, width = yellow.shape
    yellow[:, int(0.85 * width) :] = False  # the scale has it too
    rows, columns = np.nonzero(yellow)
    assert rows.size > 100
    assert rows.mean() < 0.45 * height
    assert columns.mean() > 0.5 * width


def test_nothing_found_is_drawn_too(pictures, tmp_path, four_corners):
    nothing = GradCam("conv", 3, np.zeros((7, 7), np.float32))
    pictures.draw_gradcams([nothing] * 7, four_corners, "title", tmp_path / "a.png")
    check(tmp_path / "a.png")
    blank = np.zeros((28, 28), np.uint8)
    lost = Occlusion(3, 5, 0.0, np.zeros((28, 28), np.float32))
    pictures.draw_occlusion(lost, blank, "title", tmp_path / "b.png")
    check(tmp_path / "b.png")


def check(path):
    pixels = image.imread(path)
    assert pixels.shape[1] >= 800  # 4 inches in 200 dots an inch
    assert pixels[..., :3].std() > 0.01
    return pixels
