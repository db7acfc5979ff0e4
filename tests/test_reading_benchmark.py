import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="needs OpenCV: pip install 'edge-mnist[vision]'")

import cv2

from edge_mnist.vision.reading import FoundDigit, Number, Reading
from edge_mnist.vision.tracking import StableNumber

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import reading as reading_benchmark
import reading_report
from reading_pictures import TILE, draw_gallery, draw_scene
from reading_score import ClipScore, NumberScore, SceneScore, score_clip, score_scene
from scene_truth import Scene, TrueDigit, TrueNumber, Truth

ROOT = Path(__file__).parent.parent

ALL_RIGHT = ("right",) * 4


def write(text, left, top, line, size=(20, 30), pitch=26):
    """A number as it stands in a frame."""
    digits = tuple(
        TrueDigit(int(digit), (left + place * pitch, top, *size))
        for place, digit in enumerate(text)
    )
    right, bottom = left + pitch * (len(text) - 1) + size[0], top + size[1]
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return TrueNumber(digits, line, corners)


NUMBERS = (write("1234", 40, 40, 0), write("56", 300, 40, 0), write("0789", 40, 100, 1))
TRUTH = Truth(3, 1, (640, 480), NUMBERS, "white", "black pen", (), ())


def find(digit, box):
    return FoundDigit(digit, 0.9, box, np.eye(10)[digit])


def read(*texts):
    """A reading of NUMBERS: each is a list of digits found."""
    rows = {}
    for number, digits in zip(NUMBERS, texts, strict=True):
        if digits:
            rows.setdefault(number.line, []).append(Number(tuple(digits)))
    return Reading(tuple(tuple(row) for row in rows.values()))


def copy(number):
    """What a perfect reader finds of a number."""
    return [find(digit.digit, digit.box) for digit in number.digits]


def score(first, *extra):
    """The score of a reading that is perfect but for the first number, and some rows more."""
    reading = read(first, copy(NUMBERS[1]), copy(NUMBERS[2]))
    more = tuple((Number((digit,)),) for digit in extra)
    return score_scene(TRUTH, Reading(reading.rows + more))


def test_perfect_reader_gets_everything_right():
    result = score(copy(NUMBERS[0]))
    assert result.is_perfect
    assert [number.outcomes for number in result.numbers] == [ALL_RIGHT, ("right",) * 2, ALL_RIGHT]
    assert all(number.is_right and number.is_one for number in result.numbers)
    assert reading_report.share_right([result]) == 1
    assert reading_report.share_numbers([result], as_one=True) == 1


def test_boxes_need_not_fit_to_the_pixel():
    shifted = [find(found.digit, (x - 3, y + 4, w + 2, h)) for found in copy(NUMBERS[0])
               for x, y, w, h in [found.box]]  # fmt: skip
    assert score(shifted).is_perfect


def test_reader_that_finds_nothing_misses_everything():
    result = score_scene(TRUTH, Reading())
    assert result.outcomes == ["missed"] * 10
    assert not any(number.is_right for number in result.numbers)
    assert result.false_digits == ()


def test_missed_digit_costs_itself_and_its_number():
    found = copy(NUMBERS[0])
    result = score([found[0], *found[2:]])
    outcomes = ("right", "missed", "right", "right")
    assert result.numbers[0] == NumberScore("1234", "134", True, outcomes, found[0].confidence)
    assert not result.numbers[0].is_right
    assert reading_report.share_right([result]) == 0.9
    assert reading_report.share_numbers([result]) == pytest.approx(2 / 3)


def test_misread_digit():
    found = copy(NUMBERS[0])
    result = score([*found[:3], find(9, found[3].box)])
    outcomes = ("right", "right", "right", "misread")
    assert result.numbers[0] == NumberScore("1234", "1239", True, outcomes, found[0].confidence)


