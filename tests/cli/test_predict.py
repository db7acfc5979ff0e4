import json

import numpy as np
import pytest

from edge_mnist.engines import installed_engines


@pytest.fixture
def seven(mnist):
    """A seven of MNIST, 112 pixels high: uint8, white ink on black."""
    assert mnist.test.labels[0] == 7
    return np.kron(mnist.test.images[0], np.ones((4, 4), np.uint8))


def enlarge(image, factor):
    return np.kron(image, np.ones((factor, factor), np.uint8))


def with_alpha(ink):
    """Black ink whose paper is transparent."""
    return np.dstack([np.zeros_like(ink)] * 3 + [ink])


@pytest.mark.parametrize(
    ("name", "paint"),
    [
        pytest.param("black.png", lambda ink: 255 - ink, id="black on white"),
        pytest.param("white.png", lambda ink: ink, id="white on black"),
        pytest.param("photo.jpg", lambda ink: 255 - ink, id="JPEG"),
        pytest.param("night.jpg", lambda ink: ink, id="JPEG, white on black"),
        pytest.param("gray.png", lambda ink: 180 - ink // 3, id="pencil on grey"),
        pytest.param(
            "blue.png", lambda ink: np.dstack([255 - ink // 4, 255 - ink, 255 - ink]), id="blue ink"
        ),
        pytest.param("alpha.png", with_alpha, id="transparent paper"),
        pytest.param("big.png", lambda ink: 255 - enlarge(ink, 12), id="1344 pixels"),
        pytest.param("small.png", lambda ink: 255 - ink[::4, ::4], id="28 pixels"),
        pytest.param(
            "wide.png", lambda ink: np.pad(255 - ink, ((5, 5), (300, 9)), "edge"), id="wide"
        ),
        pytest.param("name with ünicode.png", lambda ink: 255 - ink, id="unicode"),
    ],
)
def test_digit_is_read_off_any_picture(name, paint, seven, edge_mnist, write_picture):
    path = write_picture(name, paint(seven))
    outcome = edge_mnist("predict", path)
    assert outcome.code == 0
    assert outcome.out.startswith(f"{path}: 7 (")
    assert outcome.out.endswith(" %)\n")
    assert outcome.err == ""


def test_json_is_an_object_a_line_in_order(seven, edge_mnist, write_picture):
    paths = [write_picture(f"{name}.png", 255 - seven) for name in "ab"]
    outcome = edge_mnist("predict", "--json", *paths)
    assert outcome.code == 0
    readings = [json.loads(line) for line in outcome.out.splitlines()]
    assert [reading["source"] for reading in readings] == [str(path) for path in paths]
    for reading in readings:
        assert list(reading) == ["source", "lines", "digits"]
        assert reading["lines"] == ["7"]
        (digit,) = reading["digits"]
        assert list(digit) == ["digit", "confidence", "box"]
        assert digit["digit"] == 7
        assert 0.5 < digit["confidence"] <= 1


def test_box_is_where_the_ink_is(edge_mnist, write_picture):
    picture = np.full((120, 200), 255, np.uint8)
    picture[20:90, 40:50] = 0
    (digit,) = edge_mnist("predict", "--json", write_picture("one.png", picture)).json["digits"]
    assert digit["digit"] == 1
    assert digit["box"] == [40, 20, 10, 70]


def test_file_that_fails_is_named_and_the_rest_is_read(seven, edge_mnist, write_picture):
    good = [write_picture(f"{name}.png", 255 - seven) for name in "ab"]
    outcome = edge_mnist("predict", "--json", good[0], "missing.png", good[1])
    sources = [json.loads(line)["source"] for line in outcome.out.splitlines()]
    assert sources == [str(path) for path in good]
    assert outcome.error == "cannot read missing.png: got No such file or directory"
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_picture_has_no_digit(level, edge_mnist, write_picture):
    path = write_picture("blank.png", np.full((50, 40), level, np.uint8))
    outcome = edge_mnist("predict", path)
    assert (outcome.code, outcome.out, outcome.err) == (0, f"{path}: no digit\n", "")
    reading = edge_mnist("predict", "--json", path).json
    assert reading == {"source": str(path), "lines": [], "digits": []}


@pytest.mark.parametrize("engine", installed_engines())
def test_mnist_as_pictures_is_read_as_labelled(engine, mnist, edge_mnist, write_picture):
    import cv2

    paths = []
    for index, image in enumerate(mnist.test.images[:100]):
        picture = cv2.resize(255 - image, (140, 140), interpolation=cv2.INTER_CUBIC)
        paths.append(write_picture(f"{index}.png", picture))
    outcome = edge_mnist("predict", "--json", "--engine", engine, *paths)
    read = [json.loads(line)["lines"] for line in outcome.out.splitlines()]
    right = [[str(label)] == lines for label, lines in zip(mnist.test.labels, read, strict=False)]
    assert len(right) == 100
    assert sum(right) >= 95


def test_letter_is_no_digit(edge_mnist, write_picture):
    picture = np.full((112, 112), 255, np.uint8)
    picture[16:96, 26:38] = picture[16:96, 74:86] = picture[50:62, 26:86] = 0  # an H
    path = write_picture("letter.png", picture)
    assert edge_mnist("predict", path).out == f"{path}: no digit\n"
    outcome = edge_mnist("predict", "--json", path)
    assert json.loads(outcome.out) == {"source": str(path), "lines": [], "digits": []}
