import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="needs OpenCV: pip install 'edge-mnist[vision]'")

import itertools

import cv2
import reading_layouts
from layout_pages import KINDS, PATTERNS, SIGNS, draw_sign, make_page
from reading_layouts import Tally
from reading_score import NumberScore, SceneScore, score_scene
from scene_truth import Truth, WrittenDigit, WrittenNumber, project
from scene_writing import Stroke

from edge_mnist.vision.reading import FoundDigit, Number, Reading

ROOT = Path(__file__).parent.parent
PEN = Stroke(color=(20.0, 20.0, 20.0), width=0.1, opacity=1.0, grain=0.0)


@pytest.fixture(scope="module")
def pages(mnist):
    """One page of each kind."""
    return {kind: make_page(kind, 0, mnist.validation, seed=1) for kind in KINDS}


def boxes(scene):
    return np.array([digit.box for number in scene.truth.numbers for digit in number.digits])


def find_ink(scene):
    """Where it is darker than the lit paper around, bool [height, width]."""
    gray = scene.picture.min(axis=2).astype(np.float32)
    paper = cv2.blur(gray, (101, 101))
    return gray < paper - 25


def find_middles(scene):
    """The middle height of each line, in pixels of the frame at its left end."""
    first = {}
    for number in scene.truth.numbers:
        first.setdefault(number.line, (number.corners[0][1] + number.corners[3][1]) / 2)
    return np.array(list(first.values()))


def test_same_arguments_make_the_same_page(mnist, pages):
    again = make_page("signs", 0, mnist.validation, seed=1)
    assert np.array_equal(again.picture, pages["signs"].picture)
    assert again.truth == pages["signs"].truth


@pytest.mark.parametrize(
    ("kind", "index", "seed"), [("plain", 0, 1), ("signs", 1, 1), ("signs", 0, 2)]
)
def test_kind_index_and_seed_each_make_another_page(mnist, pages, kind, index, seed):
    other = make_page(kind, index, mnist.validation, seed)
    assert other.truth.numbers != pages["signs"].truth.numbers


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_of_the_size_that_is_told(pages, kind):
    height, width = pages[kind].picture.shape[:2]
    assert 1000 <= max(width, height) <= 2000
    x, y, w, h = boxes(pages[kind]).T
    assert (x >= 0).all()
    assert (y >= 0).all()
    assert (x + w <= width).all()
    assert (y + h <= height).all()
    assert 30 <= np.median(h) <= 70
    assert pages[kind].truth.conditions[0] == kind


@pytest.mark.parametrize("kind", KINDS)
def test_true_boxes_end_where_ink_does(pages, kind):
    ink = find_ink(pages[kind])
    for x, y, width, height in boxes(pages[kind]):
        part = ink[y : y + height, x : x + width]
        rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        # The camera's blur takes a little off strokes, and more off thin ends.
        for side, places in ((height, rows), (width, columns)):
            assert places[0] <= max(side / 4, 5)
            assert places[-1] >= side - 1 - max(side / 4, 5)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "signs"])
def test_there_is_no_other_ink(pages, kind):
    ink = find_ink(pages[kind])
    for x, y, width, height in boxes(pages[kind]):
        ink[max(y - 4, 0) : y + height + 4, max(x - 4, 0) : x + width + 4] = False
    assert not ink.any()


def test_signs_lie_outside_the_digits_and_within_the_numbers(pages):
    scene = pages["signs"]
    ink = find_ink(scene)
    for x, y, width, height in boxes(scene):
        ink[max(y - 4, 0) : y + height + 4, max(x - 4, 0) : x + width + 4] = False
    assert ink.any()
    for number in scene.truth.numbers:
        corners = np.rint(np.array(number.corners)).astype(np.int32)
        grown = cv2.polylines(np.zeros(ink.shape, np.uint8), [corners], True, 1, 8)
        cv2.fillPoly(grown, [corners], 1)
        ink &= grown == 0
    assert not ink.any()


def test_lines_and_columns_are_as_far_apart_as_is_told(pages):
    heights = {kind: np.median(boxes(scene)[:, 3]) for kind, scene in pages.items()}
    pitches = {
        kind: np.median(np.diff(find_middles(scene))) / heights[kind]
        for kind, scene in pages.items()
    }
    assert pitches["close lines"] < 1.75 < pitches["plain"]
    for kind, scene in pages.items():
        lines = [number.line for number in scene.truth.numbers]
        assert lines == sorted(lines)
        assert {lines.count(line) for line in lines} == {3 if kind == "columns" else 1}
    numbers = pages["columns"].truth.numbers
    for left, right in itertools.pairwise(numbers):
        if left.line == right.line:
            gap = (right.corners[0][0] - left.corners[1][0]) / heights["columns"]
            assert gap >= 0.9


def test_gaps_are_wide_where_they_are_to_be(pages):
    def gaps(kind):
        height = np.median(boxes(pages[kind])[:, 3])
        return [
            (after.box[0] - before.box[0] - before.box[2]) / height
            for number in pages[kind].truth.numbers
            for before, after in zip(number.digits, number.digits[1:], strict=False)
        ]

    assert 0.4 < min(gaps("wide gaps")) < max(gaps("wide gaps")) < 1.4
    assert max(gaps("plain")) < 0.4


