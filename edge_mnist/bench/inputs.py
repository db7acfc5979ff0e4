"""What is measured on: real digits where MNIST is at hand, else drawn ones."""

import numpy as np
from numpy.typing import NDArray

from edge_mnist.bench.drawn_digits import draw_digit
from edge_mnist.errors import DatasetError
from edge_mnist.idx import read_idx
from edge_mnist.mnist_files import locate_mnist
from edge_mnist.preprocessing import NUM_CLASSES

IMAGES = 256
TEST_IMAGES = "t10k-images-idx3-ubyte"


def find_images() -> tuple[NDArray[np.uint8], str]:
    """Return what to measure on and what that is, in words.

    Nothing is downloaded for it: latency hardly depends on what the digits look like.

    Returns:
        uint8 [IMAGES, 28, 28], 0 is paper and 255 is ink; and the words.
    """
    try:
        path = locate_mnist(TEST_IMAGES)
    except DatasetError:  # damaged: a measurement of time can do without it
        path = None
    if path is not None:
        return read_idx(path)[:IMAGES], f"the first {IMAGES} of MNIST's test images"
    rng = np.random.default_rng(0)
    drawn = [draw_digit(index % NUM_CLASSES, rng) for index in range(IMAGES)]
    return np.stack(drawn), f"{IMAGES} drawn digits (MNIST is not at hand)"
