import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.vision.fields_file import load_fields


@pytest.fixture
def blank(write_picture):
    """A scan with a comb of three cells and a wide box."""
    page = np.full((1000, 800), 250, np.uint8)
    for index in range(3):
        cv2.rectangle(page, (100 + 60 * index, 200), (160 + 60 * index, 270), 90, 2)
    cv2.rectangle(page, (100, 400), (500, 470), 90, 2)
    return write_picture("blank.png", page)


def test_proposal_is_a_file_that_can_be_used(blank, edge_mnist, tmp_path):
    outcome = edge_mnist("fields", blank)
    assert (outcome.code, outcome.err) == (0, "")
    (tmp_path / "FIELDS.toml").write_text(outcome.out)
    form = load_fields(tmp_path / "FIELDS.toml")
    assert form.reference.samefile(blank)
    comb, wide = form.fields
    assert (comb.cells, comb.digits) == (True, (0, 3))
    assert comb.box == pytest.approx((0.125, 0.2, 0.225, 0.07), abs=0.005)
    assert (wide.cells, wide.box) == (False, pytest.approx((0.125, 0.4, 0.5, 0.07), abs=0.005))


def test_out_writes_the_file_and_says_what_to_do(blank, edge_mnist, tmp_path):
    path = tmp_path / "forms" / "FIELDS.toml"
    outcome = edge_mnist("fields", blank, "--out", path)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"2 fields in {path}: edit their names and what belongs in them\n"
    assert load_fields(path).reference.samefile(blank)


def test_fields_that_were_edited_are_kept(blank, edge_mnist, tmp_path):
    path = tmp_path / "FIELDS.toml"
    path.write_text("# edited")
    error = edge_mnist("fields", blank, "--out", path).error
    assert error == f"{path} is there already; give another name with --out, or remove it"
    assert path.read_text() == "# edited"


def test_json_has_the_same_fields(blank, edge_mnist):
    form = edge_mnist("fields", blank, "--json").json
    assert form["find"] == "reference"
    assert [(field["name"], field["digits"]) for field in form["fields"]] == [
        ("field_1", [0, 3]),
        ("field_2", [0, 6]),
    ]


def test_picture_without_boxes_is_an_error(edge_mnist, write_picture):
    path = write_picture("white.png", np.full((300, 200), 255, np.uint8))
    assert edge_mnist("fields", path).error == (
        f"no fields in {path}: expected boxes with a frame, or dark windows, got none; take it "
        "from straight above, or write the file by hand (docs/fields.md)"
    )


def test_missing_picture_is_named(edge_mnist):
    error = edge_mnist("fields", "none.png").error
    assert error == "cannot read none.png: got No such file or directory"