def test_each_sign_is_written_and_each_number_has_one_or_two():
    written = ["".join(pattern.split("0")) for pattern in PATTERNS]
    assert set("".join(written)) == set(SIGNS)
    assert {len(signs) for signs in written} == {1, 2}


@pytest.mark.parametrize("sign", SIGNS)
def test_sign_has_the_strokes_of_the_pen_and_stands_with_the_digits(sign):
    coverage, top = draw_sign(sign, 100, PEN, np.random.default_rng(0))
    depth = cv2.distanceTransform(np.pad(coverage > 0.5, 1).astype(np.uint8), cv2.DIST_L2, 5)
    assert 4 <= depth.max() <= 9
    assert top >= -120
    assert top + coverage.shape[0] <= 30
    assert coverage[0].any()
    assert coverage[:, 0].any()
    assert coverage[-1].any()
    assert coverage.max() == 1


def test_point_stands_on_the_line():
    coverage, top = draw_sign(".", 100, PEN, np.random.default_rng(0))
    assert -20 <= top <= 0
    assert max(coverage.shape) <= 20


def square(x, width=20):
    return np.array([(x, 0), (x + width, 0), (x + width, 30), (x, 30)], np.float64)


# (1/2
NUMBER = WrittenNumber(
    (WrittenDigit(1, square(30)), WrittenDigit(2, square(90))), 0, (square(0), square(60))
)
TRUTH = Truth(0, 1, (640, 480), project((NUMBER,), np.eye(3)), "white", "black pen", (), ())


def find(digit, x, confidence=0.99):
    return FoundDigit(digit, confidence, (x, 0, 20, 30), np.eye(10)[digit])


def score(*numbers):
    return score_scene(TRUTH, Reading((tuple(Number(tuple(digits)) for digits in numbers),)))


@pytest.mark.parametrize("numbers", [([find(1, 30), find(2, 90)],), ([find(1, 30)], [find(2, 90)])])
def test_digits_beside_signs_may_be_read_joined_or_apart(numbers):
    page = score(*numbers)
    assert reading_layouts.is_right("signs", page.numbers[0])
    assert reading_layouts.is_right("wide gaps", page.numbers[0]) == (len(numbers) == 1)
    assert page.false_digits == ()


@pytest.mark.parametrize("x", [0, 60])
def test_digit_for_a_sign_is_false_and_spoils_its_number(x):
    digits = sorted([find(1, 30), find(2, 90), find(1, x)], key=lambda digit: digit.box[0])
    page = score(digits)
    assert not reading_layouts.is_right("signs", page.numbers[0])
    assert len(page.false_digits) == 1


@pytest.mark.parametrize(
    "digits", [[find(2, 90)], [find(1, 30), find(3, 90)], [find(2, 90), find(1, 30)]]
)
def test_digit_that_is_missed_misread_or_out_of_order_spoils_its_number(digits):
    assert not reading_layouts.is_right("signs", score(digits).numbers[0])


def test_what_came_out_is_counted():
    told = [("12", 0.9), ("12", 0.99), ("13", 0.5), ("13", 0.97), ("", None)]
    numbers = tuple(NumberScore("12", read, True, (), sure) for read, sure in told)
    false = (find(1, 0),)
    pages = [SceneScore(0, 1, numbers, false), SceneScore(1, 1, numbers[:1], ())]
    assert reading_layouts.count("plain", pages) == Tally(
        pages=2, numbers=6, right=3, false_digits=1, wrong_told=2, wrong_doubted=1, right_doubted=2
    )


def test_page_tells_what_is_measured_and_how():
    text = reading_layouts.render({kind: Tally(4, 30, 27, 2, 2, 1, 9) for kind in KINDS})
    for kind in KINDS:
        row = f"| {kind} | 4 | 30 | 90.0 % | 10.0 | 50.0 % (1 of 2) | 33.3 % (9 of 27) |"
        assert row in text
        assert f"\n- {kind}: " in text
    assert f"two of {' '.join('/:.,-()%#x+=€')} beside" in text
    assert set("/:.,-()%#x+=€") == set(SIGNS)


def test_nothing_wrong_is_told_without_a_share():
    assert "| none | 0.0 % (0 of 5) |" in reading_layouts.render(
        {"plain": Tally(1, 5, 5, 0, 0, 0, 0)}
    )


def test_command_shows_pages_and_publishes_nothing(mnist, tmp_path):
    result = ROOT / "benchmarks" / "results" / "reading_layouts.md"
    before = result.read_bytes() if result.exists() else None
    arguments = ["--pages", "1", "--split", "validation", "--jobs", "1", "--json"]
    outcome = subprocess.run(
        [sys.executable, "benchmarks/reading_layouts.py", *arguments, "--show", tmp_path],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ,
    )
    assert {kind: counts["pages"] for kind, counts in json.loads(outcome.stdout).items()} == (
        dict.fromkeys(KINDS, 1)
    )
    assert "5 of 5 pages" in outcome.stderr
    assert {path.name for path in tmp_path.iterdir()} == {
        "plain-000.png", "close-lines-000.png", "columns-000.png", "wide-gaps-000.png",
        "signs-000.png",
    }  # fmt: skip
    assert (result.read_bytes() if result.exists() else None) == before
