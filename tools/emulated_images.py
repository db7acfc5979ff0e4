"""The images that models are run on: MNIST's test images, or strokes where labels do not matter."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_mnist import dataset
from edge_mnist.errors import DatasetError, InvalidInputError
from edge_mnist.preprocessing import IMAGE_SIZE

STROKES = "strokes"


@dataclass(frozen=True)
class Images:
    """What to run models on.

    Attributes:
        images: uint8 [N, 28, 28].
        labels: uint8 [N]; None if they are no digits.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None


def load_images(data: str, count: int) -> Images:
    """Load the first test images of a dataset.

    Args:
        data: As `edge-mnist evaluate --data` takes it, or "strokes".
        count: How many at most, at least 1.

    Raises:
        DatasetError: If the data is missing or broken.
        InvalidInputError: If the count is below 1.
    """
    if count < 1:
        raise InvalidInputError("images", expected="at least 1", got=str(count))
    if data == STROKES:
        return Images(draw_strokes(count), None)
    test = dataset.load(data).test
    if test is None:
        raise DatasetError(f"{data} has no test images")
    return Images(test.images[:count], test.labels[:count])


def draw_strokes(count: int) -> NDArray[np.uint8]:
    """Return pictures of four strokes each, uint8 [count, 28, 28], the same in every call."""
    rng = np.random.default_rng(0)
    images = np.zeros((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for image in images:
        for row, column in rng.integers(5, 20, (4, 2)):
            for step in range(8):
                image[row + step * (column % 2), column + step * (row % 2)] = 255
    return images
