import csv

import pytest

pytest.importorskip("cv2")

from edge_mnist.vision.field_reading import FieldReading, FormReading, render_csv, write_csv
from edge_mnist.vision.fields import Field, FormFields

FORM = FormFields(
    (Field("member, old", (0, 0, 1, 0.5), (4, 4)), Field("guests", (0, 0.5, 1, 0.5), (0, 2)))
)
SURE = FormReading(
    ((0, 0), (1, 0), (1, 1), (0, 1)),
    (FieldReading("member, old", "0042", 0.999, (), ()), FieldReading("guests", "", None, (), ())),
)
DOUBTFUL = FormReading(
    None,
    (
        FieldReading("member, old", "0?42", 0.8, (), ("cell 2 holds no digit", "length")),
        FieldReading("guests", "7", 0.7, (), ("low confidence",)),
    ),
)


def test_table_has_a_row_a_page_and_names_what_is_doubtful():
    rows = list(csv.reader(render_csv(FORM, [("a.jpg", SURE), ("b.jpg", DOUBTFUL)]).splitlines()))
    assert rows == [
        ["file", "member, old", "guests", "doubtful"],
        ["a.jpg", "0042", "", ""],
        [
            "b.jpg",
            "0?42",
            "7",
            "member, old (cell 2 holds no digit, length); guests (low confidence)",
        ],
    ]


def test_table_replaces_the_file_that_was_there(tmp_path):
    path = tmp_path / "out" / "table.csv"
    for reading in (DOUBTFUL, SURE):
        write_csv(path, FORM, [("a.jpg", reading)])
    assert path.read_text() == render_csv(FORM, [("a.jpg", SURE)])
    assert list(path.parent.iterdir()) == [path]


def test_doubtful_fields_are_those_with_doubts():
    assert SURE.doubtful == []
    assert [field.name for field in DOUBTFUL.doubtful] == ["member, old", "guests"]
