import json
import os
import signal
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
Image = pytest.importorskip("PIL.Image")

from edge_mnist.cascade import DEFAULT_MODELS  # noqa: E402
from edge_mnist.errors import InvalidInputError, SourceError  # noqa: E402 - needs cv2
from edge_mnist.model_store import shipped_models  # noqa: E402
from edge_mnist.vision import live_fields, live_numbers, outputs, screen  # noqa: E402
from edge_mnist.vision.drawing import STABLE_COLOR, UNSTABLE_COLOR  # noqa: E402
from edge_mnist.vision.field_reading import FieldReading, FormReading  # noqa: E402
from edge_mnist.vision.fields import Field, FormFields  # noqa: E402
from edge_mnist.vision.form_drawing import SURE_COLOR  # noqa: E402
from edge_mnist.vision.frames import Frame  # noqa: E402
from edge_mnist.vision.reading import FoundDigit, Number, Reading  # noqa: E402
from edge_mnist.vision.tracking import StableNumber  # noqa: E402
from edge_mnist.vision.view import ViewAddress  # noqa: E402
from edge_mnist.vision.webcam import STILL_S, WebcamConfig, run  # noqa: E402

BOX = (100, 100, 30, 40)
STABLE_AT = 3


class FakeReader:
    """Reads the level of a frame as its digit."""

    def __init__(self, classifier, min_confidence):
        self.classifier, self.min_confidence = classifier, min_confidence

    def read(self, picture, *, careful=False):
        found = FoundDigit(int(picture[0, 0, 0]) % 10, 0.98765, BOX, np.full(10, 0.1))
        return Reading(((Number((found,)),),), {"segment": 1.23456, "classify": 0.5})

    def show_stages(self, picture):
        return [("gray", np.full((48, 64), 99, np.uint8)), ("ink", np.full((48, 64), 9, np.uint8))]


class FakeTracker:
    """Takes what it saw for the third time as stable."""

    def __init__(self):
        self.frames, self.stable = 0, []

    def update(self, reading):
        self.frames += 1
        if self.frames < STABLE_AT:
            return []
        self.stable = [StableNumber(x.text, 0.87654321, x.box, 0) for x in reading.numbers]
        return self.stable if self.frames == STABLE_AT else []


@dataclass
class FakeSource:
    """Frames whose level is their number.

    Attributes:
        frames: How many there are; the source breaks down behind them if `failure` is given.
        before: Called before each frame, with its number.
    """

    frames: int = 10
    fps: float | None = 1000.0
    is_live: bool = False
    name: str = "clip.mp4"
    files: tuple = ("clip.mp4",)
    failure: Exception | None = None
    failures: list = field(default_factory=list)
    before: object = lambda index: None
    was_closed: bool = False

    def __iter__(self):
        for index in range(self.frames):
            self.before(index)
            assert not self.was_closed
            yield Frame(np.full((240, 320, 3), index, np.uint8), index, index / 10, self.name)
        if self.failure:
            raise self.failure

    def close(self):
        self.was_closed = True


class FakeWindow:
    """A window whose keys are pressed in order, one each time that it waits.

    Attributes:
        keys: Characters; "x" is the window's button.
    """

    keys = ()

    def __init__(self):
        self.shown, self.is_open, self.left = [], True, list(FakeWindow.keys)
        FakeWindow.newest = self

    def show(self, picture):
        self.shown.append(picture)

    def wait_key(self, wait_s):
        key = self.left.pop(0) if self.left else ""
        if key == "x":
            self.is_open = False
        return key

    def close(self):
        self.is_open = False


FORM = FormFields((Field("level", (0.1, 0.4, 0.8, 0.2), (1, 3)),), "whole")


class FakeFieldReader:
    """Reads a text of the level of a frame, which is doubtful where it is odd."""

    def __init__(self, classifier, form, doubt_below):
        self.form, self.doubt_below = form, doubt_below

    def read(self, picture):
        level = int(picture[0, 0, 0])
        doubts = ("odd",) if level % 2 else ()
        corners = ((0.0, 0.0), (319.0, 0.0), (319.0, 239.0), (0.0, 239.0))
        return FormReading(corners, (FieldReading("level", f"{level}", 0.98765, (), doubts),))


