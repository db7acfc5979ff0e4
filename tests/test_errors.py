import pytest

from edge_mnist import errors
from edge_mnist.errors import EdgeMnistError


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "wrong image"),
        ({"expected": "uint8"}, "wrong image: expected uint8"),
        ({"got": "float32"}, "wrong image: got float32"),
        ({"remedy": "convert it"}, "wrong image; convert it"),
        (
            {"remedy": "convert it", "got": "float32", "expected": "uint8"},
            "wrong image: expected uint8, got float32; convert it",
        ),
    ],
)
def test_message_says_what_expected_got_remedy(parts, message):
    assert str(EdgeMnistError("wrong image", **parts)) == message


def test_message_is_one_line():
    error = EdgeMnistError("what", got="a library's\n  text\tof\nlines")
    assert str(error) == "what: got a library's text of lines"


@pytest.mark.parametrize(
    "name",
    [
        "InvalidInputError",
        "DatasetError",
        "ModelError",
        "TrainingError",
        "ExportError",
        "SourceError",
        "HostError",
        "MissingDependencyError",
    ],
)
def test_each_error_is_caught_as_edge_mnist_error_and_stands_in_the_tree(name):
    assert issubclass(getattr(errors, name), EdgeMnistError)
    assert f"── {name} " in errors.__doc__