def test_one_box_on_two_digits_is_merged_whatever_it_was_read_as():
    found = copy(NUMBERS[0])
    (x, y, _, height), (end, _, width, _) = found[1].box, found[2].box
    result = score([found[0], find(2, (x, y, end + width - x, height)), found[3]])
    assert result.numbers[0].outcomes == ("right", "merged", "merged", "right")
    assert result.numbers[0].read == "124"
    assert result.false_digits == ()


def test_two_boxes_on_one_digit_are_split_even_if_one_was_read_right():
    found = copy(NUMBERS[0])
    x, y, width, height = found[2].box
    halves = [find(3, (x, y, width, 16)), find(0, (x, y + 17, width, height - 17))]
    result = score([*found[:2], *halves, found[3]])
    assert result.numbers[0].outcomes == ("right", "right", "split", "right")
    assert result.numbers[0].read == "12304"
    assert result.false_digits == ()


def test_digit_where_none_is_counts_as_false_and_spares_the_numbers():
    extra = find(8, (500, 300, 20, 30))
    result = score(copy(NUMBERS[0]), extra)
    assert result.false_digits == (extra,)
    assert all(number.is_right for number in result.numbers)
    assert not result.is_perfect


def test_false_digit_between_those_of_a_number_spoils_it():
    found = copy(NUMBERS[0])
    # On the narrow gap between two digits.
    extra = find(1, (found[1].box[0] - 5, found[1].box[1], 4, 30))
    result = score([found[0], extra, *found[1:]])
    assert result.false_digits == (extra,)
    assert result.numbers[0].read == "11234"
    assert result.numbers[0].outcomes == ALL_RIGHT


def test_digits_in_the_wrong_order_are_no_number():
    found = copy(NUMBERS[0])
    result = score([found[1], found[0], *found[2:]])
    assert result.numbers[0].outcomes == ALL_RIGHT
    assert not result.numbers[0].is_right


def test_number_in_two_parts_is_right_but_not_kept_together():
    found = copy(NUMBERS[0])
    halves = (Number(tuple(found[:2])), Number(tuple(found[2:])))
    rest = read([], copy(NUMBERS[1]), copy(NUMBERS[2]))
    result = score_scene(TRUTH, Reading(((*halves, *rest.rows[0]), rest.rows[1])))
    assert result.numbers[0].is_right
    assert not result.numbers[0].is_one
    assert not result.is_perfect


def test_two_numbers_in_one_are_right_but_not_kept_apart():
    joined = Number((*copy(NUMBERS[0]), *copy(NUMBERS[1])))
    result = score_scene(TRUTH, Reading(((joined,), (Number(tuple(copy(NUMBERS[2]))),))))
    assert [number.is_right for number in result.numbers] == [True, True, True]
    assert [number.is_one for number in result.numbers] == [False, False, True]


class FakeReader:
    def read(self, frame):
        return Reading()


class FakeTracker:
    """Tells in each frame what it was made with."""

    def __init__(self, *events):
        self.events = iter(events)

    def update(self, reading):
        return next(self.events)


def hold(number, text=None):
    (left, top), _, (right, bottom), _ = number.corners
    return StableNumber(text or number.text, 0.9, (left, top, right - left, bottom - top), 0)


def score_events(*events):
    clip = [Scene(np.zeros((480, 640, 3), np.uint8), TRUTH)] * len(events)
    return score_clip(FakeReader(), FakeTracker(*events), clip)


def test_clip_tells_after_how_many_frames_each_number_is_stable():
    clip = score_events([], [hold(NUMBERS[0]), hold(NUMBERS[2])], [], [hold(NUMBERS[1])])
    assert clip == ClipScore(3, (2, 4, 2), ())
    assert reading_report.is_stable_soon(clip)


def test_number_that_never_is_stable_is_told():
    clip = score_events([], [hold(NUMBERS[0])])
    assert clip.frames_to_stable == (2, None, None)
    assert not reading_report.is_stable_soon(clip)


