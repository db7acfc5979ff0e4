"""Occlusion sensitivity: what a network loses when a part of the image is covered.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014. It asks the network
for nothing but answers, so that it works on the int8 file in any engine.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError
from edge_mnist.explanation.results import Occlusion
from edge_mnist.preprocessing import IMAGE_SIZE

PAPER = 0
# Twice the width of a stroke of MNIST: less than that covers none as a whole.
PATCH_PX = 5
# A certainty of 1 has no odds. An int8 network's outputs are 256 levels of a logit; float ones
# come this close to 1 before float32 has no room for the rest.
LEAST_PROBABILITY = 1e-6

Reader = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""Takes images, uint8 [N, 28, 28], and gives probabilities [N, 10]."""


def measure_occlusion(
    read: Reader, image: NDArray[np.uint8], digit: int, patch_px: int = PATCH_PX
) -> Occlusion:
    """Cover an image with a square of paper at every place, and tell what each pixel was worth.

    Args:
        read: The network.
        image: uint8 [28, 28], 0 is paper and 255 is ink.
        digit: Whose probability counts.
        patch_px: The square's side, 1 to 28; it may stand out over the border.

    Raises:
        InvalidInputError: If the square has another size.
    """
    if not 1 <= patch_px <= IMAGE_SIZE:
        expected = f"1 to {IMAGE_SIZE} px"
        raise InvalidInputError("the covering square", expected=expected, got=f"{patch_px} px")
    starts = range(1 - patch_px, IMAGE_SIZE)
    windows = [
        (slice(max(top, 0), top + patch_px), slice(max(left, 0), left + patch_px))
        for top in starts
        for left in starts
    ]
    covered = np.repeat(image[None], len(windows), axis=0)
    for copy, window in zip(covered, windows, strict=True):
        copy[window] = PAPER
    before = _log_odds(read(image[None]))[0, digit]
    lost = before - _log_odds(read(covered))[:, digit]
    total = np.zeros(image.shape)
    for window, loss in zip(windows, lost, strict=True):
        total[window] += loss
    # Every pixel is covered by as many squares, since they stand out over the border.
    mean = (total / patch_px**2).astype(np.float32)
    return Occlusion(digit, patch_px, float(before), mean)


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = np.clip(probabilities, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    odds: NDArray[np.float64] = np.log(kept / (1 - kept))
    return odds
