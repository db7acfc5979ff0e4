import itertools
import json
import sys

import numpy as np
import pytest

pytest.importorskip("cv2", reason="needs OpenCV: pip install 'edge-mnist[vision]'")

import cv2
import make_scenes
import scene_camera
import scene_clips
import scene_degrees
import scene_writing
import scenes

from edge_mnist.dataset import Examples
from edge_mnist.errors import DatasetError, InvalidInputError

PEN = scene_writing.Stroke(color=(20.0, 20.0, 20.0), width=0.1, opacity=1.0, grain=0.0)


@pytest.fixture(scope="module")
def digits():
    """Digits in a plain hand, one of each."""
    images = np.zeros((10, 28, 28), np.uint8)
    for digit, image in enumerate(images):
        cv2.putText(image, str(digit), (6, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.85, 255, 2, cv2.LINE_AA)
    return Examples(images, np.arange(10, dtype=np.uint8))


def only(digits, label):
    return digits.take(np.array([label]))


def boxes(truth):
    return [digit.box for number in truth.numbers for digit in number.digits]


def count_parts(ink):
    return cv2.connectedComponents(ink.astype(np.uint8))[0] - 1


def draw_glyphs(glyphs):
    width = scene_writing.measure_width(glyphs)
    page = np.full((300, width + 40, 3), 255, np.uint8)
    for glyph in glyphs:
        place = (20 + glyph.left, 200 + glyph.top)
        scene_writing.put_ink(page, glyph.coverage, *place, PEN, np.random.default_rng(0))
    return page[..., 0] < 128


def test_same_arguments_make_the_same_scene(digits):
    first, again = (scenes.make_scene(7, 4, digits, seed=3) for _ in range(2))
    assert np.array_equal(first.picture, again.picture)
    assert first.truth == again.truth


@pytest.mark.parametrize("other", [(8, 4, 3), (7, 3, 3), (7, 4, 4)])
def test_index_difficulty_and_seed_each_make_another_scene(digits, other):
    index, difficulty, seed = other
    scene = scenes.make_scene(7, 4, digits, 3)
    assert scenes.make_scene(index, difficulty, digits, seed).truth.numbers != scene.truth.numbers


def test_digits_are_those_given(digits):
    truth = scenes.make_scene(0, 0, only(digits, 3)).truth
    assert set("".join(truth.lines)) - {" "} == {"3"}


@pytest.mark.parametrize("index", range(3))
def test_ink_of_a_clean_scene_lies_in_the_true_boxes_and_fills_them(digits, index):
    scene = scenes.make_scene(index, 0, digits)
    gray = scene.picture.min(axis=2)
    ink = gray < gray.max() - 60
    for x, y, width, height in boxes(scene.truth):
        # The camera's blur takes a pixel off the ends of strokes.
        part = ink[y : y + height, x : x + width]
        rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        assert rows[0] <= 2
        assert rows[-1] >= height - 3
        assert columns[0] <= 2
        assert columns[-1] >= width - 3
        ink[y - 1 : y + height + 1, x - 1 : x + width + 1] = False
    assert not ink.any()


@pytest.mark.parametrize("difficulty", range(5))
def test_digits_keep_to_the_frame_and_to_the_sizes_of_their_degree(digits, difficulty):
    for index in range(2):
        scene = scenes.make_scene(index, difficulty, digits)
        height, width = scene.picture.shape[:2]
        assert scene.truth.size == (width, height)
        assert scene.picture.dtype == np.uint8
        assert scene.truth.numbers
        least = 0.85 * scene_degrees.DEGREES[difficulty].min_height
        for x, y, w, h in boxes(scene.truth):
            assert 0 <= x < x + w <= width
            assert 0 <= y < y + h <= height
            assert least <= h <= 1.1 * scene_degrees.MAX_HEIGHT


def test_numbers_of_a_line_stand_well_apart_and_come_in_the_order_of_reading(digits):
    gaps = []
    for index in range(8):
        numbers = scenes.make_scene(index, 0, digits).truth.numbers
        assert [number.line for number in numbers] == sorted(number.line for number in numbers)
        for left, right in itertools.pairwise(numbers):
            if left.line == right.line:
                height = max(digit.box[3] for digit in (*left.digits, *right.digits))
                gaps.append((right.corners[0][0] - left.corners[1][0]) / height)
            else:
                assert right.corners[0][1] > left.corners[2][1]
    assert gaps
    assert min(gaps) >= 2.5


def test_number_is_as_its_digits(digits):
    truth = scenes.make_scene(1, 2, digits, seed=5).truth
    for number in truth.numbers:
        assert number.text == "".join(str(digit.digit) for digit in number.digits)
        lefts = [digit.box[0] for digit in number.digits]
        assert lefts == sorted(lefts)


def test_easy_scenes_have_no_distractors_and_hard_ones_do(digits):
    easy = [scenes.make_scene(index, 0, digits).truth for index in range(2)]
    hard = [scenes.make_scene(index, 4, digits).truth for index in range(2)]
    assert all(truth.distractors == () and truth.conditions == () for truth in easy)
    assert all(truth.distractors for truth in hard)


def test_unknown_difficulty_is_told(digits):
    with pytest.raises(InvalidInputError) as caught:
        scenes.make_scene(0, 5, digits)
    assert str(caught.value) == "difficulty: expected 0 to 4, got 5"


@pytest.mark.parametrize(("touching", "parts"), [(0.0, 4), (1.0, 1)])
def test_digits_touch_only_where_they_shall(digits, touching, parts):
    rng = np.random.default_rng(0)
    glyphs = scene_writing.write_number(only(digits, 2), 4, 80, PEN, rng, touching=touching)
    assert count_parts(draw_glyphs(glyphs)) == parts


def test_habits_slash_zeros_and_cross_sevens(digits):
    def write(label, habits):
        rng = np.random.default_rng(1)
        return draw_glyphs(
            scene_writing.write_number(only(digits, label), 1, 100, PEN, rng, habits=habits)
        )

    # The paper around a zero and in it; a slash makes two of the inside.
    assert count_parts(~write(0, 0.0)) == 2
    assert count_parts(~write(0, 1.0)) == 3
    assert write(7, 1.0).sum() > 1.1 * write(7, 0.0).sum()
    assert np.array_equal(write(5, 1.0), write(5, 0.0))


@pytest.mark.parametrize("width", [0.12, 0.2])
def test_strokes_are_as_wide_as_the_pen(digits, width):
    pen = scene_writing.Stroke((0.0, 0.0, 0.0), width, 1.0, 0.0)
    glyphs = scene_writing.write_number(only(digits, 1), 1, 200, pen, np.random.default_rng(0))
    stem = glyphs[0].coverage[glyphs[0].coverage.shape[0] // 2] > 0.5
    assert stem.sum() / glyphs[0].coverage.shape[0] == pytest.approx(width, rel=0.2)


def test_noise_blur_and_exposure_do_what_they_say():
    view = np.full((60, 80, 3), 120, np.uint8)
    view[:, 40:] = 200
    light = np.ones((60, 80), np.float32)

    def expose(lens=None, **sensor):
        lens = lens or scene_camera.Lens()
        camera = scene_camera.Sensor(**{"noise": 0.0, **sensor})
        return scene_camera.expose(view, light, lens, camera, np.random.default_rng(0))

    assert np.array_equal(expose(), view)
    assert (expose(exposure=0.5)[:, :40] == 60).all()
    assert expose(noise=6.0)[:, :40].std() == pytest.approx(6.0, rel=0.4)
    assert expose(scene_camera.Lens(defocus=3.0))[30, 40, 0] == pytest.approx(160, abs=6)
    along = expose(scene_camera.Lens(motion=9.0, direction=0.0))
    across = expose(scene_camera.Lens(motion=9.0, direction=np.pi / 2))
    assert 125 < along[30, 38, 0] < 195
    assert np.array_equal(across[30], view[30])


def test_clip_moves_and_its_truth_moves_along(digits):
    frames = list(scene_clips.make_clip(0, digits, seed=2, frames=12))
    assert len({scene.truth.numbers for scene in frames}) == 12
    assert len({tuple(scene.truth.lines) for scene in frames}) == 1
    for scene in frames[::4]:
        assert scene.picture.shape == (480, 640, 3)
        gray = cv2.GaussianBlur(scene.picture, (0, 0), 1).min(axis=2)
        ink = gray < np.median(gray) - 50
        inside = np.zeros_like(ink)
        for x, y, width, height in boxes(scene.truth):
            assert 0 <= x < x + width <= 640
            assert 0 <= y < y + height <= 480
            inside[max(y - 2, 0) : y + height + 2, max(x - 2, 0) : x + width + 2] = True
        assert ink.any()
        assert not (ink & ~inside).any()


def test_command_writes_pictures_truths_sheets_and_clips(digits, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_scenes, "load_digits", lambda name, split: digits)
    monkeypatch.setattr(
        sys, "argv", ["make_scenes", "--out", str(tmp_path), "--count", "5", "--clips", "1"]
    )
    assert make_scenes.main() == 0
    for index in range(5):
        truth = json.loads((tmp_path / f"scene-{index:04d}-{index}.json").read_text())
        picture = cv2.imread(str(tmp_path / f"scene-{index:04d}-{index}.jpg"))
        assert truth["difficulty"] == index
        assert [picture.shape[1], picture.shape[0]] == truth["size"]
        assert " ".join(truth["lines"]) == " ".join(n["text"] for n in truth["numbers"])
        assert (tmp_path / f"contact-sheet-{index}.jpg").exists()
    assert (tmp_path / "overview.jpg").exists()
    clip = cv2.VideoCapture(str(tmp_path / "clip-000.avi"))
    truths = json.loads((tmp_path / "clip-000.json").read_text())
    assert clip.get(cv2.CAP_PROP_FRAME_COUNT) == len(truths) == scene_clips.FRAMES
    assert "5 of 5 scenes" in capsys.readouterr().err


def test_optdigits_stand_in_for_mnist(digits, monkeypatch, capsys):
    class Loaded:
        test = digits

    def fail(name):
        raise DatasetError("cannot download")

    monkeypatch.setattr(make_scenes, "load_dataset", fail)
    monkeypatch.setattr(make_scenes.dataset, "load", lambda name: Loaded)
    assert make_scenes.load_digits() is digits
    assert capsys.readouterr().err == "MNIST is not to be had: scenes of optdigits\n"


@pytest.fixture
def set_threads():
    """Return OpenCV's own function, and undo what it did."""
    before = cv2.getNumThreads()
    yield cv2.setNumThreads
    cv2.setNumThreads(before)


def test_depth_is_the_same_on_any_number_of_threads_and_exact(digits, set_threads):
    is_inside = cv2.resize(np.pad(digits.images[0], 10), None, fx=8, fy=8) > 100
    depths = []
    for threads in (1, 2):
        set_threads(threads)
        # All are kept: each lies elsewhere in memory.
        depths += [scene_writing.measure_depth(is_inside) for _ in range(20)]
    assert all(np.array_equal(depth, depths[0]) for depth in depths)
    outside = np.argwhere(~is_inside)
    for row, column in np.random.default_rng(0).integers(0, len(is_inside), (50, 2)):
        expected = np.hypot(*(outside - (row, column)).T).min()
        assert depths[0][row, column] == np.float32(expected)
