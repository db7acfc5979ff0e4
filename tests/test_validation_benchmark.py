import sys
from pathlib import Path

import numpy as np
import pytest

from edge_mnist import Classifier
from edge_mnist.dataset import Examples

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import validation


@pytest.fixture
def examples():
    """Images that count as read right: their labels are what the default model reads."""
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    read = Classifier.load("micro").predict_batch(images)
    return Examples(images, np.array([prediction.digit for prediction in read], np.uint8))


def test_share_of_misread_digits_is_a_mean_over_the_sets_of_a_kind(examples):
    labels = examples.labels.copy()
    labels[:4] = (labels[:4] + 1) % 10
    mislabelled = Examples(examples.images, labels)
    sets = [[examples], [examples, mislabelled], [mislabelled]]
    assert validation.measure(Classifier.load("micro"), sets) == pytest.approx([0, 0.05, 0.1])


def test_digits_are_seen_as_they_are_varied_and_as_crops(examples):
    plain, varied, crops = validation.make_sets(examples)
    assert np.array_equal(plain[0].images, examples.images)
    assert (len(plain), len(varied), len(crops)) == (1, 6, 4)
    for changed in (*varied, *crops):
        assert np.array_equal(changed.labels, examples.labels)
        assert not np.array_equal(changed.images, examples.images)


def test_missing_model_is_told_in_one_line_before_anything_is_loaded(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["validation.py", "nowhere.tflite"])
    monkeypatch.delattr(validation, "load_dataset")
    assert validation.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("validation: ")
    assert "nowhere.tflite" in line
