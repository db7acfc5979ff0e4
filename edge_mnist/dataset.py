"""Digits to train on and to measure with: MNIST, optdigits, IDX files, folders of images.

The splits belong to this module. Training and validation come out of the training images by a
fixed seed; the test images stand apart, and nothing that trains, selects or calibrates takes them.
"""

import gzip
import hashlib
import http.client
import math
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import DatasetError, InvalidInputError, MissingDependencyError
from edge_mnist.files import write_atomically
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES, GrayImage, normalize_digit

DATA_ENV = "EDGE_MNIST_DATA"
DEFAULT_DATA = "mnist"
DEFAULT_VALIDATION_SPLIT = 1 / 12  # 5,000 of MNIST's 60,000

# One seed for every split of every dataset, apart from the training's seed: two trainings that
# differ in their seed see the same images.
SPLIT_SEED = 20_201

# The share of a dataset without a test set of its own that is set aside as one.
TEST_SHARE = 0.2

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
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm"})

# The IDX header (yann.lecun.com/exdb/mnist): two zero bytes, the type, the number of axes.
IDX_UINT8 = 0x08
MAX_IDX_AXES = 32  # what every NumPy can hold

ImageReader = Callable[[Path], GrayImage]
Progress = Callable[[str, int, int | None], None]
"""Called with what is under way, the bytes so far, and the bytes in all if they are known."""


@dataclass(frozen=True)
class Examples:
    """Images and their labels.

    Attributes:
        images: uint8 [N, 28, 28], 0 is paper and 255 is ink.
        labels: uint8 [N], 0 to 9.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64]) -> "Examples":
        """Return the examples at these indices, in this order."""
        return Examples(self.images[indices], self.labels[indices])


@dataclass(frozen=True)
class Dataset:
    """Three splits that share no image.

    Attributes:
        name: What `--data` said: mnist, optdigits or a folder's path.
        train: What weights are fitted to, and int8 ranges calibrated on.
        validation: What choices are made on: epochs, methods, temperatures.
        test: What the last measurement is made on; None if there is none.
        sha256: Of all pixels and labels, in order.
    """

    name: str
    train: Examples
    validation: Examples
    test: Examples | None
    sha256: str

    def without_test(self) -> "Dataset":
        """Return the dataset as training and quantization get it."""
        return replace(self, test=None)

    def everything(self) -> Examples:
        """Return all splits joined, to measure a model that was trained on other data."""
        parts = [part for part in (self.train, self.validation, self.test) if part is not None]
        return Examples(
            np.concatenate([part.images for part in parts]),
            np.concatenate([part.labels for part in parts]),
        )


def load(
    data: str = DEFAULT_DATA,
    *,
    validation_split: float = DEFAULT_VALIDATION_SPLIT,
    read_image: ImageReader | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Load a dataset by what the user calls it.

    Args:
        data: "mnist", "optdigits", a folder of IDX files (.gz or not), or a folder of images in
            sub-folders 0 to 9.
        validation_split: Share of the training images to set aside, above 0 and below 1.
        read_image: Reads an image file as uint8 [height, width]; needed for image folders.
        progress: Told about downloads.

    Raises:
        DatasetError: If the data is missing or broken.
        InvalidInputError: If `validation_split` is out of range.
        MissingDependencyError: If optdigits is asked for and scikit-learn is not installed.
    """
    if not 0 < validation_split < 1:
        raise InvalidInputError(
            "validation split", expected="above 0 and below 1", got=str(validation_split)
        )
    train: Examples
    test: Examples | None
    if data == "mnist":
        train, test = _load_mnist(progress)
    elif data == "optdigits":
        train, test = _hold_out(_load_optdigits(), TEST_SHARE)
    else:
        train, test = _load_folder(Path(data).expanduser(), read_image)
    sha256 = _hash_examples(train, test)
    train, validation = _hold_out(train, validation_split)
    return Dataset(data, train, validation, test, sha256)


def cache_dir() -> Path:
    """Return the folder that downloads are kept in."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("edge-mnist", appauthor=False)) / "mnist"


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


def is_image_folder(folder: Path) -> bool:
    """Return whether a folder holds at least one sub-folder named after a digit."""
    return any((folder / str(digit)).is_dir() for digit in range(NUM_CLASSES))


def _load_mnist(progress: Progress | None) -> tuple[Examples, Examples]:
    arrays = {name: _read_mnist_file(name, progress) for name in MNIST_SHA256}
    return (
        Examples(arrays["train-images-idx3-ubyte"], arrays["train-labels-idx1-ubyte"]),
        Examples(arrays["t10k-images-idx3-ubyte"], arrays["t10k-labels-idx1-ubyte"]),
    )


def _read_mnist_file(name: str, progress: Progress | None) -> NDArray[np.uint8]:
    found = _find_mnist_file(name)
    if found is None:
        found = cache_dir() / f"{name}.gz"
        _download(name, found, progress)
    return read_idx(found, sha256=MNIST_SHA256[name])


def _find_mnist_file(name: str) -> Path | None:
    folders = [Path(os.environ[DATA_ENV])] if os.environ.get(DATA_ENV) else []
    for folder in (*folders, cache_dir()):
        found = _find_idx(folder, name)
        if found is not None:
            return found
    return None


def _download(name: str, target: Path, progress: Progress | None) -> None:
    """Fetch one MNIST file from the first mirror that has it whole."""
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


def _load_optdigits() -> Examples:
    """Load the 1,797 digits of 8x8 pixels that scikit-learn carries, made into MNIST's form."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as exc:
        raise MissingDependencyError(
            "--data optdigits needs scikit-learn", remedy="pip install 'edge-mnist[train]'"
        ) from exc
    digits = load_digits()
    pictures = np.rint(digits.images * (255 / 16)).astype(np.uint8)  # 17 levels, 0 to 16
    return _normalize_all(
        ((f"optdigits image {index}", picture) for index, picture in enumerate(pictures)),
        digits.target,
    )


