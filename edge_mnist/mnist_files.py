"""MNIST's four files: where they are looked for, how they are downloaded and checked."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import DatasetError
from edge_mnist.files import write_atomically
from edge_mnist.idx import find_idx, read_idx

DATA_ENV = "EDGE_MNIST_DATA"
MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
DOWNLOAD_TIMEOUT_S = 20
DOWNLOAD_CHUNK_BYTES = 1 << 16

# SHA-256 of the uncompressed files: the same MNIST has been packed by several gzips.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

Progress = Callable[[str, int, int | None], None]
"""Called with what is under way, the bytes so far, and the bytes in all if they are known."""


def cache_dir() -> Path:
    """Return the folder that downloads are kept in."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("edge-mnist", appauthor=False)) / "mnist"


def locate_mnist(name: str) -> Path | None:
    """Return where one of MNIST's four files is on this machine, None if it is not.

    Args:
        name: A key of MNIST_SHA256.

    Raises:
        DatasetError: If it is there but damaged.
    """
    found = _find_mnist_file(name)
    if found is not None:
        read_idx(found, sha256=MNIST_SHA256[name])
    return found


def read_mnist_file(name: str, progress: Progress | None) -> NDArray[np.uint8]:
    """Read one of MNIST's four files: from the user's folder, the cache, or a mirror.

    Args:
        name: A key of MNIST_SHA256.
        progress: Told about the download.

    Raises:
        DatasetError: If it is damaged, or neither here nor to be downloaded.
    """
    found = _find_mnist_file(name)
    if found is None:
        found = cache_dir() / f"{name}.gz"
        _download(name, found, progress)
    return read_idx(found, sha256=MNIST_SHA256[name])


def _find_mnist_file(name: str) -> Path | None:
    folders = [Path(os.environ[DATA_ENV])] if os.environ.get(DATA_ENV) else []
    for folder in (*folders, cache_dir()):
        found = find_idx(folder, name)
        if found is not None:
            return found
    return None


def _download(name: str, target: Path, progress: Progress | None) -> None:
    """Fetch one MNIST file from the first mirror that has it whole."""
    # They bring in ssl and email: 15 ms that only a download shall cost.
    import http.client
    import urllib.request

    failures = []
    for mirror in MIRRORS:
        url = f"{mirror}{name}.gz"
        try:
            with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT_S) as response:  # noqa: S310
                packed = _read_response(response, name, progress)
            # Checked before it gets its name: a broken file never stands in the cache.
            actual = hashlib.sha256(gzip.decompress(packed)).hexdigest()
        except (OSError, http.client.HTTPException, EOFError, zlib.error) as exc:
            failures.append(f"{url}: {getattr(exc, 'reason', exc)}")
            continue
        if actual != MNIST_SHA256[name]:
            failures.append(f"{url}: content has SHA-256 {actual[:12]}…")
            continue
        try:
            write_atomically(target, packed)
        except OSError as exc:
            raise DatasetError(
                f"cannot keep MNIST's {name} in {target.parent}",
                got=str(exc),
                remedy=f"make it writable, or put MNIST's four files into a folder and set "
                f"{DATA_ENV} to it",
            ) from exc
        return
    raise DatasetError(
        f"cannot download MNIST's {name}",
        got=" and ".join(failures),
        remedy=f"three ways out: connect to the network and try again, put MNIST's four files "
        f"into a folder and set {DATA_ENV} to it, or use --data optdigits",
    )


def _read_response(response: Any, name: str, progress: Progress | None) -> bytes:
    length = response.headers.get("Content-Length")
    total_bytes = int(length) if length else None
    content = bytearray()
    while chunk := response.read(DOWNLOAD_CHUNK_BYTES):
        content += chunk
        if progress is not None:
            progress(name, len(content), total_bytes)
    return bytes(content)
