import csv
import inspect
import json
import re

import numpy as np
import pytest

from edge_mnist.cli.predict import predict
from edge_mnist.engines import installed_engines

NUMBERS = ["05221859", "314"]


@pytest.fixture
def seven(mnist):
    """A seven of MNIST, 112 pixels high: uint8, white ink on black."""
    assert mnist.test.labels[0] == 7
    return np.kron(mnist.test.images[0], np.ones((4, 4), np.uint8))


@pytest.fixture
def page(draw_page):
    """A page with two lines of numbers: uint8 [480, 640]."""
    return draw_page(NUMBERS)


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


def test_numbers_that_leave_no_doubt_are_doubted_as_wholes(
    page, edge_mnist, write_picture, monkeypatch
):
    path = write_picture("page.png", page)
    (sure, other) = edge_mnist("predict", "--json", path).json["numbers"]
    assert min(sure["confidence"], other["confidence"]) > 0.4
    monkeypatch.setattr("edge_mnist.vision.ink_reader.rate_text", lambda *_: np.log(0.25))
    doubted = edge_mnist("predict", "--json", path).json
    assert doubted["lines"] == NUMBERS
    assert [number["confidence"] for number in doubted["numbers"]] == [0.25, 0.25]
    assert min(digit["confidence"] for digit in doubted["digits"]) > 0.4


def test_json_is_an_object_a_line_in_order(seven, edge_mnist, write_picture):
    paths = [write_picture(f"{name}.png", 255 - seven) for name in "ab"]
    outcome = edge_mnist("predict", "--json", *paths)
    assert outcome.code == 0
    readings = [json.loads(line) for line in outcome.out.splitlines()]
    assert [reading["source"] for reading in readings] == [str(path) for path in paths]
    for reading in readings:
        assert list(reading) == ["source", "lines", "digits", "numbers"]
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
    assert reading == {"source": str(path), "lines": [], "digits": [], "numbers": []}


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
    assert json.loads(outcome.out) == {
        "source": str(path),
        "lines": [],
        "digits": [],
        "numbers": [],
    }


def test_every_number_of_a_page_is_read(page, edge_mnist, write_picture):
    path = write_picture("page.png", page)
    outcome = edge_mnist("predict", path)
    assert (outcome.code, outcome.err) == (0, "")
    first, *lines = outcome.out.splitlines()
    assert first == f"{path}:"
    for line, number in zip(lines, NUMBERS, strict=True):
        assert re.fullmatch(rf"  {number} \(\d+\.\d %\)", line)
    reading = edge_mnist("predict", "--json", path).json
    assert reading["lines"] == NUMBERS
    assert "".join(str(found["digit"]) for found in reading["digits"]) == "".join(NUMBERS)
    assert [number["text"] for number in reading["numbers"]] == NUMBERS
    assert all(0.5 < number["confidence"] <= 1 for number in reading["numbers"])
    assert reading["numbers"][0]["box"][0] == reading["digits"][0]["box"][0]
    x, y, _, height = reading["digits"][0]["box"]
    assert 60 <= x < 120 <= y < y + height <= 180


def test_folders_and_patterns_are_read_in_natural_order(page, edge_mnist, write_picture, tmp_path):
    for name in ("page-10.png", "page-2.jpg"):
        write_picture(f"scans/{name}", page)
    (tmp_path / "scans" / "notes.txt").write_text("no picture")
    (tmp_path / "scans" / "clip.mp4").write_bytes(b"no picture either")
    for name in ("scans", "scans/page-*"):
        outcome = edge_mnist("predict", name)
        assert (outcome.code, outcome.err) == (0, "")
        files = [line for line in outcome.out.splitlines() if not line.startswith(" ")]
        assert files == ["scans/page-2.jpg:", "scans/page-10.png:"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none-*.png", "no file matches none-*.png"),
        ("empty", "nothing to read in empty: expected images (PNG, "),
    ],
)
def test_what_holds_no_picture_is_told_and_the_rest_is_read(
    name, told, seven, edge_mnist, write_picture, tmp_path
):
    (tmp_path / "empty").mkdir()
    path = write_picture("seven.png", 255 - seven)
    outcome = edge_mnist("predict", name, path)
    assert outcome.error.startswith(told)
    assert outcome.out.startswith(f"{path}: 7 (")


