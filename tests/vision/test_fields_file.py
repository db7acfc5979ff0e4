import re

import pytest

pytest.importorskip("cv2")

from edge_mnist.check_digits import WeightedSum
from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.fields import Field, FormFields
from edge_mnist.vision.fields_file import load_fields, render_fields

BOX = "box = [0.1, 0.2, 0.5, 0.1]"


@pytest.fixture
def load(tmp_path):
    def write_and_load(text):
        path = tmp_path / "FIELDS.toml"
        path.write_text(text)
        return load_fields(path)

    return write_and_load


def test_file_says_all_that_a_form_is(load, tmp_path):
    form = load(
        f"""
        [page]
        reference = "blank.png"
        [[field]]
        name = "member"
        {BOX}
        digits = 8
        cells = true
        check = "luhn"
        [[field]]
        name = "guests"
        {BOX}
        digits = [1, 2]
        range = [0, 40]
        pattern = "[0-4]?."
        check = {{ weights = [3, 1], modulus = 10 }}
        """
    )
    box = (0.1, 0.2, 0.5, 0.1)
    assert form == FormFields(
        (
            Field("member", box, (8, 8), cells=True, check="luhn"),
            Field("guests", box, (1, 2), False, (0, 40), "[0-4]?.", WeightedSum((3, 1), 10)),
        ),
        "reference",
        None,
        tmp_path / "blank.png",
    )


def test_what_is_written_is_read_back(load):
    box = (0.125, 0.25, 0.5, 0.1)
    form = FormFields(
        (
            Field('a "quoted" \\ näme\x7f\n', box, (0, 3), pattern=r"\d+"),
            Field("b", box, (2, 2), cells=True, range=(-3, 4), check=WeightedSum((1, 2), 7)),
            Field("c", box, (1, 64), check="ean"),
        ),
        aspect=0.707,
    )
    assert load(render_fields(form)) == form


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a form: expected at least one [[field]], got none"),
        ("[[field]]\ndigits = 1", "field 1: name: expected a text, got none"),
        (
            "[[field]]\nname = 'a'\ndigits = 1",
            "field 'a': box: expected [x, y, width, height] in fractions of the page, got none",
        ),
        (
            "[[field]]\nname = 'a'\nbox = [1, 2, 3]\ndigits = 1",
            "field 'a': box: expected [x, y, width, height] in fractions of the page, "
            "got [1, 2, 3]",
        ),
        (
            f"[[field]]\nname = 'a'\n{BOX}\ndigits = '3'",
            "field 'a': digits: expected a number, or [fewest, most], got 3",
        ),
        (
            f"[[field]]\nname = 'a'\n{BOX}\ndigit = 3",
            "field 'a': unknown key: expected box, cells, check, digits, name, pattern, range, "
            "got digit",
        ),
        (
            f"[[field]]\nname = 'a'\n{BOX}\ndigits = 3\ncells = 3",
            "field 'a': cells: expected true or false, got 3",
        ),
        (
            f"[[field]]\nname = 'a'\n{BOX}\ndigits = 3\nrange = 3",
            "field 'a': range: expected [lowest, highest], got 3",
        ),
        (
            f"[[field]]\nname = 'a'\n{BOX}\ndigits = 3\ncheck = 3",
            "field 'a': check: expected a rule's name, or { weights = [...], modulus = ... }, "
            "got 3",
        ),
        (
            f"[[field]]\nname = 'a'\n{BOX}\ndigits = 3\ncheck = {{ weights = [1] }}",
            "field 'a': check: expected a rule's name, or { weights = [...], modulus = ... }, "
            "got {'weights': [1]}",
        ),
        ("page = 3", "the file: expected one [page] and [[field]] entries"),
        ("[page]\nfind = 3", "page: find: expected outline, reference, whole, got 3"),
        ("[page]\naspect = 'a4'", "page: aspect: expected a number, got a4"),
        ("[page]\nreference = 3", "page: reference: expected a file name, got 3"),
        ("[paper]", "the file: unknown key: expected field, page, got paper"),
    ],
)
def test_file_that_says_what_cannot_be_is_refused(text, message, load, tmp_path):
    if text.startswith("[page]") and "reference" not in text and "aspect" not in text:
        text += f"\n[[field]]\nname = 'a'\n{BOX}\ndigits = 1"
    expected = f"cannot use {tmp_path / 'FIELDS.toml'}: {message}"
    with pytest.raises(InvalidInputError, match=f"^{re.escape(expected)}$"):
        load(text)


def test_error_in_the_toml_names_its_line(load):
    with pytest.raises(
        InvalidInputError, match=r"^cannot read .*FIELDS\.toml: expected TOML, got .*line 2"
    ):
        load("[page]\naspect = = 1")


def test_missing_file_is_named(tmp_path):
    path = tmp_path / "none.toml"
    with pytest.raises(
        InvalidInputError, match=rf"^cannot read {re.escape(str(path))}: got No such file"
    ):
        load_fields(path)
