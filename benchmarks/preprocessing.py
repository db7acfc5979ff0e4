"""How close preprocessing comes to MNIST, with the way that it goes and with others.

Usage: python benchmarks/preprocessing.py

MNIST's training images are enlarged or reduced by OpenCV, turned dark on light, and brought back by
`normalize_digit`. What is measured is the mean difference to the original, of 255, and what the
default model reads of small ones.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from report import render_markdown_table, write_report

from edge_mnist import Classifier, dataset, preprocessing
from edge_mnist.dataset import Examples
from edge_mnist.model_store import DEFAULT_MODEL

IMAGES = 500
ENLARGEMENTS = {
    "1x": (1, cv2.INTER_NEAREST),
    "1.5x cubic": (1.5, cv2.INTER_CUBIC),
    "6x cubic": (6, cv2.INTER_CUBIC),
    "6x linear": (6, cv2.INTER_LINEAR),
    "6x nearest": (6, cv2.INTER_NEAREST),
}
SMALL_HEIGHTS = (6, 7, 8, 10, 12, 14, 18)
SUPERSAMPLING = 4  # of the small pictures: as a sensor averages over its pixels
Weights = Callable[[int, int], NDArray[np.float32]]


def main() -> None:
    """Measure each kernel on each enlargement, and each way of finding small digits' boxes."""
    mnist = dataset.load()
    write_report(
        "preprocessing",
        "How close preprocessing comes to MNIST",
        "python benchmarks/preprocessing.py",
        f"Median over {IMAGES} training images of the mean difference a pixel, of 255.\n\n"
        + compare_kernels(mnist.train.images[:IMAGES])
        + f"\n\nThe {len(mnist.validation):,} validation images as digits of a few pixels, and how "
        f"many of them `{DEFAULT_MODEL}` reads, by where a digit's box may end. Anywhere is in use "
        f"for digits below {preprocessing.SMALL_SIDE} px.\n\n" + compare_boxes(mnist.validation),
    )


def compare_kernels(originals: NDArray[np.uint8]) -> str:
    """Return a table of the kernels' differences."""
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
    return render_markdown_table(["kernel", *ENLARGEMENTS], rows)


def compare_boxes(digits: Examples) -> str:
    """Return a table of the accuracy on small digits."""
    classifier = Classifier.load()
    ours = preprocessing.SMALL_SIDE
    limits = {"anywhere": preprocessing.BOX_SIZE, "where pixels end": 0}
    rows = []
    for name, limit in limits.items():
        preprocessing.SMALL_SIDE = limit
        rows.append([name])
        for height in SMALL_HEIGHTS:
            rng = np.random.default_rng(height)
            images = [normalize(photograph(image, height, rng)) for image in digits.images]
            read = [prediction.digit for prediction in classifier.predict_batch(np.stack(images))]
            rows[-1].append(f"{np.mean(read == digits.labels):.2%}")
    preprocessing.SMALL_SIDE = ours
    return render_markdown_table(["box", *(f"{height} px" for height in SMALL_HEIGHTS)], rows)


def photograph(
    image: NDArray[np.uint8], height: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a digit of so many pixels, dark on light, somewhere between the pixels."""
    scale = height / preprocessing.BOX_SIZE
    size = int(np.ceil(28 * scale)) + 1
    shift_x, shift_y = rng.uniform(0, 1, 2)
    place = np.array([[scale, 0, shift_x], [0, scale, shift_y]]) * SUPERSAMPLING
    fine = cv2.warpAffine(image, place, (size * SUPERSAMPLING,) * 2, flags=cv2.INTER_CUBIC)
    small = cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)
    return 255 - small


def compare(picture: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
    """Return the mean difference between a picture, brought back, and its original."""
    return float(np.abs(normalize(255 - picture).astype(int) - original).mean())


def normalize(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture of a digit, which is not blank, as the model's input."""
    digit = preprocessing.normalize_digit(picture)
    assert digit is not None
    return digit.image


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
