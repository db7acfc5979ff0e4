import sys

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")

from edge_mnist.vision import window  # noqa: E402 - needs cv2
from edge_mnist.vision.window import Window, find_window_obstacle  # noqa: E402

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays of Linux")


class FakeDesktop:
    """OpenCV's functions for windows.

    Attributes:
        keys: The codes that are pressed, one a wait.
    """

    def __init__(self):
        self.is_visible = False
        self.shown = []
        self.size = None
        self.keys = []

    def namedWindow(self, title, flags):  # noqa: N802 - OpenCV's name
        self.is_visible = True

    def resizeWindow(self, title, width, height):  # noqa: N802 - OpenCV's name
        self.size = width, height

    def imshow(self, title, picture):
        self.shown.append(picture)
        self.is_visible = True  # OpenCV opens closed windows again

    def waitKey(self, wait_ms):  # noqa: N802 - OpenCV's name
        assert isinstance(wait_ms, int)
        assert wait_ms >= 1, "0 waits forever"
        return self.keys.pop(0) if self.keys else -1

    def getWindowProperty(self, title, which):  # noqa: N802 - OpenCV's name
        assert which == cv2.WND_PROP_VISIBLE
        return 1.0 if self.is_visible else 0.0

    def destroyWindow(self, title):  # noqa: N802 - OpenCV's name
        assert self.is_visible, "OpenCV raises an error"
        self.is_visible = False


@pytest.fixture
def desktop(monkeypatch):
    desktop = FakeDesktop()
    for name in vars(FakeDesktop):
        if not name.startswith("_"):
            monkeypatch.setattr(window.cv2, name, getattr(desktop, name))
    return desktop


@pytest.fixture
def linux(monkeypatch):
    """Return a function that sets what is known of OpenCV and the display."""

    def install(toolkit="QT5", **environment):
        monkeypatch.setattr(window, "describe_opencv", lambda: ("4.11.0", toolkit))
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return install


def test_window_has_the_size_of_its_first_picture(desktop):
    shown = Window()
    for height in (480, 240):
        shown.show(np.zeros((height, 640, 3), np.uint8))
    assert desktop.size == (640, 480)
    assert len(desktop.shown) == 2


@pytest.mark.parametrize(
    ("width", "height", "size"), [(4000, 3000, (960, 720)), (4000, 500, (1280, 160))]
)
def test_photograph_opens_a_window_that_a_desktop_has_room_for(desktop, width, height, size):
    shown = Window()
    shown.show(np.zeros((height, width, 3), np.uint8))
    assert desktop.size == size
    assert desktop.shown[0].shape == (height, width, 3)


def test_window_that_the_desktop_has_not_shown_yet_is_open(desktop):
    shown = Window()
    desktop.is_visible = False  # a busy one takes its time
    assert shown.is_open
    shown.show(np.zeros((240, 320, 3), np.uint8))
    assert len(desktop.shown) == 1
    assert shown.is_open
    desktop.is_visible = False  # its button
    assert not shown.is_open


@pytest.mark.parametrize(
    ("code", "key"), [(-1, ""), (ord("q"), "q"), (27, "q"), (0x100000 | ord("s"), "s"), (255, "ÿ")]
)
def test_keys_are_characters(desktop, code, key):
    shown = Window()
    desktop.keys = [code]
    assert shown.wait_key(0) == key


def test_window_that_the_user_closed_stays_closed(desktop):
    shown = Window()
    assert shown.is_open
    desktop.is_visible = False
    assert not shown.is_open
    shown.show(np.zeros((48, 64, 3), np.uint8))
    shown.close()
    assert desktop.shown == []


def test_toolkit_that_forgets_its_windows_means_closed(desktop, monkeypatch):
    shown = Window()

    def fail(title, which):
        raise cv2.error("NULL window")

    monkeypatch.setattr(window.cv2, "getWindowProperty", fail)
    assert not shown.is_open


def test_closing_twice_does_no_harm(desktop):
    shown = Window()
    shown.close()
    shown.close()
    assert not shown.is_open


def test_opencv_without_windows_is_told_with_what_brings_them(linux):
    linux(toolkit="", DISPLAY=":0")
    assert find_window_obstacle() == (
        "OpenCV 4.11.0 is built without windows (opencv-python-headless); for windows: "
        "pip uninstall opencv-python-headless; pip install 'edge-mnist[webcam]'"
    )


@LINUX
def test_missing_display_is_told(linux):
    linux()
    assert find_window_obstacle() == "there is no display (DISPLAY and WAYLAND_DISPLAY are not set)"


@LINUX
@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY"])
@pytest.mark.parametrize("failure", ["abort", "hang"])
def test_display_that_does_not_answer_is_told(linux, monkeypatch, name, failure):
    linux(**{name: "nowhere:9"})
    probes = {"abort": "import os; os.abort()", "hang": "import time; time.sleep(60)"}
    monkeypatch.setattr(window, "PROBE", probes[failure])
    monkeypatch.setattr(window, "PROBE_TIMEOUT_S", 0.5 if failure == "hang" else 20)
    assert find_window_obstacle() == "the display nowhere:9 cannot be reached"


@LINUX
def test_display_that_answers_is_no_obstacle(linux, monkeypatch):
    linux(DISPLAY=":0")
    monkeypatch.setattr(window, "PROBE", "pass")
    assert find_window_obstacle() is None