def test_eleventh_frame_is_too_late():
    frames = [[]] * 10 + [[hold(number) for number in NUMBERS]]
    assert not reading_report.is_stable_soon(score_events(*frames))
    assert reading_report.is_stable_soon(score_events(*frames[1:]))


def test_wrong_stable_numbers_are_those_with_another_text_or_in_another_place():
    nowhere = StableNumber("1", 0.9, (500, 300, 20, 30), 1)
    clip = score_events([hold(NUMBERS[0], "1239"), nowhere], [hold(NUMBERS[0])])
    assert clip.wrong == ("1239", "1")
    assert clip.frames_to_stable[0] == 2


def make_score(difficulty, right, missed=0, false=0):
    numbers = [NumberScore("7", "7", True, ("right",))] * right
    numbers += [NumberScore("7", "", False, ("missed",))] * missed
    return SceneScore(0, difficulty, tuple(numbers), (find(0, (0, 0, 1, 1)),) * false)


def test_aims_are_reached_or_missed():
    scores = [make_score(0, 100), make_score(1, 98, missed=2), make_score(4, 90, missed=10)]
    clips = [ClipScore(0, (3,), ())] * 18 + [ClipScore(1, (3,), ("8",)), ClipScore(2, (11,), ())]
    assert reading_report.render_aims(scores, clips).splitlines()[2:] == [
        "| digits right, the worse of the two easy degrees | ≥ 99 % | 98.00 % | **missed** |",
        "| digits right, over all | ≥ 95 % | 96.00 % | reached |",
        "| whole numbers right, over all | ≥ 90 % | 96.00 % | reached |",
        "| false digits in 20 scenes | ≤ 1 | 0.00 | reached |",
        "| clips with every number stable within 10 frames | ≥ 95 % | 95.00 % | reached |",
        "| clips without a wrong stable number | ≥ 95 % | 95.00 % | reached |",
    ]


def test_doubt_about_right_and_wrong_numbers_is_counted():
    told = [("7", 0.93), ("7", 0.995), ("1", 0.5), ("1", 0.97), ("", None)]
    numbers = tuple(NumberScore("7", read, True, ("right",), sure) for read, sure in told)
    rows = reading_report.render_doubts([SceneScore(0, 0, numbers, ())]).splitlines()[2:]
    assert rows == [
        "| 90 % | 50.0 % (1 of 2) | 0.0 % (0 of 2) | 66.67 % (2 of 3) |",
        "| 95 % | 50.0 % (1 of 2) | 50.0 % (1 of 2) | 50.00 % (1 of 2) |",
        "| 99 % | 100.0 % (2 of 2) | 50.0 % (1 of 2) | 100.00 % (1 of 1) |",
    ]


def test_number_is_told_with_the_confidence_of_what_is_least_sure_in_its_place():
    found = copy(NUMBERS[0])
    halves = (Number(tuple(found[:2])), Number(tuple(found[2:]), likelihood=0.4))
    assert score_scene(TRUTH, Reading((halves,))).numbers[0].confidence == 0.4
    assert score_scene(TRUTH, Reading()).numbers[0].confidence is None


def test_more_than_one_false_digit_in_20_scenes_is_too_many():
    scores = [make_score(2, 1)] * 19
    assert "| 1.00 | reached |" in reading_report.render_aims(
        [*scores, make_score(2, 1, false=1)], []
    )
    assert "| 2.00 | **missed** |" in reading_report.render_aims(
        [*scores, make_score(2, 1, false=2)], []
    )


