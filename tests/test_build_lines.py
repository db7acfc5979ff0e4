import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("tensorflow")

import build_lines
from number_strips import NO_DIGIT, load_strips, make_number_strips, save_strips
from strip_variations import Spread, choose_spread, draw_sign, spread_strip, vary_strip

from edge_mnist.vision import own_models
from edge_mnist.vision.line_reader import LineReader
from edge_mnist.vision.strips import STRIP_HEIGHT, STRIP_WIDTH

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def strips(mnist):
    return make_number_strips(mnist.validation, 12, seed=1)


def test_same_seed_makes_the_same_strips(strips, mnist):
    same = make_number_strips(mnist.validation, 12, seed=1)
    for one, other in zip(vars(strips).values(), vars(same).values(), strict=True):
        assert np.array_equal(one, other)
    other = make_number_strips(mnist.validation, 12, seed=2)
    assert not np.array_equal(strips.texts, other.texts)


def test_strips_are_labelled(strips):
    assert (strips.images.dtype, strips.images.shape[1:]) == (np.uint8, (32, 256))
    assert strips.are_numbers.sum() > 12
    digits = strips.texts[strips.are_numbers]
    assert set(digits.ravel()) == set(range(11))
    # Where a digit stands there is ink, and one stands right of the other.
    for image, text, places in zip(strips.images, strips.texts, strips.places, strict=True):
        columns = places[text < NO_DIGIT]
        assert (np.diff(columns) > 0).all()
        for column in columns.round().astype(int):
            assert image[:, max(0, column - 6) : column + 7].max() > 128


def test_strips_are_kept(strips, tmp_path):
    save_strips(tmp_path / "strips.npz", strips)
    kept = load_strips(tmp_path / "strips.npz")
    for one, other in zip(vars(strips).values(), vars(kept).values(), strict=True):
        assert np.array_equal(one, other)


def test_varied_strip_tells_where_its_ink_went():
    image = np.zeros((STRIP_HEIGHT, STRIP_WIDTH), np.float32)
    image[13:19, 37:43] = 1
    rng = np.random.default_rng(0)
    found, told = [], []
    for _ in range(200):
        varied, moved = vary_strip(image, 120, rng)
        assert (varied.dtype, varied.shape) == (np.float32, image.shape)
        assert 0 <= varied.min() <= varied.max() <= 1
        # Rules are drawn over all of a row.
        across = np.clip(varied - np.median(varied, axis=1, keepdims=True), 0, None).sum(axis=0)
        across[across < across.max() / 2] = 0
        found.append(np.average(np.arange(STRIP_WIDTH), weights=across))
        told.append((moved @ (39.5, 15.5, 1))[0])
    assert np.median(np.abs(np.subtract(found, told))) < 0.5
    assert np.ptp(told) > 10


@pytest.fixture
def three():
    """A strip of three digits that are 8 columns wide, and their middles."""
    image = np.zeros((STRIP_HEIGHT, STRIP_WIDTH), np.uint8)
    places = np.array([24.0, 36.0, 44.0], np.float32)
    for place in places.astype(int):
        image[6:26, place - 4 : place + 4] = 255
    return image, places


def test_spread_digits_stand_where_it_is_told(three):
    """The last two touch: they are parted, too."""
    ink, places = spread_strip(*three, Spread(np.array([0, 5, 9, 0])))
    assert places.tolist() == [24, 41, 58]
    shown = ink[16] > 0.5
    for place in places.astype(int):
        assert shown[place - 3 : place + 3].all()
    assert shown.sum() == 3 * 8
    assert not shown[47:53].any()


@pytest.mark.parametrize("place", range(4))
def test_sign_stands_where_no_digit_is(place, three):
    sign = np.full((STRIP_HEIGHT, 10), 0.5, np.float32)
    columns = np.zeros(4, np.intp)
    columns[place] = 10
    ink, places = spread_strip(*three, Spread(columns, sign, place))
    drawn = np.flatnonzero(ink[0] == 0.5)
    assert (len(drawn), np.ptp(drawn)) == (10, 9)
    assert (ink[16, drawn] == 0.5).all()
    assert (np.abs(places[:, None] - drawn) >= 4).all()
    assert np.searchsorted(places, drawn[0]) == place
    assert (ink[16] == 1).sum() == 3 * 8


