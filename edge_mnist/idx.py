"""IDX files, the format that MNIST comes in."""

import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import DatasetError

# The IDX header (yann.lecun.com/exdb/mnist): two zero bytes, the type, the number of axes.
IDX_UINT8 = 0x08
MAX_IDX_AXES = 32  # what every NumPy can hold


def read_idx(path: Path, *, sha256: str | None = None) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, gzipped or not.

    Args:
        path: The file.
        sha256: What its uncompressed content must hash to.

    Returns:
        uint8 of the shape that the file's header gives.

    Raises:
        DatasetError: If the file is unreadable, truncated, not IDX, or not the one expected.
    """
    remedy = f"delete {path} and get it again"
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as exc:
        raise DatasetError(f"cannot read {path}", got=str(exc), remedy=remedy) from exc
    if sha256 is not None:
        actual = hashlib.sha256(content).hexdigest()
        if actual != sha256:
            raise DatasetError(
                f"{path} is not the file that its name says",
                expected=f"SHA-256 {sha256[:12]}…",
                got=f"{actual[:12]}…",
                remedy=remedy,
            )
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != IDX_UINT8:
        raise DatasetError(
            f"{path} is not an IDX file of bytes",
            expected="a header that starts with 00 00 08",
            got=content[:4].hex(" ") or "an empty file",
            remedy=remedy,
        )
    header_bytes = 4 + 4 * content[3]
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, header_bytes, 4)]
    if content[3] > MAX_IDX_AXES or len(content) != header_bytes + math.prod(shape):
        raise DatasetError(
            f"{path} is truncated or damaged",
            expected=f"{shape} bytes after the header",
            got=str(len(content) - header_bytes),
            remedy=remedy,
        )
    return np.frombuffer(content, np.uint8, offset=header_bytes).reshape(shape)


def find_idx(folder: Path, name: str) -> Path | None:
    """Return the IDX file of a name in a folder, gzipped or not, None if there is none."""
    # Some archives spell it train-images.idx3-ubyte.
    for spelling in (name, name.replace("-idx", ".idx")):
        for path in (folder / spelling, folder / f"{spelling}.gz"):
            if path.is_file():
                return path
    return None
