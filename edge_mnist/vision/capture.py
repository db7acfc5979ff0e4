"""OpenCV's VideoCapture, opened in one place: quietly, and so that nothing waits forever."""

import os

# FFmpeg has a note for every damaged frame. It reads this when the first video is opened.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np

from edge_mnist.vision.frames import Picture

# OpenCV's own messages, on every camera that is not there for instance: none.
_SILENT = 0

# What claims more tells nonsense: FFmpeg gives its time base where the rate is unknown.
_MAX_FPS = 1000


class Capture:
    """A camera, stream or video that OpenCV opened.

    Attributes:
        fps: Frames a second, as far as it tells.
        n_frames: How many it announces; 0 for those without an end.
    """

    def __init__(self, capture: cv2.VideoCapture) -> None:
        """Take over what is open."""
        self._capture = capture
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= _MAX_FPS else None
        self.n_frames = int(max(0, capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def read(self) -> Picture | None:
        """Return the next frame, uint8 [height, width, 3]; None if none came or it is broken."""
        _, picture = self._capture.read()
        if picture is None or picture.size == 0:
            return None
        if picture.ndim == 2:
            picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        return picture.astype(np.uint8, copy=False)

    @property
    def time_s(self) -> float:
        """Where the frame that was read last stands in the video, in seconds."""
        return float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1e3

    def release(self) -> None:
        """Close it; twice does no harm."""
        self._capture.release()


def open_camera(camera: int | str) -> Capture | None:
    """Open a camera by its index, or by its device's path on Linux; None if it cannot be."""
    return _open(camera, cv2.CAP_ANY if isinstance(camera, int) else cv2.CAP_V4L2, [])


def open_video(path_or_url: str, timeout_s: float) -> Capture | None:
    """Open a video file or stream; None if it cannot be.

    Args:
        path_or_url: What FFmpeg shall read.
        timeout_s: How long to wait for the opening, and later for each frame.
    """
    if not cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG):  # then timeouts cannot be set
        return _open(path_or_url, cv2.CAP_ANY, [])
    timeout_ms = max(1, round(1e3 * timeout_s))
    limits = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC)
    return _open(path_or_url, cv2.CAP_FFMPEG, [x for limit in limits for x in (limit, timeout_ms)])


def _open(source: int | str, backend: int, parameters: list[int]) -> Capture | None:
    if "OPENCV_LOG_LEVEL" not in os.environ:
        getattr(cv2.utils, "logging", cv2).setLogLevel(_SILENT)  # OpenCV 5 moved it
    capture = _make_capture(source, backend, parameters)
    if not capture.isOpened():
        return None
    return Capture(capture)


def _make_capture(source: int | str, backend: int, parameters: list[int]) -> cv2.VideoCapture:
    """Make OpenCV's object; tests put their own in its place."""
    return cv2.VideoCapture(source, backend, parameters)
