"""A second opinion about what leaves no doubt, where no other frame will give one."""

import pytest

pytest.importorskip("cv2")

from edge_mnist.cascade import load_models
from edge_mnist.prediction import Prediction
from edge_mnist.vision.live_numbers import LiveNumberReader
from edge_mnist.vision.reader import Reader

TEXT = "204735"


class Wrong:
    """Is certain that fours are nines."""

    def __init__(self):
        self._models = load_models()

    def predict(self, image):
        return self._twist(self._models.predict(image))

    def predict_batch(self, images):
        return [self._twist(one) for one in self._models.predict_batch(images)]

    def _twist(self, prediction):
        if prediction.digit != 4:
            return prediction
        probabilities = prediction.probabilities.copy()
        probabilities[[4, 9]] = probabilities[[9, 4]]
        score, rejected = prediction.rejection_score, prediction.rejected
        return Prediction(9, prediction.confidence, score, rejected, probabilities, 1.0)


@pytest.fixture(scope="module")
def page(make_paper, write):
    page = make_paper()
    write(page, TEXT, 60, 200)
    return page


def read_live(page, *, is_still):
    reader = LiveNumberReader("wrong", 0.5, lambda name: Wrong())
    (number,) = reader.read(page, is_still=is_still).reading.numbers
    return number


def test_what_is_surely_wrong_is_told_with_doubt(page):
    reader = Reader(Wrong())
    (number,) = reader.read(page).numbers
    (doubted,) = reader.read(page, careful=True).numbers
    assert number.text == doubted.text == TEXT.replace("4", "9")
    assert number.confidence > 0.95
    assert doubted.confidence < 0.5


def test_what_is_surely_right_is_told_so(reader, page):
    (number,) = reader.read(page, careful=True).numbers
    assert number.text == TEXT
    assert number.confidence > 0.9


def test_care_for_one_picture_is_not_for_the_next(page):
    reader = Reader(Wrong())
    before = reader.read(page)
    reader.read(page, careful=True)
    assert reader.read(page).numbers == before.numbers


def test_still_pictures_are_read_with_care_and_video_is_not(page):
    assert read_live(page, is_still=True).confidence < 0.5
    assert read_live(page, is_still=False).confidence > 0.95
