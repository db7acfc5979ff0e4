"""Digits as a camera's crops are: seen in another resolution, and put through preprocessing.

What is read outside a data set always went through `normalize_digit`, and so does every outlier;
MNIST's digits never do. A network that sees no other digits tells the two apart by how sharp they
are, and turns down digits off a camera that it reads right.
"""

import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import BOX_SIZE, IMAGE_SIZE, normalize_digit, resize

# The longer side of a digit in the picture, in pixels: from what can just be read to what is finer
# than the model's input.
MIN_SIDE, MAX_SIDE = 7, 30
# Room to move in by parts of a pixel of the smallest pictures, in pixels of the input.
MARGIN = 4


def make_crops(images: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Bring each digit into a resolution of its own, and back through preprocessing.

    Args:
        images: uint8 [N, 28, 28], 0 is paper and 255 is ink.
        seed: The same seed and images give the same result.

    Returns:
        uint8 [N, 28, 28]: the same digits; one that preprocessing takes for blank stays as it was.
    """
    rng = np.random.default_rng(seed)
    sides = rng.uniform(MIN_SIDE, MAX_SIDE, len(images))
    places = rng.integers(2 * MARGIN + 1, size=(len(images), 2))
    crops = images.copy()
    canvas = np.zeros((IMAGE_SIZE + 2 * MARGIN,) * 2, np.float32)
    for crop, side, (top, left) in zip(crops, sides, places, strict=True):
        canvas[:] = 0
        canvas[top : top + IMAGE_SIZE, left : left + IMAGE_SIZE] = crop
        size = round(len(canvas) * side / BOX_SIZE)
        picture = np.rint(np.clip(resize(canvas, (size, size)), 0, 255)).astype(np.uint8)
        digit = normalize_digit(picture)
        if digit is not None:
            crop[:] = digit.image
    return crops
