import json

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("tensorflow")

import build_pairs
from touching_pairs import make_touching_pairs

from edge_mnist.vision import own_models
from edge_mnist.vision.pairs import PairReader

pytestmark = pytest.mark.train


def test_same_seed_makes_the_same_pictures(mnist):
    one, same, other = (make_touching_pairs(mnist.validation, 60, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.images, same.images)
    assert np.array_equal(one.labels, same.labels)
    assert not np.array_equal(one.images, other.images)


def test_pictures_show_pairs_and_others_in_their_shares(mnist):
    made = make_touching_pairs(mnist.validation, 500, seed=1)
    assert (made.images.dtype, made.images.shape) == (np.uint8, (500, 28, 28))
    assert made.are_pairs.sum() == 350
    assert set(made.labels[made.are_pairs].ravel()) == set(range(10))
    assert (made.labels[~made.are_pairs] == 10).all()
    assert (made.images.max(axis=(1, 2)) == 255).all()


def test_digits_of_a_pair_touch(mnist):
    import cv2

    made = make_touching_pairs(mnist.validation, 200, seed=1)
    whole = [
        cv2.connectedComponents((image > 60).astype(np.uint8))[0] == 2
        for image in made.images[made.are_pairs]
    ]
    # Some of MNIST's digits are broken themselves.
    assert np.mean(whole) > 0.8


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Makes it in seconds, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build_pairs, "TRAIN_PAIRS", 1000)
    monkeypatch.setattr(build_pairs, "HELD_OUT_PAIRS", 200)
    monkeypatch.setattr(own_models, "models_dir", lambda: tmp_path)
    return tmp_path / "vision"


def test_tool_makes_a_model_that_the_reader_loads(small, mnist, capsys):
    assert build_pairs.main() == 0
    card = json.loads((small / "pairs.json").read_text())
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == card["test"]
    assert card["test"]["pairs"] == 140
    left, right = PairReader.load().read(np.zeros((28, 28), np.uint8))
    assert 0 <= left.digit <= 9
    assert 0 <= right.confidence <= 1


def test_stopped_training_goes_on(small, mnist, monkeypatch, capsys):
    describe = build_pairs.describe

    def stop(*arguments):
        raise KeyboardInterrupt

    calls = iter([describe, describe, stop])

    def stop_later(*arguments):
        return next(calls)(*arguments)

    monkeypatch.setattr(build_pairs, "describe", stop_later)
    assert build_pairs.main() == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert not small.exists()
    monkeypatch.setattr(build_pairs, "describe", describe)
    assert build_pairs.main() == 0
    out = capsys.readouterr().out
    assert "epoch 3/" in out
    assert "epoch 2/" not in out


def test_without_mnist_it_says_so(small, monkeypatch, capsys):
    monkeypatch.setenv("EDGE_MNIST_DATA", str(small))
    monkeypatch.setattr(build_pairs.dataset, "load", _refuse)
    assert build_pairs.main() == 1
    assert capsys.readouterr().err == "error: no data\n"
    assert not small.exists()


def _refuse(_name):
    from edge_mnist.errors import DatasetError

    raise DatasetError("no data")