@pytest.fixture(autouse=True)
def fake_reading(monkeypatch):
    monkeypatch.setattr(live_fields, "FieldReader", FakeFieldReader)
    monkeypatch.setattr(live_numbers, "Reader", FakeReader)
    monkeypatch.setattr(live_numbers, "Tracker", FakeTracker)


@pytest.fixture
def press(monkeypatch):
    """Return a function that gives the run a window in which keys are pressed."""
    monkeypatch.setattr(screen, "find_window_obstacle", lambda: None)
    monkeypatch.setattr(screen, "Window", FakeWindow)
    return lambda *keys: monkeypatch.setattr(FakeWindow, "keys", keys)


@dataclass
class Run:
    """A run and what it said."""

    outcome: object = None
    said: list = field(default_factory=list)
    emitted: list = field(default_factory=list)
    loaded: list = field(default_factory=list)


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Return a function that runs on a source, without a window unless told otherwise."""
    monkeypatch.chdir(tmp_path)

    def start(source=None, result=None, **config):
        result = result or Run()
        result.outcome = run(
            WebcamConfig(**{"has_window": False, **config}),
            lambda: source or FakeSource(),
            load=result.loaded.append,
            say=result.said.append,
            emit=result.emitted.append,
        )
        return result

    return start


def read_log(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_stable_numbers_are_told_once(read):
    result = read()
    assert result.emitted == ["2"]
    assert result.outcome.frames == 10
    assert result.outcome.was_complete


def test_log_has_a_line_a_frame(read, tmp_path):
    read(jsonl=str(tmp_path / "new" / "log.jsonl"))
    lines = read_log(tmp_path / "new" / "log.jsonl")
    assert [line["frame"] for line in lines] == list(range(10))
    third = lines[2]
    assert third["ms"].pop("capture") >= 0
    assert third == {
        "frame": 2,
        "time_s": 0.2,
        "lines": ["2"],
        "digits": [{"digit": 2, "confidence": 0.9877, "box": list(BOX)}],
        "numbers": [{"text": "2", "confidence": 0.9877, "box": list(BOX)}],
        "stable": [{"text": "2", "confidence": 0.8765, "box": list(BOX)}],
        "ms": {"segment": 1.235, "classify": 0.5},
    }
    assert [line["stable"] for line in lines if line["frame"] != 2] == [[]] * 9


def test_fields_of_still_pictures_hold_by_themselves(read, tmp_path):
    source = FakeSource(frames=2, fps=None, name="page.png")
    result = read(source, form=FORM, jsonl=str(tmp_path / "log.jsonl"))
    assert result.emitted == ["level: 0 (98.8 %)", "level: 1 (98.8 %); doubtful: odd"]
    first, second = read_log(tmp_path / "log.jsonl")
    assert first["fields"] == first["stable"]
    assert second["fields"] == second["stable"]
    assert second["fields"] == [
        {"name": "level", "text": "1", "confidence": 0.9877, "digits": [], "doubts": ["odd"]}
    ]


def test_keys_of_a_form_show_the_page_and_take_the_next_model(read, press):
    press("", "d", "", "d", "m")
    result = read(FakeSource(), form=FORM, has_window=True)
    assert len(result.loaded) == 2
    has_outline = [(picture == SURE_COLOR).all(axis=2).any() for picture in FakeWindow.newest.shown]
    assert has_outline[0]
    assert not any(has_outline[2:4])
    assert has_outline[-2]


def test_log_on_stdout_has_stdout_for_itself(read, capsys):
    assert read(jsonl="-").emitted == []
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["frame"] for line in lines] == list(range(10))


def test_log_is_written_frame_by_frame(read, tmp_path):
    path = tmp_path / "log.jsonl"

    def check(index):
        assert len(read_log(path)) == index

    read(FakeSource(before=check), jsonl=str(path))


@pytest.mark.parametrize("max_frames", [1, 4, 10, 11])
def test_stops_after_as_many_frames_as_asked_for(read, max_frames):
    source = FakeSource()
    assert read(source, max_frames=max_frames).outcome.frames == min(10, max_frames)
    assert source.was_closed


def test_summary_tells_frames_speed_and_what_was_saved(read, tmp_path):
    result = read(save=tmp_path / "out.mp4")
    (summary,) = result.said
    assert summary.startswith("10 frames in 0.")
    assert summary.endswith(f" frames/s); saved {tmp_path}/out.mp4 (10 frames)")


def test_saved_frames_show_what_was_read(read, tmp_path):
    read(FakeSource(fps=10), save=tmp_path / "out.gif")
    with Image.open(tmp_path / "out.gif") as gif:
        first = np.asarray(gif.convert("RGB"))[..., ::-1]
        gif.seek(9)
        last = np.asarray(gif.convert("RGB"))[..., ::-1]
    assert count_near(first, UNSTABLE_COLOR) > 50 > count_near(first, STABLE_COLOR)
    assert count_near(last, STABLE_COLOR) > 50 > count_near(last, UNSTABLE_COLOR)


def count_near(picture, color):
    """Count the pixels of a colour, as far as a lossy format keeps it."""
    return int((np.abs(picture.astype(int) - color).max(axis=2) < 40).sum())


def test_source_that_breaks_down_leaves_whole_files(read, tmp_path):
    source = FakeSource(failure=SourceError("the camera went away"))
    result = Run()
    with pytest.raises(SourceError, match="the camera went away"):
        read(source, result, save=tmp_path / "out.gif", jsonl=str(tmp_path / "log.jsonl"))
    assert source.was_closed
    assert len(read_log(tmp_path / "log.jsonl")) == 10
    assert (tmp_path / "out.gif").read_bytes().endswith(b";")
    assert "saved" in result.said[-1]
    assert sorted(x.name for x in tmp_path.iterdir()) == ["log.jsonl", "out.gif"]


def test_part_of_the_source_that_failed_makes_the_run_incomplete(read):
    assert not read(FakeSource(failures=["cannot read b.png"])).outcome.was_complete


def test_source_that_cannot_be_opened_leaves_old_files_alone(read, tmp_path):
    paths = [tmp_path / "out.mp4", tmp_path / "log.jsonl"]
    for path in paths:
        path.write_text("what was there before")

    def fail():
        raise SourceError("no camera")

    config = WebcamConfig(has_window=False, save=paths[0], jsonl=str(paths[1]))
    said = []
    with pytest.raises(SourceError, match="no camera"):
        run(config, fail, load=lambda name: None, say=said.append, emit=print)
    assert [path.read_text() for path in paths] == ["what was there before"] * 2
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert said == []


def test_source_without_a_frame_leaves_the_error_alone(read):
    result = Run()
    with pytest.raises(SourceError, match="unplugged"):
        read(FakeSource(frames=0, failure=SourceError("unplugged")), result)
    assert result.said == []


def test_full_disk_ends_the_saving_and_nothing_else(read, tmp_path, monkeypatch):
    class FullRecording(outputs.Recording):
        def write(self, picture, time_s):
            if self.frames == 4:
                raise OSError(28, "No space left on device")
            super().write(picture, time_s)

    monkeypatch.setattr(outputs, "Recording", FullRecording)
    result = read(save=tmp_path / "out.gif", jsonl=str(tmp_path / "log.jsonl"))
    failure, summary = result.said
    assert failure == f"cannot save {tmp_path}/out.gif any further: got No space left on device"
    assert summary.endswith(f"saved {tmp_path}/out.gif (4 frames)")
    assert len(read_log(tmp_path / "log.jsonl")) == 10
    assert not result.outcome.was_complete


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_log_on_a_full_disk_is_told_once_and_the_reading_goes_on(read):
    result = read(jsonl="/dev/full")
    assert result.said[0] == "cannot write /dev/full any further: got No space left on device"
    assert len(result.said) == 2
    assert result.emitted == ["2"]
    assert not result.outcome.was_complete


def test_log_on_a_full_disk_has_whole_lines(read, tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        result = read(jsonl=str(tmp_path / "log.jsonl"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "any further: got File too large" in result.said[0]
    assert 3 <= len(read_log(tmp_path / "log.jsonl")) < 10


@pytest.mark.parametrize("name", ["occupied/log.jsonl", "folder"])
def test_log_that_cannot_be_written_is_told_before_the_first_frame(read, tmp_path, name):
    (tmp_path / "occupied").write_text("a file")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidInputError, match=f"cannot write {name}: got "):
        read(jsonl=name)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"max_frames": 0}, "--max-frames: expected at least 1, got 0"),
        (
            {"save": Path("out.avi")},
            "cannot save out.avi: expected a name that ends in .mp4 or .gif",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_the_camera_opens(config, told):
    with pytest.raises(InvalidInputError) as refused:
        WebcamConfig(**config)
    assert str(refused.value) == told


@pytest.mark.parametrize("option", ["save", "jsonl"])
def test_file_that_is_read_is_not_written_over(read, tmp_path, option):
    clip = tmp_path / "clip.mp4"
    clip.write_text("what was there before")
    path = str(clip) if option == "jsonl" else Path("clip.mp4")
    source = FakeSource(name="a folder", files=("a.mp4", "clip.mp4"))
    with pytest.raises(InvalidInputError) as refused:
        read(source, **{option: path})
    assert (
        str(refused.value)
        == f"--{option}: expected another file than those that are read, got {path}"
    )
    assert clip.read_text() == "what was there before"
    assert source.was_closed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["out.mp4", "out.gif"])
def test_signal_ends_it_with_whole_files(read, tmp_path, number, name):
    def interrupt(index):
        if index == 5:
            os.kill(os.getpid(), number)

    source, result = FakeSource(before=interrupt), Run()
    handlers = [signal.getsignal(x) for x in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt):
        read(source, result, save=tmp_path / name, jsonl=str(tmp_path / "log.jsonl"))
    assert source.was_closed
    assert len(read_log(tmp_path / "log.jsonl")) == 5
    assert f"saved {tmp_path}/{name} (5 frames)" in result.said[-1]
    assert cv2.VideoCapture(str(tmp_path / name)).read()[0] or name == "out.gif"
    assert [signal.getsignal(x) for x in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_signal_while_a_frame_is_in_hand_waits_until_it_is_done(read, tmp_path, monkeypatch):
    frames = []

    def interrupted_read(self, picture):
        os.kill(os.getpid(), signal.SIGINT)
        frames.append(picture)
        return Reading()

    monkeypatch.setattr(FakeReader, "read", interrupted_read)
    with pytest.raises(KeyboardInterrupt):
        read(jsonl=str(tmp_path / "log.jsonl"))
    assert len(frames) == len(read_log(tmp_path / "log.jsonl")) == 1


def test_runs_in_another_thread_too(read):
    results = []
    thread = threading.Thread(target=lambda: results.append(read()))
    thread.start()
    thread.join()
    assert results[0].outcome.frames == 10


@pytest.mark.parametrize("key", ["q", "x"])
def test_key_and_button_end_it(read, press, key):
    press("", "", key)
    source = FakeSource(frames=1000)
    assert read(source, has_window=True).outcome.frames == 3
    assert source.was_closed
    assert not FakeWindow.newest.is_open


def test_window_shows_each_frame_with_the_keys(read, press):
    press()
    read(has_window=True)
    shown = FakeWindow.newest.shown
    assert len(shown) == 10
    assert shown[0].shape == (240, 320, 3)
    assert (shown[0][-60:, -60:] > 200).any(), "no keys in the corner"


def test_pause_holds_a_frame_until_it_is_over(read, press):
    press("", "p", "", "", "", "p")
    result = read(has_window=True)
    assert result.outcome.frames == 10
    # Both keys show it anew, with a word of it and without.
    assert len(FakeWindow.newest.shown) == 12


def test_key_saves_the_frame_as_it_was_read(read, press, tmp_path):
    (tmp_path / "frame-0001.png").write_text("someone's own")
    press("", "s", "s")
    result = read(has_window=True)
    saved = [cv2.imread(str(tmp_path / f"frame-000{n}.png")) for n in (2, 3)]
    assert (saved[0] == 1).all()
    assert saved[1] is not None
    assert result.said[:2] == ["saved frame-0002.png", "saved frame-0003.png"]
    assert (tmp_path / "frame-0001.png").read_text() == "someone's own"


@pytest.mark.parametrize("first", [DEFAULT_MODELS, "pico", "own/model.tflite"])
def test_key_takes_the_next_model_and_begins_again_after_the_last(read, press, first):
    names = [*(model.name for model in shipped_models()), DEFAULT_MODELS]
    press(*"m" * len(names))
    loaded = read(FakeSource(frames=20), model=first, has_window=True).loaded
    start = names.index(first) + 1 if first in names else 0
    expected = [names[(start + i) % len(names)] for i in range(len(names))]
    assert loaded == [first, *expected]


def test_key_shows_the_stages_and_the_frame_again(read, press):
    press("", "d", "", "d", "")
    read(has_window=True)
    has_stages = [(picture == 99).sum() > 5000 for picture in FakeWindow.newest.shown]
    assert has_stages[:4] == [False, False, True, True]
    assert not any(has_stages[5:])


def test_still_picture_stays_until_a_key_is_pressed(read, press):
    press("", "", "d", "d", " ", "", "", "n", "", "q")
    source = FakeSource(fps=None, name="page.png")
    result = read(source, has_window=True)
    assert result.outcome.frames == 3
    assert FakeWindow.newest.left == []


def test_still_picture_holds_by_itself(read):
    assert read(FakeSource(frames=2, fps=None, name="page.png")).emitted == ["0", "1"]


def test_still_pictures_are_saved_for_a_second_each(read, tmp_path):
    read(FakeSource(frames=3, fps=None, name="page.png"), save=tmp_path / "out.mp4")
    video = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) / video.get(cv2.CAP_PROP_FPS) == pytest.approx(3)


def test_video_that_is_watched_runs_at_its_own_speed(read, press):
    press()
    started = time.perf_counter()
    read(FakeSource(fps=50), has_window=True)
    assert time.perf_counter() - started >= 10 / 50


def test_without_a_display_it_says_so_and_goes_on(read, monkeypatch):
    monkeypatch.setattr(screen, "find_window_obstacle", lambda: "there is no display")
    result = read(has_window=True)
    assert result.said[0] == "going on without a window: there is no display"
    assert result.emitted == ["2"]


def test_page_shows_what_was_read(read, tmp_path):
    seen = []

    def look(index):
        if index == 3:
            (url,) = (line.removeprefix("view: ") for line in result.said)
            with urlopen(url + "stream", timeout=10) as stream:  # noqa: S310 - our own server
                head = [stream.readline() for _ in range(4)]
                content = stream.read(int(head[2].split()[1]))
                seen.append(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR))

    result = Run()
    read(FakeSource(before=look), result, view=ViewAddress("127.0.0.1", 0))
    assert count_near(seen[0], STABLE_COLOR) > 100


@pytest.mark.parametrize(("name", "is_held"), [("a.png", True), ("clip.mp4", False)])
def test_page_shows_the_last_still_picture_until_it_is_ended(name, is_held, read, monkeypatch):
    waits, ended_s = [], time.perf_counter() + 1.5 * STILL_S

    def wait_key(self, wait_s, interruption):
        waits.append(wait_s)
        time.sleep(max(0.0, wait_s))
        if time.perf_counter() > ended_s:
            raise KeyboardInterrupt
        return ""

    monkeypatch.setattr(screen.Screen, "wait_key", wait_key)
    source = FakeSource(frames=1, name=name)
    with pytest.raises(KeyboardInterrupt) if is_held else nullcontext():
        read(source, view=ViewAddress("127.0.0.1", 0))
    assert waits
    assert source.was_closed


class TwoClips(FakeSource):
    """One video after another, as from a folder."""

    def __iter__(self):
        for name in ("a.mp4", "b.mp4"):
            yield from (replace(frame, name=name) for frame in super().__iter__())


def test_next_video_of_a_folder_starts_afresh(read):
    """What held at the end of the one is told again if it is seen in the other."""
    assert read(TwoClips(frames=4)).emitted == ["2", "2"]
