"""One's own digits among those that a network has learned from before.

The mix is kept in the run's folder, as IDX files that `--data` takes: quantizing goes on with the
same images, whatever becomes of the folder that they were collected in.
"""

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.dataset import SPLIT_SEED, Dataset, join
from edge_mnist.errors import TrainingError
from edge_mnist.files import write_atomically
from edge_mnist.idx import IDX_UINT8
from edge_mnist.training.own_digits import OwnDigits

# What is seen in an epoch at least: own digits are repeated, each time in another variation.
EPOCH_IMAGES = 20_000


def mix(own: OwnDigits, old: Dataset, replay: float, seed: int) -> Dataset:
    """Return one's own digits with others among them.

    Args:
        own: Of each digit some go into each split.
        old: What the network has learned from.
        replay: The share of old images in training, 0 up to below 1.
        seed: Of which ones.

    Returns:
        Training images of both kinds; validation images of both, all that there are; own test
        images.

    Raises:
        TrainingError: If `replay` is out of its range.
    """
    if not 0 <= replay < 1:
        raise TrainingError("--replay", expected="0 up to below 1", got=str(replay))
    train, validation, test = own.split()
    count = max(len(train), round((1 - replay) * EPOCH_IMAGES))
    replayed = min(len(old.train), round(count * replay / (1 - replay)))
    order = np.random.default_rng(seed).permutation(len(old.train))
    repeated = train.take(np.arange(count) % len(train))
    return Dataset(
        name=own.data,
        train=join([repeated, old.train.take(np.sort(order[:replayed]))]),
        validation=join([validation, old.validation]),
        test=test,
        sha256="",  # of the files, once there are some
    )


def save_mix(mixed: Dataset, folder: Path) -> float:
    """Write a mix as IDX files.

    Returns:
        The validation split with which `dataset.load` gives the same three splits again.
    """
    count = len(mixed.validation)
    both = join([mixed.validation, mixed.train])
    # The places that loading will take the validation images from.
    order = np.random.default_rng(SPLIT_SEED).permutation(len(both))
    places = np.concatenate([np.sort(order[:count]), np.sort(order[count:])])
    stored = both.take(np.argsort(places))
    for prefix, examples in (("train", stored), ("t10k", mixed.test)):
        if examples is not None:
            _write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", examples.images)
            _write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", examples.labels)
    return count / len(both)


def _write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    header = struct.pack(f">4B{array.ndim}I", 0, 0, IDX_UINT8, array.ndim, *array.shape)
    write_atomically(path, gzip.compress(header + array.tobytes(), compresslevel=1, mtime=0))
