import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")

from edge_mnist import model_store
from edge_mnist.engines import EngineSetting
from edge_mnist.errors import ModelError
from edge_mnist.runtime import Classifier
from edge_mnist.training.styles import draw_styles
from edge_mnist.vision.ctc import rate_text, read_best_path
from edge_mnist.vision.line_reader import LineReader, line_model_path

BLANK_STRIP = np.zeros((32, 256), np.uint8)


@pytest.fixture(scope="module")
def line_reader():
    return LineReader.load()


def write_strip(examples, indices):
    """Digits side by side, as high as in a strip and in the middle of it."""
    strip = BLANK_STRIP.copy()
    left = 20
    for index in indices:
        image = examples.images[index]
        rows, columns = (np.flatnonzero(image.max(axis=axis) > 60) for axis in (1, 0))
        ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        top = 16 - ink.shape[0] // 2
        strip[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
        left += ink.shape[1] + 5
    return strip


def count_right(line_reader, examples):
    """Read a hundred numbers of four digits, side by side."""
    right = 0
    for start in range(0, 400, 4):
        probabilities = line_reader.read(write_strip(examples, range(start, start + 4)))
        read = [seen.label for seen in read_best_path(probabilities)]
        right += read == examples.labels[start : start + 4].tolist()
    return right


def test_numbers_are_read(line_reader, mnist):
    """Of digits that nothing was trained on."""
    assert count_right(line_reader, mnist.validation) >= 85


def test_forms_that_mnist_lacks_are_read(line_reader):
    """Ones with a flag, sevens with a bar, and others that schools teach."""
    drawn = draw_styles(400, seed=1)
    order = np.random.default_rng(0).permutation(len(drawn))
    assert count_right(line_reader, drawn.take(order)) >= 85


def test_digits_are_seen_where_they_stand(line_reader, mnist):
    strip = write_strip(mnist.validation, range(4))
    ink = np.flatnonzero(strip.max(axis=0))
    columns = [2 * seen.column for seen in read_best_path(line_reader.read(strip))]
    assert len(columns) == 4
    assert ink[0] <= columns[0] < columns[3] <= ink[-1]


def test_nothing_is_read_in_nothing(line_reader):
    probabilities = line_reader.read(BLANK_STRIP)
    assert probabilities.shape == (128, 11)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert read_best_path(probabilities) == []
    assert rate_text(probabilities, []) > np.log(0.9)


def test_model_of_single_digits_is_refused():
    content = model_store.find_model("pico").read_bytes()
    with pytest.raises(ModelError, match=r"\[1, 32, 256, 1\].*\[1, 28, 28, 1\]"):
        LineReader(content, EngineSetting("ai-edge-litert"), 1.0)


def test_model_of_lines_is_no_classifier():
    with pytest.raises(ModelError, match=r"\[1, 28, 28, 1\].*\[1, 32, 256, 1\]"):
        Classifier(line_model_path().read_bytes())


def test_card_and_page_tell_what_was_measured():
    card = json.loads(line_model_path().with_suffix(".json").read_text())
    assert card["size_bytes"] == line_model_path().stat().st_size
    page = " ".join((Path(__file__).parents[2] / "docs" / "reading.md").read_text().split())
    assert f"has {card['size_bytes']:,} bytes" in page
    assert f"{100 * card['test']['numbers_right']:.1f} % of {card['test']['numbers']:,}" in page
    assert f"learned from {100 * card['training']['styles']:.0f} % have a form" in page
