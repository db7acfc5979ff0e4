"""From a picture of one digit to the model's input, in the way that MNIST was made.

Everything that feeds a model goes through here: training on image folders, `predict` on files,
and whatever cuts digits out of a camera's frame. The recipe is the one that MNIST's authors give
(LeCun, Cortes and Burges, "The MNIST database of handwritten digits"): the digit is scaled into a
20x20 box with its aspect ratio kept and with anti-aliasing, and placed in a 28x28 image so that
its centre of mass is at the middle.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError

IMAGE_SIZE = 28
BOX_SIZE = 20
NUM_CLASSES = 10

# The pixel that the centre of mass falls on, counted from 0: in all but two of MNIST's 70,000
# images it lies between 13.5 and 14.5, in both directions (a test measures it).
MASS_CENTER = 14

# The zeroth and first power of each pixel's place: sums and moments are products with them.
_POWERS = np.stack([np.ones(IMAGE_SIZE), np.arange(IMAGE_SIZE)])

# A picture whose darkest and brightest level are closer than this (of 255) holds no digit, only
# sensor noise: at 24 levels a pencil stroke on grey paper still counts, JPEG noise does not.
MIN_CONTRAST = 24

# Ink weaker than this share of the full stroke is background texture or the blur around a stroke.
# It is kept in the image (anti-aliasing needs it) but does not widen the box.
BOX_INK_SHARE = 0.35

# A digit with no side as long as this has its box found between the pixels, which pays up to there
# (benchmarks/preprocessing.py): with so many pixels around it, it is brought to a finer grid.
SMALL_SIDE = 10
SOFT_EDGE = 2
FINE_SIZE = 40

# Below this share of the full stroke a pixel is paper and becomes exactly 0, as in MNIST.
PAPER_INK_SHARE = 0.1

# The brightest ink level is read off at this percentile of the ink, so that one glossy pixel does
# not dim the whole stroke.
FULL_INK_PERCENTILE = 90.0

GrayImage = NDArray[np.uint8]


@dataclass(frozen=True)
class NormalizedDigit:
    """One digit as the model wants it, and where it stood.

    Attributes:
        image: uint8 [28, 28], 0 is paper and 255 is ink.
        box: x, y, width, height of the ink in the source picture, in pixels.
    """

    image: GrayImage
    box: tuple[int, int, int, int]


def normalize_digit(gray: GrayImage) -> NormalizedDigit | None:
    """Turn a picture of one digit into the model's input.

    Args:
        gray: uint8 [height, width], dark on light or light on dark, any size.

    Returns:
        The digit, or None if the picture is blank.

    Raises:
        InvalidInputError: If `gray` is not uint8 with two axes, or has no pixels.
    """
    if not isinstance(gray, np.ndarray) or gray.dtype != np.uint8 or gray.ndim != 2:
        raise InvalidInputError(
            "cannot normalize the picture",
            expected="uint8 [height, width]",
            got=describe_array(gray),
            remedy="convert it to 8-bit grayscale first",
        )
    if gray.size == 0:
        raise InvalidInputError(
            "cannot normalize the picture",
            expected="at least one pixel",
            got=str(list(gray.shape)),
        )
    ink = extract_ink(gray)
    if ink is None:
        return None
    top, bottom, left, right = bound_ink(ink)
    height, width = bottom - top, right - left
    if max(height, width) < SMALL_SIDE:
        around = np.pad(ink, SOFT_EDGE)  # outside of the picture is paper
        fitted = _fit_small_ink(around[top : bottom + 2 * SOFT_EDGE, left : right + 2 * SOFT_EDGE])
    else:
        fitted = fit_ink(ink[top:bottom, left:right])
    return NormalizedDigit(fitted, (left, top, width, height))


def bring_into_shape(picture: GrayImage) -> GrayImage | None:
    """Return a picture of one digit as the model's input; what is that already stays as it is.

    Digits that were collected, and MNIST's own, are so learned from and measured on as they are:
    normalising once more would sharpen and stretch them a little.

    Args:
        picture: As for `normalize_digit`.

    Returns:
        uint8 [28, 28], 0 is paper and 255 is ink; None if the picture is blank.
    """
    if picture.any() and is_normalized(picture):
        return picture
    digit = normalize_digit(picture)
    return None if digit is None else digit.image


def is_normalized(picture: GrayImage) -> bool:
    """Return whether a picture is in the model's form already, as collected digits are.

    It fills the box, reaches full ink and has its mass at the middle, to a pixel.

    Args:
        picture: uint8 [height, width], not all 0.
    """
    if picture.shape != (IMAGE_SIZE, IMAGE_SIZE) or picture.max() < 255:
        return False
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    sides = [int(line[-1] - line[0]) + 1 for line in (rows, columns)]
    places, mass = np.arange(IMAGE_SIZE), float(picture.sum())
    centers = [float(picture.sum(axis=axis) @ places) / mass for axis in (0, 1)]
    is_centered = all(abs(center - MASS_CENTER) <= 1 for center in centers)
    return max(sides) == BOX_SIZE and is_centered


def describe_array(value: object) -> str:
    """Return the type and shape of what was given for an array, for an error's message."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return type(value).__name__


