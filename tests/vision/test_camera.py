import sys
import time
from itertools import repeat
from types import SimpleNamespace

import numpy as np
import pytest

from edge_mnist.errors import SourceError

cv2 = pytest.importorskip("cv2")

from edge_mnist.vision.sources import open_source  # noqa: E402 - needs cv2

linux = pytest.mark.skipif(sys.platform != "linux", reason="devices are files on Linux only")


class FakeVideoCapture:
    """What OpenCV gives for a camera; without pictures it is as one that another program uses."""

    def __init__(self, pictures=(), fps=30.0, is_open=True):
        self.pictures, self.fps, self.is_open = iter(pictures), fps, is_open

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return self.is_open

    def get(self, what):
        return self.fps if what == cv2.CAP_PROP_FPS else -1.0

    def read(self):
        time.sleep(0.001)
        picture = next(self.pictures, None)
        return picture is not None, picture

    def release(self):
        self.pictures, self.is_open = iter(()), False


@pytest.fixture
def plug_in(monkeypatch, tmp_path):
    """Return a function that makes cameras the only ones, each by its index or path."""
    monkeypatch.setattr("edge_mnist.vision.camera._DEVICES", tmp_path)
    monkeypatch.setattr("edge_mnist.vision.camera.platform.machine", lambda: "x86_64")
    monkeypatch.setattr("edge_mnist.vision.picamera.is_installed", lambda: False)

    def plug(cameras):
        def make(camera, backend, parameters):
            return cameras.get(camera, FakeVideoCapture(is_open=False))

        monkeypatch.setattr("edge_mnist.vision.capture._make_capture", make)

    return plug


def pictures(n=1_000_000, shape=(4, 6, 3)):
    return repeat(np.zeros(shape, np.uint8), n)


def first_frame(source, **options):
    source = open_source(source, timeout_s=1, **options)
    try:
        return source, next(iter(source))
    finally:
        source.close()


def test_camera_by_its_index(plug_in):
    plug_in({2: FakeVideoCapture(pictures())})
    source, frame = first_frame("2")
    assert (source.name, source.is_live, source.fps) == ("camera 2", True, 30)
    assert (frame.name, frame.picture.shape) == ("camera 2", (4, 6, 3))


def test_camera_by_its_path(plug_in):
    plug_in({"/dev/video2": FakeVideoCapture(pictures())})
    source, _ = first_frame("/dev/video2")
    assert source.name == "camera /dev/video2"


@pytest.mark.parametrize("fps", [0, -1, 90_000])
def test_nonsense_about_the_rate_is_not_passed_on(plug_in, fps):
    plug_in({0: FakeVideoCapture(pictures(), fps=fps)})
    assert first_frame("0")[0].fps is None


def test_gray_camera_gives_three_equal_colors(plug_in):
    plug_in({0: FakeVideoCapture(pictures(shape=(4, 6)))})
    assert first_frame("0")[1].picture.shape == (4, 6, 3)


@linux
def test_no_camera_at_all(plug_in):
    plug_in({})
    with pytest.raises(SourceError) as error:
        open_source("0")
    assert str(error.value).endswith(
        "/video0: got no camera at all; plug one in, or read a picture, a video or a stream"
    )


@linux
def test_no_such_camera_among_others(plug_in, tmp_path):
    plug_in({})
    for number in (1, 2):
        (tmp_path / f"video{number}").touch()
    with pytest.raises(SourceError) as error:
        open_source("0")
    assert str(error.value) == (
        f"no camera {tmp_path}/video0: expected one of {tmp_path}/video1, {tmp_path}/video2"
    )


@linux
def test_no_camera_on_a_raspberry_pi(plug_in, tmp_path, monkeypatch):
    plug_in({})
    monkeypatch.setattr("edge_mnist.vision.camera.platform.machine", lambda: "aarch64")
    with pytest.raises(SourceError) as error:
        open_source("0")
    assert str(error.value) == (
        f"no camera {tmp_path}/video0: got no camera at all; "
        "a Raspberry Pi's camera module needs: sudo apt install python3-picamera2"
    )


@linux
def test_camera_that_the_user_may_not_use(plug_in, tmp_path, monkeypatch):
    plug_in({})
    (tmp_path / "video0").touch()
    monkeypatch.setattr("edge_mnist.vision.camera.os.access", lambda path, mode: False)
    with pytest.raises(SourceError) as error:
        open_source("0")
    assert str(error.value) == (
        f"cannot use the camera {tmp_path}/video0: got no permission; "
        "join its group: sudo usermod -aG video $USER, and log in again"
    )


