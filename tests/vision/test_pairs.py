import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")

from touching_pairs import make_touching_pairs

from edge_mnist import model_store
from edge_mnist.engines import EngineSetting
from edge_mnist.errors import ModelError
from edge_mnist.runtime import Classifier
from edge_mnist.vision.pairs import PairReader, fit_pair, pair_model_path

BLOCK = np.ones((40, 30), np.float32)


@pytest.fixture(scope="module")
def pair_reader():
    return PairReader.load()


@pytest.fixture(scope="module")
def examples(mnist):
    """Of digits that nothing was trained on."""
    return make_touching_pairs(mnist.validation, 600, seed=5)


@pytest.mark.parametrize("shape", [(9, 7), (40, 30), (40, 80), (1, 1)])
def test_ink_of_any_size_fills_the_picture(shape):
    image = fit_pair(np.ones(shape, np.float32))
    assert (image.dtype, image.shape) == (np.uint8, (28, 28))
    assert (image[2:26, 1:27] == 255).all()
    assert image.sum() == 255 * 24 * 26


def test_faint_ink_becomes_full_ink():
    assert fit_pair(BLOCK / 4).max() == 255


def test_both_digits_of_most_pairs_are_read(pair_reader, examples):
    shown = np.flatnonzero(examples.are_pairs)
    read = [[digit.digit for digit in pair_reader.read(examples.images[i])] for i in shown]
    assert (np.array(read) == examples.labels[shown]).all(axis=1).mean() >= 0.95


def test_what_is_no_pair_is_rejected(pair_reader, examples):
    def reject(index):
        return max(digit.rejection_score for digit in pair_reader.read(examples.images[index]))

    scores = np.array([reject(index) for index in range(len(examples.images))])
    assert (scores[examples.are_pairs] < 0.5).mean() >= 0.95
    assert (scores[~examples.are_pairs] > 0.5).mean() >= 0.8


def test_model_of_single_digits_is_refused():
    content = model_store.find_model("pico").read_bytes()
    with pytest.raises(ModelError, match=r"\[1, 20\].*\[1, 10\]"):
        PairReader(content, EngineSetting("ai-edge-litert"), 1.0)


def test_model_of_pairs_is_no_classifier():
    with pytest.raises(ModelError, match=r"\[1, 10\].*\[1, 20\]"):
        Classifier(pair_model_path().read_bytes())


def test_card_tells_what_was_measured(pair_reader, mnist):
    card = json.loads(pair_model_path().with_suffix(".json").read_text())
    test = make_touching_pairs(mnist.test, 10_000, seed=2)
    shown = np.flatnonzero(test.are_pairs)
    read = [[digit.digit for digit in pair_reader.read(test.images[index])] for index in shown]
    right = (np.array(read) == test.labels[shown]).all(axis=1).mean()
    # What it was measured in rounds otherwise than other engines, here and there.
    assert right == pytest.approx(card["test"]["both_right"], abs=0.001)
    assert card["size_bytes"] == pair_model_path().stat().st_size
    page = " ".join((Path(__file__).parents[2] / "docs" / "reading.md").read_text().split())
    assert f"has {card['size_bytes']:,} bytes" in page
    assert f"reads both digits in {100 * right:.1f} %" in page
