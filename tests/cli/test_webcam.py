import inspect
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
Image = pytest.importorskip("PIL.Image")

from edge_mnist.cli.webcam import webcam  # noqa: E402 - after what it needs
from edge_mnist.vision.build import describe_opencv  # noqa: E402
from edge_mnist.vision.drawing import STABLE_COLOR  # noqa: E402
from edge_mnist.vision.form_drawing import DOUBTFUL_COLOR  # noqa: E402
from edge_mnist.vision.sources import DEFAULT_TIMEOUT_S  # noqa: E402

NUMBERS = ["05221859", "314"]
FRAMES, FPS = 30, 10
# Where `make windows` puts an OpenCV with windows.
OPENCV_WITH_WINDOWS = Path(sys.prefix) / "opencv-windows"


@pytest.fixture(scope="session")
def page(draw_page):
    return draw_page(NUMBERS)


@pytest.fixture(scope="session")
def clip(page, tmp_path_factory):
    """A video of the page, held by a hand that trembles, with a camera's noise."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (640, 480))
    rng = np.random.default_rng(0)
    for _ in range(FRAMES):
        shifted = np.roll(page, rng.integers(-2, 3, 2), (0, 1))
        noisy = np.clip(shifted + rng.normal(0, 3, page.shape), 0, 255).astype(np.uint8)
        writer.write(cv2.cvtColor(noisy, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


@pytest.fixture
def start(tmp_path):
    """Return a function that starts `edge-mnist webcam`, to be ended by the test."""
    processes = []

    def run(*arguments, env=None):
        process = subprocess.Popen(
            [sys.executable, "-m", "edge_mnist", "webcam", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def test_defaults_are_those_of_the_library():
    defaults = {name: x.default for name, x in inspect.signature(webcam).parameters.items()}
    assert defaults["timeout"] == DEFAULT_TIMEOUT_S


def test_each_stable_number_is_printed_once(clip, edge_mnist):
    outcome = edge_mnist("webcam", "--source", clip, "--no-window")
    assert outcome.code == 0
    assert sorted(outcome.out.splitlines()) == sorted(NUMBERS)
    assert re.fullmatch(rf"{FRAMES} frames in [\d.]+ s \([\d.]+ frames/s\)\n", outcome.err), (
        outcome.err
    )


def test_json_on_stdout_is_all_that_is_there(clip, edge_mnist):
    outcome = edge_mnist("webcam", "--source", clip, "--no-window", "--jsonl", "-")
    assert outcome.code == 0
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert [line["frame"] for line in lines] == list(range(FRAMES))
    assert [round(line["time_s"] * FPS) for line in lines] == list(range(FRAMES))
    assert lines[-1]["lines"] == NUMBERS
    assert "".join(str(x["digit"]) for x in lines[-1]["digits"]) == "".join(NUMBERS)
    stable = [number["text"] for line in lines for number in line["stable"]]
    assert sorted(stable) == sorted(NUMBERS)
    for line in lines:
        assert list(line) == ["frame", "time_s", "lines", "digits", "numbers", "stable", "ms"]
        assert {"capture", "segment", "classify"} <= set(line["ms"])


def test_everything_at_once(clip, edge_mnist, tmp_path):
    options = ("--view", "0", "--save", "out.gif", "--jsonl", "log.jsonl", "--max-frames", 12)
    outcome = edge_mnist("webcam", "--source", clip, "--no-window", *options)
    assert outcome.code == 0
    assert sorted(outcome.out.splitlines()) == sorted(NUMBERS)
    where, summary = outcome.err.splitlines()
    assert re.fullmatch(r"view: http://127\.0\.0\.1:\d+/", where)
    assert summary.endswith("; saved out.gif (12 frames)")
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 12
    with Image.open(tmp_path / "out.gif") as gif:
        assert gif.n_frames == 12
    assert sorted(x.name for x in tmp_path.iterdir()) == ["log.jsonl", "out.gif"]


def test_frames_are_framed_first(clip, edge_mnist):
    options = ("--roi", "0,90,640,120", "--width", 480, "--max-frames", 1, "--save", "out.mp4")
    outcome = edge_mnist("webcam", "--source", clip, "--no-window", "--jsonl", "-", *options)
    assert outcome.json["lines"] == NUMBERS[:1]
    assert cv2.VideoCapture("out.mp4").read()[1].shape == (90, 480, 3)


def test_fields_of_a_form_are_told_once_they_hold(clip, form, edge_mnist):
    outcome = edge_mnist("webcam", "--source", clip, "--no-window", "--fields", form)
    assert outcome.code == 0
    date, total = sorted(outcome.out.splitlines())
    assert re.fullmatch(rf"date: {NUMBERS[0]} \(\d+\.\d %\)(; doubtful: low confidence.*)?", date)
    assert re.match(rf"sum: {NUMBERS[1]} \(.*\); doubtful: range: expected 0 to 99", total)


def test_json_of_a_form_has_its_fields(clip, form, edge_mnist):
    options = ("--jsonl", "-", "--save", "out.gif")
    outcome = edge_mnist("webcam", "--source", clip, "--no-window", "--fields", form, *options)
    assert outcome.code == 0
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert len(lines) == FRAMES
    for line in lines:
        assert list(line) == ["frame", "time_s", "corners", "fields", "stable", "ms"]
        assert [field["name"] for field in line["fields"]] == ["date", "sum", "left"]
        assert list(line["ms"]) == ["capture", "read"]
    assert [field["text"] for field in lines[-1]["fields"]] == [*NUMBERS, ""]
    stable = {field["name"]: field for line in lines for field in line["stable"]}
    assert sum(len(line["stable"]) for line in lines) == len(stable) == 2
    assert stable["sum"]["doubts"][0] == "range: expected 0 to 99"
    with Image.open("out.gif") as gif:
        drawn = np.asarray(gif.convert("RGB"))[..., ::-1]
    assert (np.abs(drawn.astype(int) - DOUBTFUL_COLOR).max(axis=2) < 40).sum() > 100


def test_pictures_are_read_and_a_damaged_one_is_told(page, edge_mnist, write_picture):
    path = write_picture("pages/a.png", page)
    (path.parent / "b.png").write_bytes(b"damaged")
    outcome = edge_mnist("webcam", "--source", "pages", "--no-window")
    assert outcome.code == 1
    assert outcome.out.splitlines() == NUMBERS
    assert "b.png" in outcome.err


def test_videos_of_a_folder_are_saved_at_their_speed(clip, edge_mnist, tmp_path):
    (tmp_path / "clips").mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(clip, tmp_path / "clips" / name)
    assert edge_mnist("webcam", "--source", "clips", "--no-window", "--save", "out.mp4").code == 0
    video = cv2.VideoCapture("out.mp4")
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(FPS)
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 2 * FRAMES


@pytest.mark.skipif(describe_opencv()[1] != "", reason="this OpenCV has windows")
def test_opencv_without_windows_is_told_and_the_rest_goes_on(clip, edge_mnist):
    outcome = edge_mnist("webcam", "--source", clip)
    assert outcome.code == 0
    assert sorted(outcome.out.splitlines()) == sorted(NUMBERS)
    assert outcome.err.startswith("going on without a window: OpenCV ")
    assert "pip install 'edge-mnist[webcam]'" in outcome.err.splitlines()[0]


@pytest.mark.parametrize("name", ["out.mp4", "out.gif"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_leaves_a_video_that_plays(clip, start, tmp_path, name, number):
    (tmp_path / name).write_text("what was there before")
    # Watched, so that it takes its time.
    process = start("--source", clip, "--no-window", "--view", 0, "--jsonl", "-", "--save", name)
    lines = [process.stdout.readline() for _ in range(5)]
    assert (tmp_path / name).read_text() == "what was there before"
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    read = len(lines + out.splitlines())
    assert 5 <= read < FRAMES
    assert "Traceback" not in err
    assert f"; saved {name} ({read} frames)\n" in err
    assert err.splitlines()[-1].startswith("interrupted; ")
    if name == "out.gif":
        with Image.open(tmp_path / name) as gif:
            assert gif.n_frames == read
    else:
        video = cv2.VideoCapture(str(tmp_path / name))
        assert sum(video.read()[0] for _ in range(FRAMES)) == read
    assert [x.name for x in tmp_path.iterdir()] == [name]


def test_reader_of_stdout_that_goes_away_ends_it_quietly(clip, start):
    process = start("--source", clip, "--no-window", "--view", 0, "--jsonl", "-")
    assert process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(20) == 1
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--save out.avi", "cannot save out.avi: expected a name that ends in .mp4 or .gif"),
        ("--save occupied/x.gif", "cannot save occupied/x.gif: got "),
        ("--jsonl occupied/log", "cannot write occupied/log: got "),
        ("--fields none.toml", "cannot read none.toml: got No such file or directory"),
        ("--max-frames 0", "--max-frames: expected at least 1, got 0"),
        ("--min-confidence 2", "minimum confidence: expected 0 to 1, got 2.0"),
        ("--view here", "--view: expected HOST:PORT or PORT, as 127.0.0.1:8080, got 'here'"),
        ("--roi 1,2", "region to read: expected x,y,w,h in pixels"),
        ("--rotate 45", "rotation: expected 0, 90, 180 or 270 degrees, got 45"),
        ("--timeout nan", "timeout: expected more than 0 s, at most 86400 s, got nan"),
        ("--width 0", "width: expected 1 px or more, got 0"),
        ("--model nothing", "cannot find the model: expected a file, or one of: "),
        ("--engine cpu", "unknown engine: expected auto, tflite-runtime, "),
        ("--source nothing.mp4", "there is no nothing.mp4: expected a camera's index, "),
    ],
)
def test_what_cannot_work_is_one_line(arguments, told, clip, edge_mnist, tmp_path):
    (tmp_path / "occupied").write_text("a file")
    source = () if "--source" in arguments else ("--source", clip)
    outcome = edge_mnist("webcam", *source, "--no-window", *arguments.split())
    assert outcome.error.startswith(told)
    assert len(outcome.err.splitlines()) == 1
    assert outcome.out == ""


def test_file_that_cannot_be_read_is_told_as_by_predict(page, edge_mnist, write_picture, tmp_path):
    write_picture("scans/1.png", page)
    (tmp_path / "scans" / "2.png").write_bytes(b"no picture")
    predicted = edge_mnist("predict", "scans")
    seen = edge_mnist("webcam", "--source", "scans", "--no-window")
    assert predicted.error.startswith("cannot read scans/2.png: expected an image (")
    assert f"edge-mnist: {predicted.error}" in seen.err.splitlines()
    assert seen.code == 1


def test_busy_port_is_told(clip, edge_mnist):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = edge_mnist("webcam", "--source", clip, "--no-window", "--view", port)
    assert outcome.error.startswith(f"--view: cannot serve on 127.0.0.1:{port}: got ")
    assert outcome.error.endswith("; choose another, or port 0 for any that is free")


@pytest.fixture
def display(monkeypatch):
    """A virtual display, and in PYTHONPATH an OpenCV that opens windows on it."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb: apt-get install xvfb")
    if describe_opencv()[1] == "":
        if not (OPENCV_WITH_WINDOWS / "cv2").is_dir():
            pytest.skip("needs an OpenCV with windows: make windows")
        paths = [str(OPENCV_WITH_WINDOWS), os.environ.get("PYTHONPATH", "")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    read_end, write_end = os.pipe()
    # Without -noreset it begins anew, and forgets windows, when the last program leaves.
    options = ("-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), *options],
        pass_fds=[write_end],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as numbers:
        name = f":{numbers.readline().strip()}"
    monkeypatch.setenv("DISPLAY", name)
    yield name
    server.terminate()
    server.wait()


def grab(display, is_shown):
    """Return what the display shows, uint8 [height, width, 3], as soon as it is what we wait for.

    Args:
        display: Its name.
        is_shown: Takes a picture, blue, green, red.
    """
    grabber = pytest.importorskip("PIL.ImageGrab")
    deadline = time.monotonic() + 60
    while True:
        picture = np.asarray(grabber.grab(xdisplay=display).convert("RGB"))[..., ::-1]
        if is_shown(picture) or time.monotonic() > deadline:
            return picture
        time.sleep(0.1)


def find(picture, color):
    """Return where a colour is, bool [height, width]."""
    return (picture == color).all(axis=2)


@pytest.mark.window
def test_window_shows_the_frame_with_boxes(page, start, display, write_picture):
    process = start("--source", write_picture("page.png", page))

    def has_paper(seen):
        return find(seen[:480, :640], (235, 235, 235)).mean() > 0.4

    # A window is not painted at once.
    picture = grab(display, lambda seen: find(seen, STABLE_COLOR).any() and has_paper(seen))
    assert has_paper(picture), "the paper is not there"
    shown = picture[:480, :640]
    is_blue = find(shown, STABLE_COLOR)
    for row, text in enumerate(NUMBERS):
        y = 120 + 150 * row
        # A thick frame and a plate around each number, and nothing of them beside it.
        assert is_blue[y - 60 : y + 100, 50 : 60 + 60 * len(text)].sum() > 500 * len(text)
        assert not is_blue[y : y + 60, 100 + 60 * len(text) :].any()
    assert (shown[-60:, -100:] > 200).all(axis=2).any(), "no keys in the corner"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out.splitlines() == NUMBERS
    assert "window" not in err
    gone = grab(display, lambda seen: not find(seen, STABLE_COLOR).any())
    assert not find(gone, STABLE_COLOR).any(), "the window was not closed"


@pytest.mark.window
@pytest.mark.parametrize("env", [{"DISPLAY": ""}, {"DISPLAY": ":987"}], ids=["none", "dead"])
def test_opencv_with_windows_without_a_display_goes_on(clip, start, display, env):
    process = start("--source", clip, env={"WAYLAND_DISPLAY": "", **env})
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert sorted(out.splitlines()) == sorted(NUMBERS)
    assert err.splitlines()[0] == "going on without a window: " + (
        "the display :987 cannot be reached"
        if env["DISPLAY"]
        else "there is no display (DISPLAY and WAYLAND_DISPLAY are not set)"
    )
