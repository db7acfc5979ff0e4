import dataclasses

import numpy as np
import pytest

from edge_mnist.dataset import Dataset, Examples
from edge_mnist.errors import DatasetError
from edge_mnist.trained_on import TrainedOn, choose_unseen, fingerprint

SHA256, OTHER_SHA256 = "a" * 64, "b" * 64


def examples(first, count):
    """So many images that are all different."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(first, first + count)
    return Examples(images, np.zeros(count, np.uint8))


@pytest.fixture
def digits():
    return Dataset("digits", examples(0, 6), examples(6, 2), examples(8, 3), SHA256)


def test_test_images_of_what_it_was_trained_on_are_chosen(digits):
    for trained_on in (TrainedOn((SHA256,)), TrainedOn((OTHER_SHA256, SHA256)), None):
        chosen, described = choose_unseen(digits, trained_on)
        assert np.array_equal(chosen.images, digits.test.images)
        assert described == "the 3 test images of digits"


def test_validation_images_stand_in_where_there_are_no_test_images(digits):
    without = dataclasses.replace(digits, test=None)
    chosen, described = choose_unseen(without, TrainedOn((SHA256,)))
    assert np.array_equal(chosen.images, digits.validation.images)
    assert "validation images of digits, which has no test images" in described


def test_all_images_of_other_data_are_chosen(digits):
    chosen, described = choose_unseen(digits, TrainedOn((OTHER_SHA256,)))
    assert len(chosen) == 11
    assert described == "all 11 images of digits; it was trained on other data"


def test_single_images_that_it_has_seen_are_left_out(digits):
    seen = tuple(fingerprint(np.concatenate([digits.train.images[:4], digits.test.images[:1]])))
    chosen, described = choose_unseen(digits, TrainedOn((OTHER_SHA256,), seen))
    assert sorted(chosen.images[:, 0, 0]) == [4, 5, 6, 7, 9, 10]
    assert described == "the 6 of 11 images of digits that it has not seen"


def test_nothing_unseen_is_an_error(digits):
    seen = tuple(fingerprint(digits.everything().images))
    with pytest.raises(DatasetError, match="nothing to measure on in digits"):
        choose_unseen(digits, TrainedOn((OTHER_SHA256,), seen))


def test_json_tells_all_of_it():
    trained_on = TrainedOn((SHA256, OTHER_SHA256), ("c" * 16,))
    assert TrainedOn.from_json(trained_on.to_json()) == trained_on
    assert TrainedOn((SHA256,)).to_json() == {"sha256": SHA256}


def test_what_was_seen_before_is_not_forgotten():
    first, second = TrainedOn((SHA256,), ("c" * 16,)), TrainedOn((OTHER_SHA256, SHA256))
    assert second.joined(first) == TrainedOn((OTHER_SHA256, SHA256), ("c" * 16,))
    assert first.joined(None) == first
