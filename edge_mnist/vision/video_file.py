"""Reading video files frame by frame."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from edge_mnist.errors import SourceError
from edge_mnist.vision.capture import Capture, open_video
from edge_mnist.vision.frames import Picture

VIDEO_FORMATS = "MP4, MOV, AVI, MKV, WebM, GIF"
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".3gp", ".avi", ".mkv", ".webm", ".gif", ".mpg", ".mpeg", ".mts"}
    | {".ts", ".wmv", ".flv", ".ogv", ".mjpeg"}
)

# A disk or server that gives nothing for so long will not give anything.
_READ_TIMEOUT_S = 30.0

# So many frames in a row that cannot be read end a video, since its end looks the same.
_MAX_BROKEN_IN_A_ROW = 100

# Some containers do not count their frames; the number is then guessed from rate and length.
_TRUNCATED_SHARE = 0.9


def is_video(file: str) -> bool:
    """Tell whether a path or address is read as a video, not as a picture."""
    return "://" in file or Path(file).suffix.lower() in VIDEO_SUFFIXES


def hide_password(name: str) -> str:
    """Return an address without the user and password in it; paths are left as they are."""
    return re.sub(r"(?<=://)[^/@]*@", "", name)


def read_fps(file: str) -> float | None:
    """Return a video's frames a second, as far as it tells.

    Raises:
        SourceError: If it cannot be opened.
    """
    capture = _open(file)
    capture.release()
    return capture.fps


def read_video(
    file: str, tell: Callable[[str], None] = lambda failure: None
) -> Iterator[tuple[Picture, float]]:
    """Give every frame of a video; what is broken is left out.

    Args:
        file: A path, or the address of a video that has an end.
        tell: Is told, once at the end, if frames were broken, and if it ended early.

    Yields:
        The frame, uint8 [height, width, 3], and its time in the video in seconds.

    Raises:
        SourceError: If it cannot be opened or holds no frame that can be read.
    """
    capture = _open(file)
    n_read = n_broken = n_broken_in_a_row = 0
    try:
        while n_broken_in_a_row < _MAX_BROKEN_IN_A_ROW:
            picture = capture.read()
            if picture is None:
                n_broken_in_a_row += 1
                continue
            n_broken += n_broken_in_a_row
            n_broken_in_a_row = 0
            n_read += 1
            yield picture, capture.time_s
    finally:
        capture.release()
    if n_read == 0:
        raise _holds_no_video(file)
    name = hide_password(file)
    if n_broken:
        tell(f"{name}: {n_broken} of its frames cannot be read and are left out")
    if n_read + n_broken < _TRUNCATED_SHARE * capture.n_frames:
        tell(f"{name} ends early: expected {capture.n_frames} frames, got {n_read + n_broken}")


def _open(file: str) -> Capture:
    capture = open_video(file, _READ_TIMEOUT_S)
    if capture is None:
        raise _holds_no_video(file)
    return capture


def _holds_no_video(file: str) -> SourceError:
    got = "something else or a damaged file"
    if "://" in file:
        got = f"no answer, {got}"
    elif os.path.isfile(file) and os.path.getsize(file) == 0:
        got = "an empty file"
    return SourceError(
        f"cannot read {hide_password(file)}", expected=f"a video ({VIDEO_FORMATS})", got=got
    )