@pytest.mark.parametrize("is_open", [True, False])
def test_busy_camera(plug_in, tmp_path, is_open):
    busy = FakeVideoCapture(is_open=is_open)
    plug_in({0: busy})
    (tmp_path / "video0").touch()
    with pytest.raises(SourceError) as error:
        open_source("0")
    assert str(error.value) == (
        "camera 0 gives no picture; end other programs that use it, and check that it is plugged in"
    )
    assert not busy.is_open


def test_camera_unplugged_in_mid_loop(plug_in, tmp_path):
    plug_in({0: FakeVideoCapture(pictures(5))})
    (tmp_path / "video0").touch()
    told = []
    with pytest.raises(SourceError) as error:
        list(open_source("0", timeout_s=0.2, say=told.append))
    reason = (
        "camera 0 gives no picture; end other programs that use it, and check that it is plugged in"
    )
    assert str(error.value) == (
        f"camera 0 went away: expected a picture within 0.2 s, got none ({reason})"
    )
    assert told == ["camera 0 gives no pictures any more; connecting again", reason]


class FakePicamera2:
    """Picamera2 as far as it is used; gives blue pictures."""

    def __init__(self, index):
        if index != 0:
            raise RuntimeError(f"No camera number {index} found")
        self.configured = None
        self.is_started = False
        self.is_closed = False
        self.n_left = self.n_pictures
        self.made.append(self)

    def create_video_configuration(self, main):
        return {"main": main}

    def configure(self, configuration):
        self.configured = configuration

    def start(self):
        self.is_started = True

    def capture_array(self, name, wait):
        assert self.is_started
        assert name == "main"
        assert wait > 0
        time.sleep(0.001)
        if self.n_left == 0:
            raise RuntimeError("Camera grab failed.")
        self.n_left -= 1
        return np.full((4, 6, 3), [255, 0, 0], np.uint8)

    def close(self):
        self.is_closed = True


@pytest.fixture
def pi_camera(plug_in, monkeypatch):
    """Plug a camera module in that OpenCV does not see; returns Picamera2's fake class."""
    plug_in({})
    fake = type("Picamera2", (FakePicamera2,), {"made": [], "n_pictures": 1000})
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=fake))
    monkeypatch.setattr("edge_mnist.vision.picamera.is_installed", lambda: True)
    return fake


def test_picamera2_is_used_where_opencv_sees_no_camera(pi_camera):
    source, frame = first_frame("0")
    assert (source.name, source.is_live, source.fps) == ("camera 0", True, None)
    assert frame.picture[0, 0].tolist() == [255, 0, 0]
    (camera,) = pi_camera.made
    # What libcamera calls RGB888 has blue in the first byte.
    assert camera.configured == {"main": {"format": "RGB888"}}
    assert camera.is_closed


def test_opencv_comes_before_picamera2(pi_camera, plug_in):
    plug_in({0: FakeVideoCapture(pictures())})
    first_frame("0")
    assert pi_camera.made == []


def test_camera_that_picamera2_does_not_find(pi_camera):
    with pytest.raises(SourceError) as error:
        open_source("1")
    assert str(error.value) == (
        "cannot open camera 1 with Picamera2: got No camera number 1 found; "
        "end other programs that use it, see rpicam-hello --list-cameras"
    )


def test_camera_module_without_pictures(pi_camera):
    pi_camera.n_pictures = 0
    with pytest.raises(SourceError) as error:
        open_source("0")
    assert str(error.value) == "camera 0 gives no picture; check the cable of the camera module"
    assert pi_camera.made[0].is_closed


def test_camera_module_that_fails_in_mid_loop(pi_camera):
    pi_camera.n_pictures = 5
    told = []
    source = open_source("0", timeout_s=1, say=told.append)
    frames = iter(source)
    while len(pi_camera.made) < 2:
        next(frames)
    source.close()
    assert told[0] == "camera 0 gives no pictures any more; connecting again"
    assert pi_camera.made[0].is_closed


def test_picamera2_that_cannot_be_imported(pi_camera, monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(SourceError) as error:
        open_source("0")
    assert str(error.value).startswith("Picamera2 cannot be used: got ")
    assert str(error.value).endswith(
        "; install it with: sudo apt install python3-picamera2, "
        "and make the virtual environment with --system-site-packages"
    )
