"""How a camera was held, as noted in a WebP (EXIF): OpenCV sees to that in other formats only."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

ORIENTATION_TAG = 0x0112
UPRIGHT = 1

# RIFF, the file's size, WEBP; then chunks: a name, a size, as many bytes, and one if that is odd.
_FIRST_CHUNK = 12
_CHUNK_HEADER = 8
# In a TIFF's directory: a tag, a type and a count before the value, 12 bytes in all.
_ENTRY_SIZE, _VALUE_PLACE = 12, 8


def is_webp(content: bytes) -> bool:
    """Tell whether a file's content is a WebP."""
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def read_orientation(webp: bytes) -> int:
    """Return the orientation that a WebP notes, 1 to 8 as in EXIF 2.32, 4.6.4; 1 if it notes none.

    Args:
        webp: The file's content.
    """
    exif = _find_chunk(webp, b"EXIF").removeprefix(b"Exif\0\0")  # some write JPEG's prefix, too
    order: Literal["little", "big"] = "little" if exif[:2] == b"II" else "big"

    def read_number(place: int, size: int) -> int:
        return int.from_bytes(exif[place : place + size], order)  # 0 beyond the end

    directory = read_number(4, 4)
    for index in range(read_number(directory, 2)):
        entry = directory + 2 + index * _ENTRY_SIZE
        if read_number(entry, 2) == ORIENTATION_TAG:
            orientation = read_number(entry + _VALUE_PLACE, 2)
            return orientation if orientation in range(1, 9) else UPRIGHT
    return UPRIGHT


def turn_upright(picture: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return a picture, [height, width, ...], as it is seen upright."""
    if orientation in (5, 6, 7, 8):
        picture = picture.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def _find_chunk(webp: bytes, name: bytes) -> bytes:
    """Return what the chunk of this name holds; nothing if there is none."""
    place = _FIRST_CHUNK
    while place < len(webp):
        body = place + _CHUNK_HEADER
        size = int.from_bytes(webp[place + 4 : body], "little")
        if webp[place : place + 4] == name:
            return webp[body : body + size]
        place = body + size + size % 2
    return b""
