from itertools import product

import numpy as np
import pytest

from edge_mnist.vision.ctc import Seen, rate_text, read_best_path

BLANK = 3


def make_probabilities(columns, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(BLANK + 1), columns)


def collapse(path):
    kept = [label for index, label in enumerate(path) if index == 0 or path[index - 1] != label]
    return [label for label in kept if label != BLANK]


def sum_paths(probabilities, text):
    """The definition: all paths, one by one."""
    return sum(
        np.prod([row[label] for row, label in zip(probabilities, path, strict=True)])
        for path in product(range(BLANK + 1), repeat=len(probabilities))
        if collapse(path) == text
    )


@pytest.mark.parametrize("text", [[], [0], [1, 2], [1, 1], [0, 1, 0], [2, 2, 2]])
@pytest.mark.parametrize("columns", [5, 6])
def test_text_is_as_likely_as_all_its_paths(text, columns):
    probabilities = make_probabilities(columns)
    assert np.exp(rate_text(probabilities, text)) == pytest.approx(sum_paths(probabilities, text))


def test_all_texts_together_are_certain():
    probabilities = make_probabilities(3, seed=1)
    texts = {tuple(collapse(path)) for path in product(range(BLANK + 1), repeat=3)}
    total = sum(np.exp(rate_text(probabilities, text)) for text in texts)
    assert total == pytest.approx(1)


@pytest.mark.parametrize("text", [[0, 1, 2], [1, 1]])
def test_text_that_has_no_room_is_impossible(text):
    assert rate_text(make_probabilities(2), text) == -np.inf


def test_long_strip_of_nothing_is_rated():
    probabilities = np.tile([0.01, 0.01, 0.01, 0.97], (1000, 1))
    assert rate_text(probabilities, []) == pytest.approx(1000 * np.log(0.97))
    assert np.isfinite(rate_text(probabilities, [0, 1, 0]))


def test_best_path_tells_where_labels_are_likeliest():
    path = [BLANK, 1, 1, BLANK, 1, 2, BLANK]
    probabilities = np.full((len(path), BLANK + 1), 0.1)
    probabilities[np.arange(len(path)), path] = [0.7, 0.5, 0.7, 0.7, 0.7, 0.7, 0.7]
    assert read_best_path(probabilities) == [Seen(1, 2), Seen(1, 4), Seen(2, 5)]


def test_nothing_is_read_where_the_blank_is_likeliest():
    assert read_best_path(np.tile([0.2, 0.2, 0.2, 0.4], (4, 1))) == []
