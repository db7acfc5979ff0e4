import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("tensorflow")

import build_lines
from number_strips import NO_DIGIT, load_strips, make_number_strips, save_strips, vary_strip

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
    image = np.zeros((STRIP_HEIGHT, STRIP_WIDTH), np.uint8)
    image[13:19, 37:43] = 255
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


def test_batch_tells_each_digit_in_its_column(strips):
    rng = np.random.default_rng(0)
    batch = build_lines.make_batch(strips, np.arange(8), STRIP_WIDTH, rng)
    assert batch.images.shape == (8, STRIP_HEIGHT, STRIP_WIDTH, 1)
    for index, columns in enumerate(batch.columns):
        told = columns[(columns >= 0) & (columns < NO_DIGIT)]
        assert told.tolist() == strips.text(index).tolist()
        assert batch.are_numbers[index] == bool(len(told))


def test_batches_hold_what_has_room_in_them(strips, monkeypatch):
    monkeypatch.setattr(build_lines, "CONFIG", replace(build_lines.CONFIG, batch_size=4))
    batches = list(build_lines.plan_batches(strips, np.random.default_rng(0)))
    assert {width for _, width in batches} == set(build_lines.WIDTHS)
    for chosen, width in batches:
        assert len(chosen) == 4
        assert (strips.widths[chosen] <= width).all()
    used = np.concatenate([chosen for chosen, _ in batches])
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
