"""Reading image files."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError
from edge_mnist.native_output import held_native_stderr
from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.exif import is_webp, read_orientation, turn_upright
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.unread_formats import REMEDY, name_unread
from edge_mnist.vision.video_file import is_video

IMAGE_FORMATS = "PNG, JPEG, BMP, TIFF, WebP, PGM"
IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm"}
)

# The longest side that is read in full; what is longer is read at a half, a quarter or an eighth.
MAX_SIDE_PX = 8192

# What OpenCV can reduce a JPEG by while it reads, and how each is asked for: in grey, in color.
_REDUCED_READING = {
    1: (cv2.IMREAD_GRAYSCALE, cv2.IMREAD_COLOR),
    2: (cv2.IMREAD_REDUCED_GRAYSCALE_2, cv2.IMREAD_REDUCED_COLOR_2),
    4: (cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_REDUCED_COLOR_4),
    8: (cv2.IMREAD_REDUCED_GRAYSCALE_8, cv2.IMREAD_REDUCED_COLOR_8),
}
_MOST_REDUCED = max(_REDUCED_READING)

_JPEG_SIGNATURE = b"\xff\xd8\xff"
# In either order of bytes; with 43 instead of 42 it is a BigTIFF.
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_image(path: Path) -> GrayImage:
    """Read an image file as grayscale; what is transparent becomes white.

    Args:
        path: Any format that OpenCV reads. A camera's rotation mark (EXIF) is followed.

    Returns:
        uint8 [height, width]; reduced if a side is longer than `MAX_SIDE_PX`.

    Raises:
        InvalidInputError: If the file cannot be read, holds no image or one that is too large.
    """
    gray, _ = _read(path, in_color=False)
    return gray


def read_picture(path: Path, say: Callable[[str], None] = lambda message: None) -> Picture:
    """Read an image file in color; what is transparent becomes white.

    Args:
        path: Any format that OpenCV reads. A camera's rotation mark (EXIF) is followed.
        say: Is told if the picture is read in a reduced size, and of pages that are not read.

    Returns:
        uint8 [height, width, 3], blue, green, red; reduced if a side is longer than `MAX_SIDE_PX`.

    Raises:
        InvalidInputError: If the file cannot be read, holds no image or one that is too large.
    """
    picture, reduction = _read(path, in_color=True)
    pages = _count_pages(path)
    if pages > 1:
        say(
            f"{path}: the first of its {pages} pages is read; save the others as files of their own"
        )
    if reduction > 1:
        say(f"{path}: longer than {MAX_SIDE_PX} px, it is read at 1/{reduction} of its size")
    return picture


def _read(path: Path, in_color: bool) -> tuple[NDArray[np.uint8], int]:
    """Return the picture, and how many times smaller than it is stored it was read."""
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise InvalidInputError(f"cannot read {path}", got=exc.strerror or str(exc)) from exc
    # Decoded from memory: OpenCV's own file reading fails on some names on Windows. The decoders
    # write notes to stderr, on color profiles for instance.
    with held_native_stderr():
        is_jpeg = content.startswith(_JPEG_SIGNATURE)
        # A first look, for the size and for transparency. JPEG has none and is quick to read small.
        stored = _decode(content, _REDUCED_READING[8][0] if is_jpeg else cv2.IMREAD_UNCHANGED)
        if stored is None:
            raise _holds_no_image(path, content)
        reduction = _choose_reduction(path, max(stored.shape[:2]) * (8 if is_jpeg else 1))
        if stored.ndim == 3 and stored.shape[2] == 4 and stored.dtype.kind == "u":
            return _flatten_onto_white(_shrink(stored, reduction), in_color), reduction
        del stored  # of a large picture there shall be one copy at a time
        flags = _REDUCED_READING[reduction if is_jpeg else 1][in_color]
        if is_webp(content):  # should OpenCV learn to turn it, it shall not be turned twice
            flags |= cv2.IMREAD_IGNORE_ORIENTATION
        picture = _decode(content, flags)
    if picture is None:
        raise _holds_no_image(path, content)
    if not is_jpeg:  # OpenCV reads it in full, too, and then fails on what is too thin to reduce
        picture = _shrink(picture, reduction)
    if is_webp(content):
        picture = turn_upright(picture, read_orientation(content))
    return picture.astype(np.uint8, copy=False), reduction


def _count_pages(path: Path) -> int:
    """Return how many pages a TIFF has that can be read; 1 for all other formats."""
    with path.open("rb") as file:
        is_tiff = file.read(len(_TIFF_SIGNATURES[0])) in _TIFF_SIGNATURES
    if not is_tiff:
        return 1
    with held_native_stderr():
        return cv2.imcount(str(path))


def _choose_reduction(path: Path, side: int) -> int:
    """Return by what to reduce a picture whose longer side has so many pixels."""
    for reduction in _REDUCED_READING:
        if side <= reduction * MAX_SIDE_PX:
            return reduction
    raise InvalidInputError(
        f"cannot read {path}",
        expected=f"at most {_MOST_REDUCED * MAX_SIDE_PX} px a side",
        got=f"{side} px",
        remedy="scale it down or cut it into parts",
    )


def _decode(content: bytes, flags: int) -> NDArray[Any] | None:
    if not content:
        return None
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:  # an image larger than OpenCV's limit of 2^30 pixels, or than the memory
        return None


def _holds_no_image(path: Path, content: bytes) -> InvalidInputError:
    got, remedy = "something else or a damaged file" if content else "an empty file", None
    unread = name_unread(content)
    if unread is not None:
        got, remedy = unread, REMEDY
    elif content and is_video(str(path)):
        got = "a video, by its name"
        remedy = f"videos are read with: edge-mnist webcam --source {shlex.quote(str(path))}"
    return InvalidInputError(
        f"cannot read {path}", expected=f"an image ({IMAGE_FORMATS})", got=got, remedy=remedy
    )


def _shrink(stored: NDArray[Any], reduction: int) -> NDArray[Any]:
    if reduction == 1:
        return stored
    height, width = (max(1, round(side / reduction)) for side in stored.shape[:2])
    return cv2.resize(stored, (width, height), interpolation=cv2.INTER_AREA)


def _flatten_onto_white(bgra: NDArray[Any], in_color: bool) -> NDArray[np.uint8]:
    """Return a picture with transparency, uint8 or uint16 [height, width, 4], on white paper."""
    full = np.iinfo(bgra.dtype).max
    opacity = bgra[..., 3].astype(np.float32) / full
    if in_color:
        opacity = opacity[..., np.newaxis]
        ink = bgra[..., :3]
    else:
        ink = cv2.cvtColor(bgra[..., :3], cv2.COLOR_BGR2GRAY)
    ink = ink.astype(np.float32) / full
    flat: NDArray[np.uint8] = np.rint(255 * (ink * opacity + 1 - opacity)).astype(np.uint8)
    return flat
