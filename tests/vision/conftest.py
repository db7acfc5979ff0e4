import numpy as np
import pytest

from edge_mnist import Classifier
from edge_mnist.cascade import load_models
from edge_mnist.model_store import shipped_models

# Paper that most of these tests are written on.
PAPER_LEVEL = 215
PAPER_NOISE = 2


@pytest.fixture(scope="session")
def classifier():
    return Classifier.load()


@pytest.fixture(scope="session")
def clear_digits(mnist):
    """Training digits in one piece of which all models are sure: what fails is not the model."""
    cv2 = pytest.importorskip("cv2")
    digits = mnist.train.take(np.arange(1000))
    sure = np.ones(len(digits), bool)
    for model in shipped_models():
        read = Classifier.load(model.name).predict_batch(digits.images)
        sure &= [
            p.confidence > 0.99 and p.digit == d for p, d in zip(read, digits.labels, strict=True)
        ]
    pieces = [
        cv2.connectedComponents((image >= 64).astype(np.uint8))[0] - 1 for image in digits.images
    ]
    return digits.take(np.flatnonzero(sure & (np.array(pieces) == 1)))


@pytest.fixture(scope="session")
def reader():
    """Return the reader that users get."""
    pytest.importorskip("cv2")
    from edge_mnist.vision.reader import Reader

    return Reader(load_models())


@pytest.fixture(scope="session")
def make_paper():
    """Return a function that gives an empty page with some grain, uint8 [height, width]."""

    def make(height=480, width=640, level=PAPER_LEVEL, noise=PAPER_NOISE):
        grain = np.random.default_rng(0).normal(level, noise, (height, width))
        return np.clip(np.rint(grain), 0, 255).astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def write(clear_digits):
    """Return a function that writes digits onto a page and gives the box of each."""
    import cv2

    def write_digit(page, image, left, top, height, level, thicker):
        padded = np.pad(image, 3)
        is_ink = padded >= 128
        rows, columns = np.flatnonzero(is_ink.any(axis=1)), np.flatnonzero(is_ink.any(axis=0))
        scale = height / (rows[-1] - rows[0] + 1)
        # With the soft edges around it, which are no part of the box.
        cut = padded[rows[0] - 2 : rows[-1] + 3, columns[0] - 2 : columns[-1] + 3]
        ink = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        if thicker:
            ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thicker,) * 2))
        edge = round(2 * scale)
        y, x = top - edge, left - edge
        area = page[y : y + ink.shape[0], x : x + ink.shape[1]]
        share = ink / 255
        area[:] = np.rint(area * (1 - share) + level * share)
        x, y, wide, high = cv2.boundingRect((ink >= 128).astype(np.uint8))
        return left - edge + x, top - edge + y, wide, high

    def write(page, text, left, top, height=40, level=40, gap=0.3, hand=0, thicker=0):
        """Write onto a page.

        Args:
            page: uint8 [height, width].
            text: Digits; a space leaves twice the height of a digit free.
            left: Of the first digit's ink; it needs some free pixels around it.
            top: The same.
            height: Of a digit, in pixels.
            level: Of a full stroke.
            gap: Between digits, in heights.
            hand: Another number writes with other digits.
            thicker: What strokes gain in width, in pixels.
        """
        boxes = []
        for place, character in enumerate(text):
            if character == " ":
                left += 2 * height
                continue
            same = np.flatnonzero(clear_digits.labels == int(character))
            image = clear_digits.images[same[(7 * hand + place) % len(same)]]
            boxes.append(write_digit(page, image, left, top, height, level, thicker))
            left += boxes[-1][2] + round(gap * height)
        return boxes

    return write


@pytest.fixture(scope="session")
def overlaps():
    """Return a function that gives the intersection over union of each read digit's box."""

    def overlap(box, other):
        (x, y, w, h), (x2, y2, w2, h2) = box, other
        wide = max(0, min(x + w, x2 + w2) - max(x, x2))
        high = max(0, min(y + h, y2 + h2) - max(y, y2))
        return wide * high / (w * h + w2 * h2 - wide * high)

    def compare(reading, truth):
        found = [digit.box for digit in reading.digits]
        return [overlap(*pair) for pair in zip(found, truth, strict=True)]

    return compare
