"""Reading image files."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import GrayImage


def read_image(path: Path) -> GrayImage:
    """Read an image file as grayscale; what is transparent becomes white.

    Args:
        path: Any format that OpenCV reads. A camera's rotation mark (EXIF) is followed.

    Returns:
        uint8 [height, width].

    Raises:
        InvalidInputError: If the file cannot be read or holds no image.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as exc:
        raise InvalidInputError(f"cannot read {path}", got=exc.strerror or str(exc)) from exc
    # Decoded from memory: OpenCV's own file reading fails on some names on Windows.
    stored = _decode(content, cv2.IMREAD_UNCHANGED)
    if (
        stored is not None
        and stored.ndim == 3
        and stored.shape[2] == 4
        and stored.dtype.kind == "u"
    ):
        return _flatten_onto_white(stored)
    gray = _decode(content, cv2.IMREAD_GRAYSCALE)
    if gray is None:
        raise InvalidInputError(
            f"cannot read {path}",
            expected="an image (PNG, JPEG, BMP, TIFF, WebP, PGM)",
            got="something else or a damaged file" if content.size else "an empty file",
        )
    return gray.astype(np.uint8)


def _decode(content: NDArray[np.uint8], flags: int) -> NDArray[Any] | None:
    if content.size == 0:
        return None
    try:
        return cv2.imdecode(content, flags)
    except cv2.error:  # an image larger than OpenCV's limit
        return None


def _flatten_onto_white(bgra: NDArray[Any]) -> GrayImage:
    """Return a picture with transparency, uint8 or uint16 [height, width, 4], on white paper."""
    full = np.iinfo(bgra.dtype).max
    gray = cv2.cvtColor(bgra[..., :3], cv2.COLOR_BGR2GRAY).astype(np.float32) / full
    opacity = bgra[..., 3].astype(np.float32) / full
    flat: GrayImage = np.rint(255 * (gray * opacity + 1 - opacity)).astype(np.uint8)
    return flat
