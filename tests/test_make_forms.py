import json
import sys
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("cv2")


import make_forms
from forms import PlainTally, Tally, count_edits, keep, make_readers, measure, measure_plain

from edge_mnist import Classifier
from edge_mnist.cascade import load_models
from edge_mnist.errors import DatasetError
from edge_mnist.vision.fields_file import load_fields
from edge_mnist.vision.reader import Reader
from edge_mnist.vision.segmentation import segment

PAGES = 9


@pytest.fixture(scope="module")
def made(mnist):
    return list(make_forms.make_forms(mnist.train, PAGES, seed=7))


def test_same_seed_gives_the_same_forms(mnist, made):
    again = next(make_forms.make_forms(mnist.train, 1, seed=7))
    other = next(make_forms.make_forms(mnist.train, 1, seed=8))
    assert np.array_equal(again.photo, made[0].photo)
    assert again.texts == made[0].texts
    assert other.texts != made[0].texts


def test_content_keeps_to_the_rules_of_its_field(made):
    for form in made:
        for field in form.layout.fields:
            assert field.find_broken_rules(form.texts[field.name]) == []


def test_forms_have_digits_empty_fields_and_marks(made):
    texts = [text for form in made for text in form.texts.values()]
    assert set("".join(texts)) == set("0123456789")
    assert "" in texts
    assert any(form.marked for form in made)
    assert all(form.texts[name] == "" for form in made for name in form.marked)


def test_photographs_show_the_whole_page(made):
    for form in made:
        assert form.photo.dtype == np.uint8
        assert max(form.photo.shape) == 1900
        height, width = form.layout.blank.shape
        assert form.photo.shape[1] / form.photo.shape[0] == pytest.approx(width / height, abs=0.01)


def test_folder_holds_what_reads_it(mnist, tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["make_forms.py", str(tmp_path), "--pages", "3", "--split", "train"]
    )
    assert make_forms.main() == 0
    rows = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert len(rows) == 3
    for row in rows:
        assert (tmp_path / row["file"]).exists()
        layout = row["file"][4:].removesuffix(".jpg")
        form = load_fields(tmp_path / f"{layout}.toml")
        assert [field.name for field in form.fields] == list(row["fields"])
        assert form.reference is None or form.reference.exists()


def test_missing_digits_are_told_in_a_line(tmp_path, monkeypatch, capsys):
    def fail(name):
        raise DatasetError(f"no {name}")

    monkeypatch.setattr("edge_mnist.dataset.load", fail)
    monkeypatch.setattr(sys, "argv", ["make_forms.py", str(tmp_path / "forms")])
    assert make_forms.main() == 1
    assert capsys.readouterr().err == "error: no mnist\n"
    assert not (tmp_path / "forms").exists()


def test_forms_are_read(made):
    readers = make_readers(Classifier.load())
    tally = sum((measure(readers[form.layout.name], form) for form in made), Tally())
    assert tally.pages_found == PAGES
    assert tally.digit_errors <= 0.04 * tally.digits
    assert tally.right >= 0.9 * tally.fields


def test_forms_without_their_fields_give_their_numbers_in_order(made):
    reader = Reader(load_models())
    tally = sum((measure_plain(reader, form) for form in made), PlainTally())
    assert tally.right >= 0.9 * tally.numbers
    assert tally.pages_in_order >= PAGES - 1


def test_numbers_are_kept_as_often_as_they_are_counted():
    assert keep(["7", "12", "7", "3", "7"], Counter({"7": 2, "3": 1})) == ["7", "7", "3"]


@pytest.mark.parametrize(
    ("truth", "read", "edits"),
    [("", "", 0), ("123", "123", 0), ("123", "13", 1), ("123", "", 3), ("12", "312", 1)],
)
def test_edits_are_counted(truth, read, edits):
    assert count_edits(truth, read) == edits


@pytest.mark.parametrize("index", [0, 2], ids=["registration", "meter"])
def test_desk_around_a_form_is_not_looked_at_closely(index, made, monkeypatch):
    """It would take as long again as the form."""
    form, sizes = made[index], []

    def segment_noted(ink):
        sizes.append(ink.contrast.shape)
        return segment(ink)

    monkeypatch.setattr("edge_mnist.vision.reader.segment", segment_noted)
    numbers = [number.text for number in Reader(load_models()).read(form.photo).numbers]
    texts = [text for text in form.texts.values() if text]
    assert sum(text in numbers for text in texts) >= len(texts) - 1
    assert form.photo.shape[:2] not in sizes
