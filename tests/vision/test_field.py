import re
from pathlib import Path

import pytest

from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.fields import Field, FormFields

BOX = (0.1, 0.2, 0.5, 0.1)


@pytest.mark.parametrize(
    ("rules", "text", "broken"),
    [
        ({"digits": (3, 3)}, "123", []),
        ({"digits": (3, 3)}, "12", ["length: expected 3 digits, got 2"]),
        ({"digits": (1, 2)}, "123", ["length: expected 1 to 2 digits, got 3"]),
        ({"digits": (1, 2)}, "", ["length: expected 1 to 2 digits, got 0"]),
        ({"digits": (0, 2), "range": (5, 9)}, "", []),
        ({"digits": (1, 2), "range": (5, 40)}, "41", ["range: expected 5 to 40"]),
        ({"digits": (1, 2), "range": (5, 40)}, "05", []),
        ({"digits": (2, 2), "pattern": "[01]."}, "23", ["pattern: expected [01]."]),
        ({"digits": (2, 3), "pattern": "12"}, "123", ["pattern: expected 12"]),
        ({"digits": (4, 4), "check": "damm"}, "5724", []),
        ({"digits": (4, 4), "check": "damm"}, "5725", ["check digit: wrong by damm"]),
        ({"digits": (2, 2), "range": (0, 9)}, "?5", []),
    ],
)
def test_tells_what_is_wrong_with_a_text(rules, text, broken):
    assert Field("f", BOX, **rules).find_broken_rules(text) == broken


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"box": (0.6, 0.2, 0.5, 0.1)},
            "field 'score': box: expected [x, y, width, height] in fractions of the page, within "
            "it, got [0.6, 0.2, 0.5, 0.1]",
        ),
        (
            {"box": (0.1, 0.2, 0.0, 0.1)},
            "field 'score': box: expected [x, y, width, height] in fractions of the page, within "
            "it, got [0.1, 0.2, 0.0, 0.1]",
        ),
        (
            {"digits": (4, 3)},
            "field 'score': digits: expected a number from 1 to 64, or [fewest, most], got [4, 3]",
        ),
        (
            {"range": (9, 3)},
            "field 'score': range: expected [lowest, highest], got [9, 3]",
        ),
        (
            {"pattern": "(1"},
            "field 'score': pattern: expected a regular expression, got (1 (missing ), "
            "unterminated subpattern at position 0)",
        ),
    ],
)
def test_field_that_cannot_be_is_refused(changed, message):
    with pytest.raises(InvalidInputError, match=f"^{re.escape(message)}$"):
        Field(**{"name": "score", "box": BOX, "digits": (1, 3)} | changed)


def test_unknown_check_is_refused_with_the_fields_name():
    with pytest.raises(
        InvalidInputError, match=r"^field 'score': unknown check-digit rule: expected .*luhn.*, got"
    ):
        Field("score", BOX, (1, 3), check="lune")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"fields": ()}, r"^a form: expected at least one \[\[field\]\], got none"),
        ({"fields": 2}, "^a form: expected a name for each field, got 'a' more than once"),
        ({"find": "edges"}, "^page: find: expected outline, reference, whole, got edges"),
        ({"find": "reference"}, "^page: reference: expected a picture of the empty page"),
        ({"reference": Path("a.png")}, "^page: reference: expected a picture .*, got a.png"),
        ({"aspect": 0.0}, "^page: aspect: expected width divided by height, got 0.0"),
    ],
)
def test_form_that_cannot_be_is_refused(form, message):
    field = Field("a", BOX, (1, 1))
    if form.get("fields") == 2:
        form = {"fields": (field, field)}
    with pytest.raises(InvalidInputError, match=message):
        FormFields(**{"fields": (field,)} | form)
