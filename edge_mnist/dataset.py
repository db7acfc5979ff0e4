"""Digits to train on and to measure with: MNIST, optdigits, IDX files, folders of images.

The splits belong to this module. Training and validation come out of the training images by a
fixed seed; the test images stand apart, and nothing that trains, selects or calibrates takes them.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import DatasetError, InvalidInputError, MissingDependencyError
from edge_mnist.idx import find_idx, read_idx
from edge_mnist.mnist_files import MNIST_SHA256, Progress, read_mnist_file
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES, GrayImage, bring_into_shape

DEFAULT_DATA = "mnist"
DEFAULT_VALIDATION_SPLIT = 1 / 12  # 5,000 of MNIST's 60,000

# One seed for every split of every dataset, apart from the training's seed: two trainings that
# differ in their seed see the same images.
SPLIT_SEED = 20_201

# The share of a dataset without a test set of its own that is set aside as one.
TEST_SHARE = 0.2

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm"})

ImageReader = Callable[[Path], GrayImage]


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
        return join([part for part in (self.train, self.validation, self.test) if part is not None])


def join(parts: Sequence[Examples]) -> Examples:
    """Return the examples of all parts, in order."""
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


def is_image_folder(folder: Path) -> bool:
    """Return whether a folder holds at least one sub-folder named after a digit."""
    return any((folder / str(digit)).is_dir() for digit in range(NUM_CLASSES))


def _load_mnist(progress: Progress | None) -> tuple[Examples, Examples]:
    arrays = {name: read_mnist_file(name, progress) for name in MNIST_SHA256}
    return (
        Examples(arrays["train-images-idx3-ubyte"], arrays["train-labels-idx1-ubyte"]),
        Examples(arrays["t10k-images-idx3-ubyte"], arrays["t10k-labels-idx1-ubyte"]),
    )


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
    images_path = find_idx(folder, f"{prefix}-images-idx3-ubyte")
    labels_path = find_idx(folder, f"{prefix}-labels-idx1-ubyte")
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
        image = bring_into_shape(picture)
        if image is None:
            raise DatasetError(
                f"no digit in {name}", expected="ink on paper", got="a blank picture"
            )
        images.append(image)
    return Examples(np.stack(images), np.asarray(labels, np.uint8))


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
