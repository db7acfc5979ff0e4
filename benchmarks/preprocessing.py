"""How close preprocessing comes to MNIST, with the kernel that it uses and with others.

Usage: python benchmarks/preprocessing.py

MNIST's training images are enlarged by OpenCV, turned dark on light, and brought back by
`normalize_digit`. What is measured is the mean difference to the original, of 255.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from report import render_markdown_table, write_report

from edge_mnist import dataset, preprocessing

IMAGES = 500
ENLARGEMENTS = {
    "1x": (1, cv2.INTER_NEAREST),
    "1.5x cubic": (1.5, cv2.INTER_CUBIC),
    "6x cubic": (6, cv2.INTER_CUBIC),
    "6x linear": (6, cv2.INTER_LINEAR),
    "6x nearest": (6, cv2.INTER_NEAREST),
}
Weights = Callable[[int, int], NDArray[np.float32]]


def main() -> None:
    """Measure each kernel on each enlargement."""
    originals = dataset.load().train.images[:IMAGES]
    ours = preprocessing._resampling_weights
    kernels = {"Keys's cubic (in use)": ours, "triangle": weigh_by_triangle, "box": weigh_by_box}
    rows = []
    for name, kernel in kernels.items():
        preprocessing._resampling_weights = kernel
        rows.append([name])
        for factor, interpolation in ENLARGEMENTS.values():
            size = round(28 * factor)
            differences = [
                compare(cv2.resize(image, (size, size), interpolation=interpolation), image)
                for image in originals
            ]
            rows[-1].append(f"{np.median(differences):.1f}")
    preprocessing._resampling_weights = ours
    write_report(
        "preprocessing",
        "How close preprocessing comes to MNIST",
        "python benchmarks/preprocessing.py",
        f"Median over {IMAGES} training images of the mean difference a pixel, of 255.\n\n"
        + render_markdown_table(["kernel", *ENLARGEMENTS], rows),
    )


def compare(picture: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
    """Return the mean difference between a picture, brought back, and its original."""
    digit = preprocessing.normalize_digit(255 - picture)
    assert digit is not None
    return float(np.abs(digit.image.astype(int) - original).mean())


def weigh_by_triangle(source: int, target: int) -> NDArray[np.float32]:
    """Return the weights [target, source] of linear interpolation, widened when it shrinks."""
    distances, ratio = measure_distances(source, target)
    return normalize_rows(np.maximum(1 - distances / max(ratio, 1), 0))


def weigh_by_box(source: int, target: int) -> NDArray[np.float32]:
    """Return the weights [target, source] of an average over the pixel's own area."""
    distances, ratio = measure_distances(source, target)
    # The overlap of a source pixel with the output pixel's area.
    half = max(ratio, 1) / 2
    return normalize_rows(np.clip(half + 0.5 - distances, 0, 1))


def measure_distances(source: int, target: int) -> tuple[NDArray[np.float64], float]:
    """Return the distances [target, source] between pixel centres, and the ratio of sizes."""
    ratio = source / target
    centers = (np.arange(target) + 0.5) * ratio
    return np.abs(np.arange(source)[None, :] + 0.5 - centers[:, None]), ratio


def normalize_rows(weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return weights whose rows sum to 1."""
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    main()
