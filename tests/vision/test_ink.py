import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.vision.ink import map_ink

NUMBER = "20473185"


@pytest.fixture
def shade(make_paper, write):
    """Return a function that writes a number on paper under some light and tells where it is."""

    def draw(light, hand=0, level=40):
        page = make_paper(noise=0)
        boxes = write(page, NUMBER, 60, 200, hand=hand, level=level)
        grain = np.random.default_rng(1).normal(0, 2, page.shape)
        return np.clip(np.rint(page * light + grain), 0, 255).astype(np.uint8), boxes

    return draw


def cast(edge_px, dark):
    """A shadow on the right side whose edge runs through the number at a slant."""
    y, x = np.mgrid[:480, :640]
    return np.interp(x + 0.4 * y - 400, [-edge_px / 2, edge_px / 2], [1, dark])


@pytest.mark.parametrize("hand", range(3))
def test_dark_desk_beneath_the_paper_has_no_ink(hand, reader, make_paper, write):
    page = make_paper()
    page[:, :220] = make_paper(width=220, level=24)
    write(page, "37", 60, 200, hand=hand, level=8)  # scratches that look like digits
    write(page, "2047", 300, 200, hand=hand)
    assert reader.read(page).lines == ["2047"]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("is_board", [False, True])
def test_ink_may_be_darker_or_brighter_than_what_it_stands_on(
    is_board, hand, reader, make_paper, write
):
    page = make_paper()
    write(page, NUMBER, 60, 200, hand=hand)
    assert reader.read(255 - page if is_board else page).lines == [NUMBER]
    assert next(map_ink(255 - page if is_board else page)).is_bright == is_board


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize(
    "light",
    [
        pytest.param(np.linspace(0.25, 1.15, 640), id="from the side"),
        pytest.param(np.linspace(1.1, 0.3, 480)[:, None], id="from above"),
        pytest.param(np.exp(-((np.linspace(-1.6, 1.6, 640)) ** 2) / 2), id="from a lamp"),
    ],
)
def test_light_may_fall_off(light, hand, reader, shade):
    page, _ = shade(light, hand)
    assert reader.read(page).lines == [NUMBER]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("dark", [0.7, 0.45])
@pytest.mark.parametrize("edge_px", [3, 12, 60])
def test_shadow_may_fall_across_a_number(edge_px, dark, hand, reader, shade):
    page, _ = shade(cast(edge_px, dark), hand)
    assert reader.read(page).lines == [NUMBER]


@pytest.mark.parametrize("hand", range(3))
def test_sharp_edge_of_a_shadow_takes_hardly_any_ink_away(hand, reader, make_paper, write):
    page = make_paper()
    boxes = write(page, NUMBER, 60, 200, level=120, hand=hand)
    places = range(boxes[0][0], boxes[-1][0] + boxes[-1][2], 7)
    # A stroke that runs along the edge may be taken for the shadow.
    shaded = [page * np.where(np.arange(640) < place, 0.6, 1) for place in places]
    read = [reader.read(np.rint(picture).astype(np.uint8)).lines for picture in shaded]
    assert read.count([NUMBER]) >= 0.9 * len(places)


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("slant", [-1.5, -0.7, 0.7, 1.5])
def test_slanted_edge_of_a_shadow_takes_hardly_any_ink_away(slant, hand, reader, make_paper, write):
    page = make_paper()
    boxes = write(page, NUMBER, 60, 200, level=150, hand=hand)
    y, x = np.mgrid[:480, :640]
    places = range(boxes[0][0], boxes[-1][0] + boxes[-1][2], 14)
    shadows = [(x + slant * (y - 220) - place) / 8 + 0.5 for place in places]
    shaded = [page * (1 - 0.45 * np.clip(shadow, 0, 1)) for shadow in shadows]
    read = [reader.read(np.rint(picture).astype(np.uint8)).lines for picture in shaded]
    assert read.count([NUMBER]) >= 0.9 * len(places)


def test_ink_is_as_strong_in_the_shade_as_in_the_light(shade):
    page, boxes = shade(cast(6, 0.5))
    ink = next(map_ink(page))
    assert ink.contrast.shape == ink.strong.shape == page.shape
    strokes = [np.percentile(ink.contrast[y : y + h, x : x + w], 95) for x, y, w, h in boxes]
    assert max(strokes) < 1.15 * min(strokes)


def test_paper_has_no_strong_ink(shade):
    page, boxes = shade(cast(60, 0.5))
    strong = next(map_ink(page)).strong
    for x, y, w, h in boxes:
        assert strong[y : y + h, x : x + w].any()
        strong[y - 3 : y + h + 3, x - 3 : x + w + 3] = 0
    assert strong.mean() < 0.002


@pytest.mark.parametrize("hand", range(3))
def test_band_of_shadow_beside_few_digits_is_no_large_one(hand, reader, make_paper, write):
    page = make_paper()
    write(page, "35", 120, 80, hand=hand)
    band = np.zeros(page.shape, np.float32)
    cv2.line(band, (0, 560), (760, 60), 1, 110)
    shaded = page * (1 - 0.5 * cv2.GaussianBlur(band, (0, 0), 12))
    assert reader.read(np.rint(shaded).astype(np.uint8)).lines == ["35"]


@pytest.mark.parametrize("hand", range(3))
def test_pencil_and_marker_are_read_in_one_frame(hand, reader, make_paper, write):
    page = make_paper()
    write(page, "52096", 60, 100, level=165, hand=hand)
    write(page, "71834", 60, 250, height=60, level=20, thicker=6, hand=hand)
    assert reader.read(page).lines == ["52096", "71834"]


@pytest.mark.parametrize("hand", range(3))
def test_blurred_writing_is_read(hand, reader, make_paper, write):
    page = make_paper(noise=0)
    write(page, NUMBER, 60, 200, hand=hand)
    soft = cv2.GaussianBlur(page, (0, 0), 2.5)
    grain = np.random.default_rng(1).normal(0, 3, page.shape)
    assert reader.read(np.clip(soft + grain, 0, 255).astype(np.uint8)).lines == [NUMBER]


@pytest.mark.parametrize("hand", range(3))
def test_faint_ink_is_read_though_bright_lines_stand_out_more(hand, reader, make_paper, write):
    page = make_paper(level=120)
    write(page, "2740", 100, 200, level=80, hand=hand)
    for row in (40, 65, 90):
        page[row : row + 3] = 150
    assert next(map_ink(page)).is_bright
    assert reader.read(page).lines == ["2740"]
