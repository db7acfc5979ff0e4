import threading
import time

import numpy as np
import pytest

from edge_mnist.errors import SourceError

pytest.importorskip("cv2")

from edge_mnist.vision.framing import Framing
from edge_mnist.vision.newest import NewestFrames

GONE = SourceError("camera 0 is gone")


class FakeCamera:
    """Gives pictures one by one, as the test says; each tells its number by its grey."""

    def __init__(self, *, n_frames=None, frame_s=0.001):
        self.fps = 30.0
        self.n_left = n_frames
        self.frame_s = frame_s
        self.n_read = 0
        self.is_released = False
        self.is_hanging = threading.Event()

    def read(self):
        assert not self.is_released
        time.sleep(self.frame_s)
        while self.is_hanging.is_set():
            time.sleep(0.001)
        if self.n_read == self.n_left:
            return None
        self.n_read += 1
        return np.full((4, 6, 3), self.n_read % 256, np.uint8)

    def release(self):
        self.is_released = True


@pytest.fixture
def watch():
    """Return a function that opens cameras, given in the order in which they are connected."""
    opened = []

    def open_cameras(*cameras, framing=None, timeout_s=0.2, say=lambda message: None):
        answers = iter(cameras)

        def connect():
            camera = next(answers, GONE)
            if isinstance(camera, SourceError):
                raise camera
            return camera

        source = NewestFrames(
            "camera 0", connect, framing=framing or Framing(), timeout_s=timeout_s, say=say
        )
        opened.append(source)
        return source

    yield open_cameras
    for source in opened:
        source.close()


def test_slow_reader_gets_the_newest_frame(watch):
    camera = FakeCamera()
    frames = iter(watch(camera))
    first = next(frames)
    while camera.n_read < 100:
        time.sleep(0.01)
    n_read = camera.n_read
    frame = next(frames)
    assert frame.index >= n_read - 2  # the picture read last may be on its way
    assert frame.picture[0, 0, 0] == (frame.index + 1) % 256
    assert frame.name == "camera 0"
    assert frame.time_s > first.time_s


def test_fast_reader_gets_each_frame_once(watch):
    frames = iter(watch(FakeCamera(frame_s=0.01)))
    indices = [next(frames).index for _ in range(8)]
    assert indices == sorted(set(indices))


def test_source_tells_what_it_is(watch):
    source = watch(FakeCamera())
    assert (source.name, source.is_live, source.fps, source.failures) == ("camera 0", True, 30, [])


def test_framing_is_applied(watch):
    assert next(iter(watch(FakeCamera(), framing=Framing(rotate=90)))).picture.shape == (6, 4, 3)


def test_camera_is_released_when_closed(watch):
    camera = FakeCamera()
    source = watch(camera)
    frames = iter(source)
    next(frames)
    source.close()
    source.close()
    assert camera.is_released
    assert list(frames) == []


def test_camera_that_cannot_be_connected(watch):
    with pytest.raises(SourceError, match=r"^camera 0 is gone$"):
        watch()


def test_camera_that_was_unplugged_and_comes_back(watch):
    told = []
    first, second = FakeCamera(n_frames=3), FakeCamera()
    source = watch(first, GONE, GONE, second, timeout_s=5, say=told.append)
    frames = iter(source)
    indices = []
    while second.n_read == 0:
        indices.append(next(frames).index)
    assert first.is_released
    assert indices == sorted(set(indices))
    # The same reason is told once, however often it is met.
    assert told[:2] == ["camera 0 gives no pictures any more; connecting again", "camera 0 is gone"]
    assert [x.rpartition(" after ")[0] for x in told[2:]] == ["camera 0 is back"]


def test_camera_that_stays_away_is_given_up(watch):
    told = []
    frames = iter(watch(FakeCamera(n_frames=3), say=told.append))
    with pytest.raises(SourceError) as error:
        list(frames)
    assert str(error.value) == (
        "camera 0 went away: expected a picture within 0.2 s, got none (camera 0 is gone)"
    )
    assert told == ["camera 0 gives no pictures any more; connecting again", "camera 0 is gone"]


def test_pauses_between_attempts_grow(watch, monkeypatch):
    monkeypatch.setattr("edge_mnist.vision.newest._FIRST_PAUSE_S", 0.02)
    attempts = []

    def connect():
        attempts.append(time.monotonic())
        if len(attempts) == 1:
            return FakeCamera(n_frames=1)
        raise GONE

    source = NewestFrames("camera 0", connect, framing=Framing(), timeout_s=0.5, say=print)
    with pytest.raises(SourceError):
        list(source)
    # The first, then after 0, 0.02, 0.06, 0.14 and 0.3 s, and when the time is over; with even
    # pauses there would be 26.
    assert 3 <= len(attempts) <= 7


def test_camera_that_hangs_in_its_driver(watch, monkeypatch):
    monkeypatch.setattr("edge_mnist.vision.newest._GRACE_S", 0.05)
    camera = FakeCamera()
    frames = iter(watch(camera))
    next(frames)
    camera.is_hanging.set()
    with pytest.raises(SourceError) as error:
        list(frames)
    camera.is_hanging.clear()
    assert str(error.value) == (
        "camera 0 does not answer: expected a picture within 0.45 s; "
        "plug the camera in again, or start again what sends the stream"
    )


def test_camera_that_hangs_from_the_start(watch, monkeypatch):
    monkeypatch.setattr("edge_mnist.vision.newest._GRACE_S", 0.05)
    camera = FakeCamera()
    camera.is_hanging.set()
    with pytest.raises(SourceError, match=r"^camera 0 does not answer: expected a picture within"):
        watch(camera)
    camera.is_hanging.clear()


def test_unforeseen_errors_reach_the_reader(watch):
    camera = FakeCamera()
    frames = iter(watch(camera))
    next(frames)
    camera.frame_s = "a mistake"
    with pytest.raises(TypeError):
        list(frames)
    assert camera.is_released