def test_tables_tell_difficulties_and_kinds_of_failure():
    scores = [make_score(0, 3), make_score(0, 1, missed=1), make_score(4, 1, missed=3, false=2)]
    rows = reading_report.render_by_difficulty(scores).splitlines()[2:]
    assert rows == [
        "| 0 | 2 | 5 | 80.00 % | 80.0 % | 80.0 % | 1 | 0.00 |",
        "| 4 | 1 | 4 | 25.00 % | 25.0 % | 25.0 % | 0 | 40.00 |",
        "| all | 3 | 9 | 55.56 % | 55.6 % | 55.6 % | 1 | 13.33 |",
    ]
    assert reading_report.render_failures(scores).splitlines()[2:] == [
        "| 0 | 1 | 0 | 0 | 0 | 0 |",
        "| 4 | 3 | 0 | 0 | 0 | 2 |",
    ]


@pytest.fixture
def failure():
    scene = Scene(np.full((480, 640, 3), 200, np.uint8), TRUTH)
    reading = read(copy(NUMBERS[0])[:2], copy(NUMBERS[1]), copy(NUMBERS[2]))
    return scene, score_scene(TRUTH, reading), reading


def test_shown_scene_has_true_boxes_in_green_and_read_ones_in_red(failure):
    scene, _, reading = failure
    picture = draw_scene(scene, reading)
    x, y, _, height = NUMBERS[0].digits[3].box
    assert picture[y + height // 2, x - 1].tolist() == [60, 190, 60]
    x, y, _, height = NUMBERS[0].digits[0].box
    assert picture[y + height // 2, x].tolist() == [50, 50, 230]
    assert picture.shape[0] > scene.picture.shape[0]
    assert (scene.picture == 200).all()


def test_gallery_shows_a_number_that_other_ink_gave_by_chance():
    one, two, three, four = (digit.box for digit in NUMBERS[0].digits)
    x, y, width, height = three
    both = (one[0], one[1], two[0] + two[2] - one[0], one[3])
    halves = [find(2, (x, y, width, 16)), find(3, (x, y + 17, width, height - 17))]
    found = [find(1, both), *halves, find(4, four)]
    reading = read(found, copy(NUMBERS[1]), copy(NUMBERS[2]))
    result = score_scene(TRUTH, reading)
    assert result.numbers[0].is_right
    assert result.false_digits == ()
    assert not result.is_perfect
    scene = Scene(np.full((480, 640, 3), 200, np.uint8), TRUTH)
    assert draw_gallery([(scene, result, reading)])


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (3, 1), (4, 2)])
def test_gallery_has_a_tile_for_each_failure(failure, count, rows):
    content = np.frombuffer(draw_gallery([failure] * count), np.uint8)
    height, width = cv2.imdecode(content, cv2.IMREAD_COLOR).shape[:2]
    assert (width // TILE[0], height // TILE[1]) == (3, rows)


def test_gallery_shows_some_failures_of_each_difficulty():
    scores = [make_score(0, 1), *[make_score(1, 1, missed=1)] * 10, *[make_score(4, 0, 1)] * 30]
    chosen = [score.difficulty for score in reading_benchmark.choose_failures(scores)]
    assert chosen == [1] * 3 + [4] * 9
    assert len(reading_benchmark.choose_failures(scores[:3])) == 2
    assert reading_benchmark.choose_failures(scores[:1]) == []


def test_command_shows_failures_and_publishes_nothing(mnist, tmp_path):
    results = [
        ROOT / "benchmarks" / "results" / "reading.md",
        ROOT / "docs" / "reading-failures.jpg",
    ]
    before = [path.read_bytes() if path.exists() else None for path in results]
    arguments = ["--count", "5", "--only", "4", "--clips", "0", "--seed", "1", "--split", "train"]
    outcome = subprocess.run(
        [sys.executable, "benchmarks/reading.py", *arguments, "--jobs", "1", "--show", tmp_path],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ,
    )
    assert "| digits right, over all | ≥ 95 % |" in outcome.stdout
    assert "\n| 4 | 1 | " in outcome.stdout
    assert "1 of 1 scenes" in outcome.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {"scene-0004-4.png"}
    assert [path.read_bytes() if path.exists() else None for path in results] == before