def _load_folder(folder: Path, read_image: ImageReader | None) -> tuple[Examples, Examples | None]:
    if not folder.is_dir():
        raise DatasetError(
            f"cannot find the data {str(folder)!r}",
            expected="mnist, optdigits, a folder of IDX files or a folder of images in "
            "sub-folders 0 to 9",
            got="a file" if folder.exists() else "nothing of that name",
        )
    if is_image_folder(folder):
        return _hold_out(_load_image_folder(folder, read_image), TEST_SHARE)
    train = _load_idx_pair(folder, "train")
    if train is None:
        raise DatasetError(
            f"no digits in {folder}",
            expected="train-images-idx3-ubyte and train-labels-idx1-ubyte (.gz or not), or "
            "sub-folders 0 to 9 with images",
            got=", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "an empty folder",
        )
    return train, _load_idx_pair(folder, "t10k")


def _load_idx_pair(folder: Path, prefix: str) -> Examples | None:
    images_path = _find_idx(folder, f"{prefix}-images-idx3-ubyte")
    labels_path = _find_idx(folder, f"{prefix}-labels-idx1-ubyte")
    if images_path is None or labels_path is None:
        return None
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise DatasetError(
            f"{images_path} holds other images", expected="[N, 28, 28]", got=str(images.shape)
        )
    if labels.shape != images.shape[:1] or len(labels) == 0:
        raise DatasetError(
            f"{labels_path} does not fit {images_path.name}",
            expected=f"{len(images)} labels, at least one",
            got=str(list(labels.shape)),
        )
    if labels.max() >= NUM_CLASSES:
        raise DatasetError(
            f"{labels_path} holds other labels", expected="0 to 9", got=f"up to {labels.max()}"
        )
    return Examples(images, labels)


def _load_image_folder(folder: Path, read_image: ImageReader | None) -> Examples:
    if read_image is None:
        raise InvalidInputError(
            f"cannot load the images in {folder}", expected="an image reader", got="none"
        )
    paths = [
        (path, digit)
        for digit in range(NUM_CLASSES)
        for path in sorted((folder / str(digit)).glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    ]
    if not paths:
        raise DatasetError(
            f"no images in {folder}",
            expected=f"files ending in {', '.join(sorted(IMAGE_SUFFIXES))} in sub-folders 0 to 9",
            got="none",
        )
    return _normalize_all(
        ((str(path), read_image(path)) for path, _ in paths),
        np.array([digit for _, digit in paths]),
    )


def _normalize_all(pictures: Any, labels: NDArray[Any]) -> Examples:
    images = []
    for name, picture in pictures:
        digit = normalize_digit(picture)
        if digit is None:
            raise DatasetError(
                f"no digit in {name}", expected="ink on paper", got="a blank picture"
            )
        images.append(digit.image)
    return Examples(np.stack(images), np.asarray(labels, np.uint8))


def _find_idx(folder: Path, name: str) -> Path | None:
    # Some archives spell it train-images.idx3-ubyte.
    for spelling in (name, name.replace("-idx", ".idx")):
        for path in (folder / spelling, folder / f"{spelling}.gz"):
            if path.is_file():
                return path
    return None


def _hold_out(examples: Examples, share: float) -> tuple[Examples, Examples]:
    """Split off a share, at least one example a side, by the fixed seed."""
    count = round(len(examples) * share)
    if not 0 < count < len(examples):
        raise DatasetError(
            "too few images to split",
            expected="enough for a training, a validation and a test image",
            got=f"{len(examples)} with a share of {share:.3g} set aside",
        )
    order = np.random.default_rng(SPLIT_SEED).permutation(len(examples))
    # Sorted, so that a split keeps the order of the file.
    return examples.take(np.sort(order[count:])), examples.take(np.sort(order[:count]))


def _hash_examples(train: Examples, test: Examples | None) -> str:
    digest = hashlib.sha256()
    for part in (train, test):
        if part is not None:
            digest.update(part.images.tobytes())
            digest.update(part.labels.tobytes())
    return digest.hexdigest()