def test_spreads_are_chosen_by_chance():
    rng = np.random.default_rng(0)
    spreads = [choose_spread(4, rng) for _ in range(400)]
    wide = [spread for spread in spreads if spread.columns[1:4].any() and spread.sign is None]
    signed = [spread for spread in spreads if spread.sign is not None]
    assert 60 < len(wide) < 120
    assert 40 < len(signed) < 80
    assert {spread.place for spread in signed} == set(range(5))
    assert not any(spread.columns[[0, -1]].any() for spread in wide)
    for spread in signed:
        assert spread.columns[spread.place] >= spread.sign.shape[1]
    assert not choose_spread(0, rng).columns.any()


def test_signs_have_room():
    """But for a flourish, nothing of them is cut off."""
    rng = np.random.default_rng(0)
    signs = [draw_sign(rng) for _ in range(300)]
    for sign in signs:
        assert (sign.dtype, len(sign)) == (np.float32, STRIP_HEIGHT)
        assert 0.2 < sign.max() <= 1
    assert np.mean([sign[:, [0, -1]].max() > 0.5 for sign in signs]) < 0.05


def test_batch_tells_each_digit_in_its_column(strips):
    rng = np.random.default_rng(0)
    spreads = [Spread.none(len(strips.text(index))) for index in range(8)]
    plan = build_lines.Plan(np.arange(8), spreads, STRIP_WIDTH)
    batch = build_lines.make_batch(strips, plan, rng)
    assert batch.images.shape == (8, STRIP_HEIGHT, STRIP_WIDTH, 1)
    for index, columns in enumerate(batch.columns):
        told = columns[(columns >= 0) & (columns < NO_DIGIT)]
        assert told.tolist() == strips.text(index).tolist()
        assert batch.are_numbers[index] == bool(len(told))


def test_batches_hold_what_has_room_in_them(strips, monkeypatch):
    monkeypatch.setattr(build_lines, "CONFIG", replace(build_lines.CONFIG, batch_size=4))
    plans = list(build_lines.plan_batches(strips, np.random.default_rng(0)))
    assert {plan.width for plan in plans} == set(build_lines.WIDTHS)
    for plan in plans:
        assert len(plan.chosen) == 4
        for index, spread in zip(plan.chosen, plan.spreads, strict=True):
            assert len(spread.columns) == len(strips.text(index)) + 1
            assert strips.widths[index] + spread.columns.sum() <= plan.width
    used = np.concatenate([plan.chosen for plan in plans])
    assert len(set(used)) == len(used)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Makes it in seconds, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build_lines, "TRAIN_SCENES", 12)
    monkeypatch.setattr(build_lines, "HELD_OUT_SCENES", 10)
    monkeypatch.setattr(
        build_lines,
        "CONFIG",
        # To draw as many digits in other forms as it wants takes a minute.
        replace(build_lines.CONFIG, batch_size=4, epochs=3, styles=0.005),
    )
    monkeypatch.setattr(own_models, "models_dir", lambda: tmp_path)
    return tmp_path / "vision"


def test_tool_makes_a_model_that_the_reader_loads(small, mnist, capsys):
    assert build_lines.main() == 0
    card = json.loads((small / "lines.json").read_text())
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == card["test"]
    probabilities = LineReader.load().read(np.zeros((STRIP_HEIGHT, STRIP_WIDTH), np.uint8))
    assert probabilities.shape == (128, 11)
    assert probabilities.sum(axis=1) == pytest.approx(1)


def test_stopped_training_goes_on(small, mnist, monkeypatch, capsys):
    describe = build_lines.describe

    def stop(*arguments):
        raise KeyboardInterrupt

    calls = iter([describe, describe, stop])

    def stop_later(*arguments):
        return next(calls)(*arguments)

    monkeypatch.setattr(build_lines, "describe", stop_later)
    assert build_lines.main() == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert not small.exists()
    monkeypatch.setattr(build_lines, "describe", describe)
    assert build_lines.main() == 0
    out = capsys.readouterr().out
    assert "epoch 3/" in out
    assert "epoch 2/" not in out
    assert "of train digits" not in out
