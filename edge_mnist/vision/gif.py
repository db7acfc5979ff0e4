"""Animated GIFs, written frame by frame."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from edge_mnist.vision.frames import Picture

# More often than that a GIF grows for nothing that reading digits would need.
MAX_FPS = 10.0
# How long the last frame stays.
LAST_FRAME_S = 1.0
# A frame's colours; one more is what was there before.
COLORS = 63
UNCHANGED = COLORS
# Levels that a pixel differs by from when it was last written before it is written again: above
# a camera's noise, which would make every frame as large as the first.
TOLERANCE = 20

# The specification is CompuServe's GIF89a; the loop, without end, is Netscape's extension.
HEADER = b"GIF89a"
LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
TRAILER = b";"
KEEP = 1  # disposal: the next frame is drawn over this one


class GifEncoder:
    """Writes frames as they come: a file that is whole after each, in memory for two frames.

    Pillow writes an animation from all of its frames at once, so only its compression of one frame
    is used.
    """

    def __init__(self, path: Path) -> None:
        """Write to a file that exists; raises OSError if that fails."""
        # Unbuffered, so that an error is raised where it belongs.
        self._file = path.open("r+b", buffering=0)
        self._end = 0
        self._pending: tuple[Picture, float] | None = None
        # As last written, pixel by pixel.
        self._shown: NDArray[np.int16] | None = None

    def add(self, picture: Picture, time_s: float) -> None:
        """Add a frame; one that comes too soon after the last is left out.

        Args:
            picture: uint8 [height, width, 3], all of the same size.
            time_s: When it is to be seen.

        Raises:
            OSError: If the disk is full. What was written before stays readable.
        """
        if self._pending is not None:
            if time_s - self._pending[1] < 0.99 / MAX_FPS:
                return
            self._write_pending(time_s)
        self._pending = picture, time_s

    def finish(self) -> None:
        """Write the last frame and close the file.

        Raises:
            OSError: If the disk is full. What was written before stays readable.
        """
        try:
            if self._pending is not None:
                self._write_pending(self._pending[1] + LAST_FRAME_S)
        finally:
            self._file.close()

    def _write_pending(self, until_s: float) -> None:
        assert self._pending is not None  # noqa: S101
        (picture, from_s), self._pending = self._pending, None
        start = b""
        if self._shown is None:
            height, width = picture.shape[:2]
            start = HEADER + struct.pack("<HHBBB", width, height, 0, 0, 0) + LOOP
            self._shown = np.full(picture.shape, -255, np.int16)
        is_changed = (np.abs(picture - self._shown) > TOLERANCE).any(axis=2)
        self._shown[is_changed] = picture[is_changed]
        # A frame that changes nothing still takes its time: one pixel of it is enough.
        rows = np.flatnonzero(is_changed.any(axis=1)) if is_changed.any() else np.array([0])
        columns = np.flatnonzero(is_changed.any(axis=0)) if is_changed.any() else np.array([0])
        top, left = int(rows[0]), int(columns[0])
        part = np.s_[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
        image = _quantize(picture[part], is_changed[part])
        frame = GifImagePlugin.getdata(
            image,
            (left, top),
            # A GIF counts hundredths; those that are rounded off do not add up.
            duration=10 * (round(100 * until_s) - round(100 * from_s)),
            transparency=UNCHANGED,
            disposal=KEEP,
            include_color_table=True,
        )
        self._append(start + b"".join(frame))

    def _append(self, content: bytes) -> None:
        """Write behind what there is, trailer included: the file ends well at any time."""
        try:
            self._write_at(self._end, content + TRAILER)
        except BaseException:
            # The trailer's byte is there already, so a full disk has room for it.
            self._write_at(self._end, TRAILER)
            self._file.truncate(self._end + len(TRAILER))
            raise
        self._end += len(content)

    def _write_at(self, position: int, content: bytes) -> None:
        self._file.seek(position)
        while content:
            content = content[self._file.write(content) :]


def _quantize(picture: Picture, is_changed: NDArray[np.bool_]) -> Image.Image:
    """Return the changed pixels in few colours, the others transparent."""
    rgb = Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))
    colored = rgb.quantize(COLORS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    indices = np.where(is_changed, np.asarray(colored), UNCHANGED).astype(np.uint8)
    image = Image.frombytes("P", rgb.size, indices.tobytes())
    palette = (colored.getpalette() or [])[: 3 * COLORS]
    image.putpalette(palette + [0] * (3 * (COLORS + 1) - len(palette)))
    return image
