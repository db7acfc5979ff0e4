"""One's own digits, checked before anything is trained on them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.dataset import IMAGE_SUFFIXES, SPLIT_SEED, Dataset, Examples, ImageReader
from edge_mnist.errors import DatasetError
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES, bring_into_shape

# Fewer of a digit tell nothing of a hand, and leave nothing to measure on.
MIN_IMAGES = 5

# Of each digit, and at least one: what is measured on at the end, and what ranges and temperatures
# are looked at on.
TEST_SHARE = 0.2
VALIDATION_SHARE = 1 / 12

# Sub-folders that hold no digits to learn: what collected digits looked like in their picture.
LEFT_OUT = frozenset({"seen"})

MAX_NAMED = 5

DIGIT_FOLDERS = tuple(map(str, range(NUM_CLASSES)))


@dataclass(frozen=True)
class OwnDigits:
    """Images that somebody labelled, and where each is from.

    Attributes:
        data: What `--data` said.
        names: Of each image: its file's path, or its number.
        examples: The images, as the model gets them.
    """

    data: str
    names: tuple[str, ...]
    examples: Examples

    def split(self) -> tuple[Examples, Examples, Examples]:
        """Return training, validation and test images: of each digit a share, by a fixed seed."""
        rng = np.random.default_rng(SPLIT_SEED)
        parts: tuple[list[Any], ...] = ([], [], [])
        for digit in np.unique(self.examples.labels):
            indices = rng.permutation(np.flatnonzero(self.examples.labels == digit))
            tested = max(1, round(len(indices) * TEST_SHARE))
            chosen = tested + max(1, round(len(indices) * VALIDATION_SHARE))
            for part, own in zip(
                parts, (indices[chosen:], indices[tested:chosen], indices[:tested]), strict=True
            ):
                part.append(own)
        train, validation, test = (
            self.examples.take(np.sort(np.concatenate(part))) for part in parts
        )
        return train, validation, test


def load_own_digits(
    data: str, read_image: ImageReader, load_dataset: Callable[[str], Dataset]
) -> OwnDigits:
    """Load digits and refuse what nothing can be learned from.

    Args:
        data: A folder of images in sub-folders 0 to 9, or another data set's name.
        read_image: Reads an image file as uint8 [height, width].
        load_dataset: Loads any other data set.

    Raises:
        DatasetError: If images stand where no digit is meant, are blank, or are too few.
        InvalidInputError: If a file holds no image.
    """
    folder = Path(data).expanduser()
    if folder.is_dir() and any(path.is_dir() for path in folder.iterdir()):
        own = _load_folder(data, folder, read_image)
    else:
        examples = load_dataset(data).everything()
        names = tuple(f"image {index}" for index in range(len(examples)))
        own = OwnDigits(data, names, examples)
    counts = np.bincount(own.examples.labels, minlength=NUM_CLASSES)
    few = [f"{count} of digit {digit}" for digit, count in enumerate(counts) if count < MIN_IMAGES]
    if few:
        raise DatasetError(
            f"too few images in {data}",
            expected=f"at least {MIN_IMAGES} of each digit",
            got=", ".join(few),
            remedy="collect more with edge-mnist predict --collect",
        )
    return own


def check_digits(own: OwnDigits, is_rejected: NDArray[np.bool_]) -> None:
    """Refuse images that a model takes for no digits.

    Args:
        own: The images.
        is_rejected: Whether the model rejects each, [N].

    Raises:
        DatasetError: If there is one; it names them.
    """
    rejected = [name for name, is_one in zip(own.names, is_rejected, strict=True) if is_one]
    if rejected:
        raise DatasetError(
            f"{len(rejected)} of {len(own.names)} images in {own.data} look like no digit",
            expected="digits",
            got=_name_some(rejected),
            remedy="take out those that are none, and keep the rest with --keep-rejected",
        )


def _load_folder(data: str, folder: Path, read_image: ImageReader) -> OwnDigits:
    _check_places(folder)
    paths = [(path, digit) for digit in DIGIT_FOLDERS for path in _list_images(folder / digit)]
    images, blank = [], []
    for path, _ in paths:
        image = bring_into_shape(read_image(path))
        if image is None:
            blank.append(str(path))
        else:
            images.append(image)
    if blank:
        raise DatasetError(
            f"{len(blank)} of {len(paths)} images in {folder} are blank",
            expected="ink on paper",
            got=_name_some(blank),
            remedy="take them out",
        )
    labels = np.array([int(digit) for _, digit in paths], np.uint8)
    shape = (-1, IMAGE_SIZE, IMAGE_SIZE)
    examples = Examples(np.array(images, np.uint8).reshape(shape), labels)
    return OwnDigits(data, tuple(str(path) for path, _ in paths), examples)


def _check_places(folder: Path) -> None:
    """Refuse images beside the ten folders, which nobody would miss before the end."""
    counts = Counter(
        {
            path.name: len(_list_images(path))
            for path in sorted(folder.iterdir())
            if path.is_dir() and path.name not in LEFT_OUT.union(DIGIT_FOLDERS)
        }
    )
    wrong = [f"{name!r} ({count})" for name, count in counts.items() if count]
    loose = len(_list_images(folder))
    if loose:
        wrong.append(f"none ({loose})")
    if wrong:
        raise DatasetError(
            f"images in {folder} stand in folders that name no digit",
            expected="sub-folders 0 to 9",
            got=_name_some(wrong),
            remedy="move them into the folders of what they are, or take them out",
        )


def _list_images(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    ]


def _name_some(names: Sequence[str]) -> str:
    """Return names, or the first of many and how many more there are."""
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