def fit_ink(ink: NDArray[np.float32]) -> GrayImage:
    """Turn the ink of one digit into the model's input.

    Args:
        ink: float32 [height, width], 0 is paper and 1 is a full stroke, cut to the digit's box.
            Somewhere it is above 0.

    Returns:
        uint8 [28, 28], 0 is paper and 255 is ink.
    """
    height, width = ink.shape
    scale = BOX_SIZE / max(height, width)
    fitted = scale_ink(ink, (max(1, round(height * scale)), max(1, round(width * scale))))
    image: GrayImage = np.rint(center_by_mass(fitted) * 255).astype(np.uint8)
    return image


def scale_ink(ink: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Resize ink, and bring it to its full strength again.

    Averaging thins out the ink of a small stroke; MNIST's strokes reach full white.

    Args:
        ink: float32 [height, width], 0 is paper and 1 is a full stroke. Somewhere it is above 0.
        size: Height and width of the result, each at least 1.

    Returns:
        float32 of that size, 0 to 1.
    """
    scaled = resize(ink, size)
    scaled /= max(float(scaled.max()), 1e-6)
    return np.maximum(scaled, 0.0, out=scaled)


def _fit_small_ink(ink: NDArray[np.float32]) -> GrayImage:
    """Do as `fit_ink` for a digit of a few pixels, of which the outermost are ink in part only.

    Its box is found between the pixels, on a finer grid: a box that has to end where a pixel ends
    makes a digit of 8 pixels up to a quarter too large or too small.

    Args:
        ink: As there, and SOFT_EDGE pixels more on each side.
    """
    factor = -(-FINE_SIZE // max(ink.shape))
    fine = resize(ink, (ink.shape[0] * factor, ink.shape[1] * factor))
    top, bottom, left, right = bound_ink(fine)
    return fit_ink(np.clip(fine[top:bottom, left:right], 0.0, 1.0))


def bound_ink(ink: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of what is ink; bottom and right are one past it.

    Args:
        ink: float32 [height, width], somewhere at least `BOX_INK_SHARE`.
    """
    is_ink = ink >= BOX_INK_SHARE
    rows, columns = np.flatnonzero(is_ink.any(axis=1)), np.flatnonzero(is_ink.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def extract_ink(gray: GrayImage) -> NDArray[np.float32] | None:
    """Separate the ink from the paper, whichever of the two is darker.

    The threshold is Otsu's ("A threshold selection method from gray-level histograms", 1979); the
    side of it that holds most of the picture's border is the paper.

    Args:
        gray: uint8 [height, width].

    Returns:
        float32 [height, width], 0 is paper and 1 is a full stroke; None if the picture is blank.
    """
    if int(gray.max()) - int(gray.min()) < MIN_CONTRAST:
        return None
    counts = _count_levels(gray)
    threshold = _split(counts)
    border = np.concatenate([gray[0], gray[-1], gray[1:-1, 0], gray[1:-1, -1]]) > threshold
    ink_is_bright = border.mean() <= 0.5
    is_bright = np.arange(256) > threshold
    bright, dark = np.where(is_bright, counts, 0), np.where(is_bright, 0, counts)
    if ink_is_bright:
        paper_level, full_ink_level = (
            _percentile(dark, 50),
            _percentile(bright, FULL_INK_PERCENTILE),
        )
    else:
        paper_level, full_ink_level = (
            _percentile(bright, 50),
            _percentile(dark, 100 - FULL_INK_PERCENTILE),
        )
    ink = (gray.astype(np.float32) - paper_level) / (full_ink_level - paper_level)
    ink[ink < PAPER_INK_SHARE] = 0.0
    return np.minimum(ink, 1.0)


def otsu_threshold(gray: GrayImage) -> int:
    """Return the level that best splits a picture in two: pixels above it are the bright class.

    Args:
        gray: uint8 of any shape, with at least two levels.

    Returns:
        A level from 0 to 254 at which both classes hold pixels.
    """
    return _split(_count_levels(gray))


def _count_levels(gray: GrayImage) -> NDArray[np.int64]:
    """Return int64 [256]: how many pixels have each level."""
    return np.bincount(gray.reshape(-1), minlength=256)


def _split(counts: NDArray[np.int64]) -> int:
    """Return Otsu's threshold of a histogram, int64 [256]."""
    levels = np.arange(256)
    dark = np.cumsum(counts)[:-1]
    bright = counts.sum() - dark
    dark_sum = np.cumsum(counts * levels)[:-1]
    bright_sum = (counts * levels).sum() - dark_sum
    # Between-class variance, up to a constant factor; levels that leave a class empty score 0.
    gap = dark_sum / np.maximum(dark, 1) - bright_sum / np.maximum(bright, 1)
    return int(np.argmax(dark * bright * gap**2))


def _percentile(counts: NDArray[np.int64], percentile: float) -> float:
    """Return a percentile of the levels in a histogram, as np.percentile would of the pixels.

    It takes a tenth of the time.

    Args:
        counts: int64 [256], not all zero.
        percentile: 0 to 100; between two pixels' levels it is interpolated.
    """
    up_to = np.cumsum(counts)
    place = (int(up_to[-1]) - 1) * (percentile / 100)
    before = int(place)
    low, high = (int(np.searchsorted(up_to, rank, "right")) for rank in (before, before + 1))
    return low + (min(high, 255) - low) * (place - before)


def resize(image: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Resize by cubic convolution, widened when it shrinks so that no pixel is passed over.

    Args:
        image: float32 [height, width].
        size: Height and width of the result, each at least 1.

    Returns:
        float32 of that size; at edges it may go past the input's range by some hundredths.
    """
    height, width = size
    rows = _resampling_weights(image.shape[0], height)
    columns = _resampling_weights(image.shape[1], width)
    return rows @ image @ columns.T


def center_by_mass(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Place ink on an empty 28x28 image with its centre of mass at the middle.

    It moves by whole pixels, as in MNIST, and never past the border.

    Args:
        ink: float32 [height, width], height and width at most 28, not all zero.

    Returns:
        float32 [28, 28].
    """
    height, width = ink.shape
    # One product gives the three of them, and a mixed one.
    (mass, moment_x), (moment_y, _) = (_POWERS[:, :height] @ ink @ _POWERS[:, :width].T).tolist()
    top = min(max(round(MASS_CENTER - moment_y / mass), 0), IMAGE_SIZE - height)
    left = min(max(round(MASS_CENTER - moment_x / mass), 0), IMAGE_SIZE - width)
    image = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    image[top : top + height, left : left + width] = ink
    return image


@lru_cache(maxsize=1024)
def _resampling_weights(source: int, target: int) -> NDArray[np.float32]:
    """Return float32 [target, source]: each row holds one output pixel's share of the inputs.

    The kernel is Keys's with a = -1/2 ("Cubic convolution interpolation for digital image
    processing", 1981). On MNIST images that were enlarged and brought back it comes closer to the
    original than the triangle filter (benchmarks/preprocessing.py); a plain average does as well
    there, but makes blocks of what is smaller than the box.
    """
    ratio = source / target
    centers = (np.arange(target) + 0.5) * ratio
    offsets = np.arange(source)[None, :] + 0.5 - centers[:, None]
    x = np.abs(offsets) / max(ratio, 1.0)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0))
    normalized: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(
        np.float32
    )
    return normalized
