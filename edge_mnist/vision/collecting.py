"""Keeping what was read as pictures of one digit each, to learn from.

They go into sub-folders 0 to 9 of a folder by the digit that was read, as `--data` takes them, and
beside these into `seen` as they looked in the picture, for whoever moves them where they belong.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.cascade import DigitModel
from edge_mnist.errors import InvalidInputError
from edge_mnist.files import write_atomically
from edge_mnist.prediction import Prediction
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES, GrayImage
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.image_file import read_image
from edge_mnist.vision.reading import Box, FoundDigit, Number

SUFFIX = ".png"
SEEN_FOLDER = "seen"
# What is seen around a digit's box, in shares of its longer side.
SEEN_MARGIN = 0.5

# The difference hash of Neal Krawetz ("Kind of Like That", hackerfactor.com, 2013) of the 20x20
# box that a digit fills, with 16x16 bits in place of 8x8, and a difference that counts: most of
# such an image is paper, all alike. Of 3,000 MNIST digits 10 % have another as near as this, ones
# nearly all; of digits that are photographed again, a third.
HASH_SIZE = 16
HASH_BOX = slice(4, IMAGE_SIZE - 4)
HASH_STEP = 8
MAX_DUPLICATE_BITS = 10

MAX_NAME = 60


class KeepingModel:
    """Keeps the images which a model read, for a `Collector`."""

    def __init__(self, model: DigitModel) -> None:
        """Take the place of a model."""
        self._model = model
        self._kept: list[tuple[Prediction, GrayImage]] = []

    def predict(self, image: NDArray[np.uint8]) -> Prediction:
        """Read one digit; see `Classifier.predict`."""
        prediction = self._model.predict(image)
        self._kept.append((prediction, image))
        return prediction

    def predict_batch(self, images: NDArray[np.uint8]) -> list[Prediction]:
        """Read many digits; see `Classifier.predict_batch`."""
        predictions = self._model.predict_batch(images)
        self._kept += zip(predictions, images, strict=True)
        return predictions

    def find_crop(self, found: FoundDigit) -> GrayImage | None:
        """Return the image that a digit was read from, uint8 [28, 28]; None if it is forgotten."""
        for prediction, image in self._kept:
            if prediction.digit == found.digit and prediction.probabilities is found.probabilities:
                return image
        return None

    def forget(self) -> None:
        """Let go of all images; what is read from now on is another picture."""
        self._kept.clear()


class Collector:
    """Saves digits that it has not seen before.

    Attributes:
        folder: Where they go.
        saved: How many it saved.
        skipped: How many it left out, since one like them was there.
    """

    def __init__(self, folder: Path) -> None:
        """Look through what the folder holds already, wherever it was moved to in it.

        Raises:
            InvalidInputError: If it cannot be a folder.
        """
        self.folder = folder
        self.saved = self.skipped = 0
        self._watched: KeepingModel | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise InvalidInputError(
                f"--collect {folder}", expected="a folder", got=exc.strerror or str(exc)
            ) from exc
        self._hashes = [
            hash_crop(crop)
            for digit in range(NUM_CLASSES)
            for path in sorted((folder / str(digit)).glob(f"*{SUFFIX}"))
            if (crop := _read_crop(path)) is not None
        ]

    def add(self, picture: Picture, name: str, found: FoundDigit, crop: GrayImage) -> None:
        """Save a digit, unless one like it is there.

        Args:
            picture: What it was read in, uint8 [height, width, 3] or [height, width].
            name: What its file's name begins with; from `name_source`.
            found: The digit and its place.
            crop: What the model read, uint8 [28, 28].

        Raises:
            InvalidInputError: If it cannot be written.
        """
        code = hash_crop(crop)
        if any((code ^ other).bit_count() <= MAX_DUPLICATE_BITS for other in self._hashes):
            self.skipped += 1
            return
        left, top = found.box[:2]
        file = self._find_free(f"{name}-x{left}-y{top}")
        places = {
            self.folder / str(found.digit) / file: crop,
            self.folder / SEEN_FOLDER / file: cut_seen(picture, found.box),
        }
        for path, pixels in places.items():
            try:
                write_atomically(path, cv2.imencode(SUFFIX, pixels)[1].tobytes())
            except OSError as exc:
                got = exc.strerror or str(exc)
                raise InvalidInputError(f"cannot write {path}", got=got) from exc
        self._hashes.append(code)
        self.saved += 1

    def watch(self, model: DigitModel) -> KeepingModel:
        """Return the model to read with, so that the collector gets what it reads."""
        self._watched = KeepingModel(model)
        return self._watched

    def take(self, picture: Picture, name: str, numbers: Iterable[Number]) -> None:
        """Save the digits of numbers that were read in the newest picture; see `add`."""
        if self._watched is None:
            return
        try:
            for found in (found for number in numbers for found in number.digits):
                crop = self._watched.find_crop(found)
                if crop is not None:
                    self.add(picture, name, found, crop)
        finally:
            self._watched.forget()

    def summarize(self) -> str:
        """Return how many digits were saved and left out."""
        duplicates = f", {self.skipped} like others left out" if self.skipped else ""
        return f"collected {self.saved} digits in {self.folder}{duplicates}"

    def _find_free(self, stem: str) -> str:
        """Return a file's name that no folder of a digit has."""
        number, file = 1, f"{stem}{SUFFIX}"
        while any((self.folder / str(digit) / file).exists() for digit in range(NUM_CLASSES)):
            number += 1
            file = f"{stem}-{number}{SUFFIX}"
        return file


def hash_crop(crop: GrayImage) -> int:
    """Return the difference hash of a crop: images that look alike differ in few of 256 bits.

    Args:
        crop: uint8 [28, 28].
    """
    small = cv2.resize(
        crop[HASH_BOX, HASH_BOX], (HASH_SIZE + 1, HASH_SIZE), interpolation=cv2.INTER_AREA
    ).astype(np.int16)
    is_brighter = small[:, 1:] > small[:, :-1] + HASH_STEP
    return int.from_bytes(np.packbits(is_brighter).tobytes(), "big")


def cut_seen(picture: Picture, box: Box) -> Picture:
    """Return the part of a picture around a box, with some of what stands beside it."""
    left, top, width, height = box
    margin = round(SEEN_MARGIN * max(width, height))
    return picture[
        max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin
    ]


def name_source(name: str, frame: int | None = None) -> str:
    """Return what the names of the digits of a picture begin with.

    Args:
        name: Of the file, camera or stream; folders and what an address is asked for are left out.
        frame: The picture's number in it; None if it is the only one.
    """
    stem = Path(name.partition("?")[0]).stem
    clean = re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:MAX_NAME] or "digit"
    return clean if frame is None else f"{clean}-{frame:06d}"


def _read_crop(path: Path) -> GrayImage | None:
    """Return the crop in a file; None if it holds something else, which is no one's duplicate."""
    try:
        crop = read_image(path)
    except InvalidInputError:
        return None
    return crop if crop.shape == (IMAGE_SIZE, IMAGE_SIZE) else None
