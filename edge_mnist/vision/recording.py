"""Saving frames as a video."""

import errno
import os
import shutil
from pathlib import Path
from typing import Protocol

import cv2
from PIL import Image, UnidentifiedImageError

from edge_mnist.errors import InvalidInputError
from edge_mnist.files import make_beside, put_in_place
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.gif import GifEncoder
from edge_mnist.vision.tiling import fit

SUFFIXES = (".mp4", ".gif")

# The frames that a video's rate is measured on where the source does not tell it.
MEASURED_FRAMES = 10
FALLBACK_FPS = 10.0
# A longer break, as of a pause or a camera that was unplugged, is not shown at full length.
MAX_GAP_S = 1.0

# The encoder does not tell of a full disk, and an MP4 without the index at its end is lost: saving
# ends while there is room for the encoder's buffer, a frame and the index.
BUFFER_BYTES = 1 << 20
INDEX_BYTES = 32  # of one frame


class Encoder(Protocol):
    """What turns frames into a file."""

    def add(self, picture: Picture, time_s: float) -> None:
        """Add a frame, uint8 [height, width, 3]; raises OSError if the disk is full."""
        ...

    def finish(self) -> None:
        """Write what is left and close the file; raises OSError if the disk is full."""
        ...


def check_recording_path(path: Path) -> None:
    """Check that a video can be saved under this name.

    Raises:
        InvalidInputError: If the suffix is not one of `SUFFIXES`, or a folder has the name.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidInputError(
            f"cannot save {path}", expected=f"a name that ends in {' or '.join(SUFFIXES)}"
        )
    if path.is_dir():
        raise InvalidInputError(f"cannot save {path}", expected="a file", got="a folder")


class Recording:
    """A video that is being saved. It has its name, and replaces what had it, once it is closed.

    Attributes:
        path: Where it will be.
        frames: How many were given to it.
        is_saved: Whether it has its name.
    """

    def __init__(self, path: Path, fps: float | None) -> None:
        """Start a video.

        Args:
            path: Its suffix is one of `SUFFIXES`.
            fps: Frames a second; None to measure.

        Raises:
            InvalidInputError: If nothing can be saved there.
        """
        check_recording_path(path)
        self.path = path
        self.frames = 0
        self.is_saved = False
        try:
            self._temporary = make_beside(path)
        except OSError as exc:
            raise InvalidInputError(f"cannot save {path}", got=exc.strerror) from exc
        self._encoder: Encoder | None = (
            GifEncoder(self._temporary)
            if path.suffix.lower() == ".gif"
            else Mp4Encoder(self._temporary, fps)
        )
        self._size: tuple[int, int] | None = None  # width, height
        self._source_time_s = self._time_s = 0.0

    def write(self, picture: Picture, time_s: float) -> None:
        """Add a frame.

        Args:
            picture: uint8 [height, width, 3]; fitted into the size of the first.
            time_s: When it was taken.

        Raises:
            OSError: If the disk is full: close the recording then.
        """
        if self._encoder is None:
            raise ValueError("the recording is closed")
        if self._size is None:
            self._size = picture.shape[1], picture.shape[0]
            self._source_time_s = time_s
        self._time_s += min(max(0.0, time_s - self._source_time_s), MAX_GAP_S)
        self._source_time_s = time_s
        self._encoder.add(fit(picture, *self._size), self._time_s)
        self.frames += 1

    def close(self) -> None:
        """Finish the file and give it its name; a recording without a frame leaves nothing.

        Raises:
            OSError: If it could not be finished. What can be read of it is there all the same.
        """
        encoder, self._encoder = self._encoder, None
        if encoder is None:
            return
        try:
            encoder.finish()
        finally:
            if self.frames and _is_readable(self._temporary):
                put_in_place(self._temporary, self.path)
                self.is_saved = True
            else:
                self._temporary.unlink(missing_ok=True)


class Mp4Encoder:
    """Writes frames at a steady rate, as often as time asks for."""

    def __init__(self, path: Path, fps: float | None) -> None:
        """Write to a file that exists, so many frames a second; None to measure."""
        self._path = path
        self._fps = fps
        self._waiting: list[tuple[Picture, float]] = []
        self._writer: cv2.VideoWriter | None = None
        self._written = 0

    def add(self, picture: Picture, time_s: float) -> None:
        """Add a frame.

        Args:
            picture: uint8 [height, width, 3], all of the same size.
            time_s: When it is to be seen, from 0.

        Raises:
            OSError: If the disk is about to be full, or OpenCV cannot write such a file.
        """
        if self._writer is not None:
            self._write(picture, time_s)
            return
        self._waiting.append((picture, time_s))
        if self._fps is not None or len(self._waiting) >= MEASURED_FRAMES:
            self._write_waiting()

    def finish(self) -> None:
        """Write what is left and the index.

        Raises:
            OSError: If the file cannot be read afterwards.
        """
        try:
            if self._waiting:
                self._write_waiting()
        finally:
            if self._writer is not None:
                self._writer.release()
        if self._written and not _is_readable(self._path):
            raise OSError(errno.EIO, "the encoder could not write all of it")

    def _write_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        height, width = waiting[0][0].shape[:2]
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        fps = self._fps or _measure_fps([time_s for _, time_s in waiting])
        self._fps = fps
        self._writer = cv2.VideoWriter(str(self._path), codec, fps, (width, height))
        if not self._writer.isOpened():
            self._check_room(waiting[0][0])
            raise OSError(errno.ENOTSUP, "this OpenCV cannot write MP4; save a .gif")
        for picture, time_s in waiting:
            self._write(picture, time_s)

    def _write(self, picture: Picture, time_s: float) -> None:
        assert self._writer is not None  # noqa: S101
        assert self._fps is not None  # noqa: S101
        self._check_room(picture)
        while self._written <= round(time_s * self._fps):
            self._writer.write(picture)
            self._written += 1

    def _check_room(self, picture: Picture) -> None:
        needed = BUFFER_BYTES + picture.nbytes + INDEX_BYTES * self._written
        if shutil.disk_usage(self._path.parent).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _measure_fps(times_s: list[float]) -> float:
    """Return how many frames a second there were."""
    elapsed_s = times_s[-1] - times_s[0]
    return (len(times_s) - 1) / elapsed_s if elapsed_s > 0 else FALLBACK_FPS


def _is_readable(path: Path) -> bool:
    """Return whether a video has a first frame."""
    if path.suffix.lower() == ".gif":
        try:
            Image.open(path).close()
        except UnidentifiedImageError:
            return False
        return True
    video = cv2.VideoCapture(str(path))
    try:
        return video.read()[0]
    finally:
        video.release()
