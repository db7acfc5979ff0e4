import numpy as np
import pytest

from edge_mnist import Classifier
from edge_mnist.cascade import DEFAULT_MODELS, SURE, Cascade, load_models
from edge_mnist.errors import ModelError
from edge_mnist.model_store import models_dir


def describe(predictions):
    return [(p.digit, p.confidence, p.rejection_score) for p in predictions]


@pytest.fixture(scope="module")
def nano():
    return Classifier.load("nano")


@pytest.fixture(scope="module")
def large():
    return Classifier.load("large")


@pytest.fixture(scope="module")
def faint(mnist):
    """300 digits, of which each is fainter than the one before."""
    images = mnist.validation.images[:300] * np.linspace(1, 0.2, 300)[:, None, None]
    return np.rint(images).astype(np.uint8)


def test_second_model_reads_what_the_first_is_not_sure_of_and_no_more(nano, large, faint):
    both = describe(Cascade(nano, large).predict_batch(faint))
    first, second = describe(nano.predict_batch(faint)), describe(large.predict_batch(faint))
    sure = [confidence * (1 - score) >= SURE for _, confidence, score in first]
    assert 30 < sum(sure) < 270
    assert both == [
        one if holds else other for one, other, holds in zip(first, second, sure, strict=True)
    ]


def test_one_image_reads_as_it_does_among_others(nano, large, faint):
    cascade = Cascade(nano, large)
    alone = [cascade.predict(image) for image in faint]
    assert describe(alone) == describe(cascade.predict_batch(faint))


def test_two_in_turn_read_more_than_the_first_alone(nano, large, mnist):
    images, labels = mnist.validation.images, mnist.validation.labels

    def count_right(model):
        return sum(
            p.digit == label for p, label in zip(model.predict_batch(images), labels, strict=True)
        )

    assert count_right(nano) < count_right(Cascade(nano, large))


def test_default_models_are_both_loaded():
    loaded = []
    load_models(load=loaded.append)
    assert "+".join(loaded) == DEFAULT_MODELS


def test_one_name_is_one_model():
    assert isinstance(load_models("pico"), Classifier)


def test_name_of_a_file_may_hold_a_plus(tmp_path):
    folder = tmp_path / "c++"
    folder.mkdir()
    path = folder / "own+pico.tflite"
    path.write_bytes((models_dir() / "pico.tflite").read_bytes())
    assert isinstance(load_models(str(path)), Classifier)


@pytest.mark.parametrize(("names", "got"), [("micro+huge", "'huge'"), ("micro+", "'micro+'")])
def test_unknown_model_is_told(names, got):
    with pytest.raises(ModelError, match="cannot find the model") as caught:
        load_models(names)
    assert got in str(caught.value)