def test_digits_of_low_confidence_are_left_out(page, edge_mnist, write_picture):
    path = write_picture("page.png", page)
    found = [x["confidence"] for x in edge_mnist("predict", "--json", path).json["digits"]]
    threshold = min(found) + 1e-4  # JSON has four decimals
    sure = edge_mnist("predict", "--json", "--min-confidence", threshold, path).json["digits"]
    assert len(sure) < len(found)
    assert all(x["confidence"] > min(found) for x in sure)
    error = edge_mnist("predict", "--min-confidence", 2, path).error
    assert error == "minimum confidence: expected 0 to 1, got 2.0"


def test_help_tells_the_librarys_thresholds(edge_mnist):
    from edge_mnist.vision.field_reader import DEFAULT_DOUBT_BELOW
    from edge_mnist.vision.ink_reader import DEFAULT_MIN_CONFIDENCE

    assert inspect.signature(predict).parameters["min_confidence"].default is None
    told = f"[default: ({DEFAULT_MIN_CONFIDENCE}; {DEFAULT_DOUBT_BELOW} with --fields)]"
    for command in ("predict", "webcam"):
        assert told in edge_mnist(command, "--help").out


def test_fields_are_read_a_line_each(page, form, edge_mnist, write_picture):
    path = write_picture("page.png", page)
    # So that confidence raises no doubts.
    outcome = edge_mnist("predict", "--fields", form, "--min-confidence", 0, path)
    assert (outcome.code, outcome.err) == (0, "")
    assert re.sub(r"\d+\.\d %", "C", outcome.out).splitlines() == [
        f"{path}:",
        f"  date: {NUMBERS[0]} (C)",
        f"  sum: {NUMBERS[1]} (C); doubtful: range: expected 0 to 99",
        "  left: empty",
    ]


def test_json_of_a_form_has_second_choices_and_doubts(page, form, edge_mnist, write_picture):
    path = write_picture("page.png", page)
    reading = edge_mnist("predict", "--fields", form, "--json", path).json
    assert list(reading) == ["source", "corners", "fields"]
    assert reading["corners"] == [[0, 0], [639, 0], [639, 479], [0, 479]]
    date, total, left = reading["fields"]
    assert list(date) == ["name", "text", "confidence", "digits", "doubts"]
    assert [field["text"] for field in (date, total)] == NUMBERS
    assert total["doubts"][0] == "range: expected 0 to 99"
    assert left == {"name": "left", "text": "", "confidence": None, "digits": [], "doubts": []}
    for digit, written in zip(date["digits"], NUMBERS[0], strict=True):
        assert digit["digit"] == int(written) != digit["second"]
        assert digit["second_confidence"] <= 1 - digit["confidence"] + 1e-3


def test_table_has_a_row_for_each_page_that_could_be_read(
    page, form, edge_mnist, write_picture, tmp_path
):
    paths = [write_picture(f"scans/{name}.png", page) for name in "ab"]
    options = ("--fields", form, "--csv", "out/table.csv", "--min-confidence", 0)
    outcome = edge_mnist("predict", "scans", "missing.png", *options)
    assert outcome.error == "cannot read missing.png: got No such file or directory"
    with (tmp_path / "out" / "table.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["file", "date", "sum", "left", "doubtful"],
        *[[f"scans/{x.name}", *NUMBERS, "", "sum (range: expected 0 to 99)"] for x in paths],
    ]


def test_form_without_a_page_in_sight_is_told(form, edge_mnist, write_picture):
    form.write_text(form.read_text().replace("whole", "outline"))
    path = write_picture("desk.png", np.full((480, 640), 128, np.uint8))
    outcome = edge_mnist("predict", "--fields", form, path)
    assert (outcome.code, outcome.out) == (0, f"{path}: page not found\n")
    assert edge_mnist("predict", "--fields", form, "--json", path).json["corners"] is None


@pytest.mark.parametrize("is_form", [False, True])
def test_one_picture_is_drawn_into_a_file(is_form, page, form, edge_mnist, write_picture, tmp_path):
    import cv2

    path = write_picture("page.png", page)
    options = ("--fields", form) if is_form else ()
    assert edge_mnist("predict", path, "--annotate", "new/read.png", *options).code == 0
    drawn = cv2.imread(str(tmp_path / "new" / "read.png"))
    assert drawn.shape == (480, 640, 3)
    is_colored = np.ptp(drawn.astype(int), axis=2) > 100
    assert is_colored[100:200].sum() > 500, "nothing was drawn at the first number"
    assert not is_colored[205:225].any()
    assert [x.name for x in (tmp_path / "new").iterdir()] == ["read.png"]


