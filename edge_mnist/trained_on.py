"""What a model has been trained on, so that it is not measured on that."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.dataset import Dataset, Examples
from edge_mnist.errors import DatasetError

FINGERPRINT_LENGTH = 16  # in hexadecimal: 64 bits


@dataclass(frozen=True)
class TrainedOn:
    """What a model has been trained on, or chosen by.

    Attributes:
        datasets: The SHA-256 of each data set whose training images it has seen, of the last
            training first. It has not seen their test images.
        own_images: The fingerprints of what it has seen besides: images of someone's own.
    """

    datasets: tuple[str, ...]
    own_images: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take the lists that JSON has."""
        object.__setattr__(self, "datasets", tuple(self.datasets))
        object.__setattr__(self, "own_images", tuple(self.own_images))

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in a card or a run's metrics."""
        fields: dict[str, Any] = {"sha256": self.datasets[0]}
        if self.datasets[1:]:
            fields["earlier_sha256"] = list(self.datasets[1:])
        if self.own_images:
            fields["own_images"] = list(self.own_images)
        return fields

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "TrainedOn":
        """Read it again.

        Raises:
            KeyError: If there is no SHA-256.
        """
        datasets = (fields["sha256"], *fields.get("earlier_sha256", ()))
        return cls(datasets, fields.get("own_images", ()))

    def joined(self, other: "TrainedOn | None") -> "TrainedOn":
        """Return what was seen in this training and in another before it."""
        if other is None:
            return self
        return TrainedOn(
            tuple(dict.fromkeys(self.datasets + other.datasets)),
            tuple(sorted({*self.own_images, *other.own_images})),
        )


def fingerprint(images: NDArray[np.uint8]) -> list[str]:
    """Return the beginning of each image's SHA-256.

    Args:
        images: uint8 [N, 28, 28].
    """
    return [hashlib.sha256(image.tobytes()).hexdigest()[:FINGERPRINT_LENGTH] for image in images]


def choose_unseen(dataset: Dataset, trained_on: TrainedOn | None) -> tuple[Examples, str]:
    """Return images that a model has not been trained on, and what they are in words.

    Args:
        dataset: What to measure on.
        trained_on: None if nothing is known: it is taken to be the same data.

    Raises:
        DatasetError: If there is none.
    """
    name = dataset.name
    if trained_on is not None and dataset.sha256 not in trained_on.datasets:
        return _leave_out(dataset, trained_on.own_images)
    if dataset.test is None:
        count = len(dataset.validation)
        return (
            dataset.validation,
            f"{count:,} validation images of {name}, which has no test images",
        )
    return dataset.test, f"the {len(dataset.test):,} test images of {name}"


def choose_validation(dataset: Dataset, trained_on: TrainedOn | None) -> tuple[Examples, str]:
    """Return the images that models may be chosen by, and what they are in words.

    Args:
        dataset: What to measure on.
        trained_on: None if nothing is known: it is taken to be the same data.

    Raises:
        DatasetError: If it was trained on other data, of which none were set aside.
    """
    if trained_on is not None and dataset.sha256 not in trained_on.datasets:
        raise DatasetError(
            f"no validation images in {dataset.name}",
            expected="the data that the model was trained on",
            got="other data",
            remedy="leave --validation out to measure on all of it",
        )
    return (
        dataset.validation,
        f"the {len(dataset.validation):,} validation images of {dataset.name}",
    )


def _leave_out(dataset: Dataset, seen: Iterable[str]) -> tuple[Examples, str]:
    """Return all images of other data but those that were seen."""
    name, examples = dataset.name, dataset.everything()
    is_unseen = ~np.isin(fingerprint(examples.images), list(seen)) if seen else None
    if is_unseen is None or is_unseen.all():
        return examples, f"all {len(examples):,} images of {name}; it was trained on other data"
    if not is_unseen.any():
        raise DatasetError(
            f"nothing to measure on in {name}",
            expected="images that the model was not trained on",
            got=f"{len(examples):,} that it was",
        )
    unseen = examples.take(np.flatnonzero(is_unseen))
    return unseen, f"the {len(unseen):,} of {len(examples):,} images of {name} that it has not seen"