def test_several_pictures_are_drawn_into_a_folder(page, edge_mnist, write_picture, tmp_path):
    for name in ("a.jpg", "b.png"):
        write_picture(f"scans/{name}", page)
    assert edge_mnist("predict", "scans", "--annotate", "read").code == 0
    assert sorted(x.name for x in (tmp_path / "read").iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            "a.png b.png --annotate out.png",
            "--annotate out.png: expected a folder for 2 pictures, got the name of one file",
        ),
        (
            "a.png --annotate out.jpg",
            "--annotate out.jpg: expected a name that ends in .png, or a folder, got .jpg",
        ),
        (
            "a.png --annotate a.png",
            "--annotate: expected another file than those that are read, got a.png",
        ),
        (
            "a.png b.png --annotate .",
            "--annotate: expected another file than those that are read, got a.png",
        ),
        (
            "a.png other/a.png --annotate read",
            "--annotate read: expected pictures of different names, got a.png and other/a.png",
        ),
        ("a.png --csv out.csv", "--csv: expected --fields beside it, got none"),
        ("a.png --fields none.toml", "cannot read none.toml: got No such file or directory"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_read(
    arguments, told, seven, edge_mnist, write_picture
):
    pictures = {write_picture(x, 255 - seven) for x in ("a.png", "b.png", "other/a.png")}
    contents = {path: path.read_bytes() for path in pictures}
    outcome = edge_mnist("predict", *arguments.split())
    assert outcome.error.startswith(told)
    assert (outcome.out, len(outcome.err.splitlines())) == ("", 1)
    assert {path: path.read_bytes() for path in pictures} == contents


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--csv", "page.png"),
        ("--csv", "FIELDS.toml"),
        ("--csv", "blank.png"),
        ("--annotate", "blank.png"),
    ],
)
def test_what_a_form_is_read_by_is_not_written_over(
    option, name, page, form, edge_mnist, write_picture
):
    pictures = [write_picture(x, page) for x in ("page.png", "blank.png")]
    form.write_text(form.read_text().replace('"whole"', '"reference"\nreference = "blank.png"'))
    files = {path: path.read_bytes() for path in (*pictures, form)}
    outcome = edge_mnist("predict", "page.png", "--fields", form, option, form.parent / name)
    told = f"{option}: expected another file than those that are read, got {form.parent / name}"
    assert (outcome.error, outcome.out) == (told, "")
    assert {path: path.read_bytes() for path in files} == files


def test_pages_read_before_an_interruption_are_in_the_table(
    page, form, edge_mnist, write_picture, tmp_path, monkeypatch
):
    from edge_mnist.vision.field_reader import FieldReader

    for name in ("1.png", "2.png", "3.png"):
        write_picture(f"scans/{name}", page)
    read, pages = FieldReader.read, iter(range(3))

    def interrupted(self, picture):
        if next(pages) == 2:
            raise KeyboardInterrupt
        return read(self, picture)

    monkeypatch.setattr(FieldReader, "read", interrupted)
    outcome = edge_mnist("predict", "scans", "--fields", form, "--csv", "out.csv")
    assert (outcome.code, outcome.err.splitlines()[-1]) == (130, "interrupted")
    rows = list(csv.reader((tmp_path / "out.csv").read_text().splitlines()))
    assert [row[0] for row in rows] == ["file", "scans/1.png", "scans/2.png"]


@pytest.mark.parametrize("option", ["--annotate", "--csv"])
def test_file_that_cannot_be_written_is_told(
    option, page, form, edge_mnist, write_picture, tmp_path
):
    (tmp_path / "occupied").write_text("a file")
    path = write_picture("page.png", page)
    outcome = edge_mnist("predict", path, "--fields", form, option, "occupied/out.png")
    assert outcome.error.startswith("cannot write occupied/out.png: got ")
    assert outcome.out.startswith(f"{path}:\n  date: {NUMBERS[0]}")
