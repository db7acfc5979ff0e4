"""What happens to digits outside a data set: noise, blur, other pens, other habits of writing.

Each kind comes in five strengths, whose amounts stand in the registry with their unit. At the first
strengths a person reads the same digit with ease; the last ones are meant to be hard.

Kinds that change grey levels (noise, the two blurs, contrast, occlusion) leave the digit where it
is. Kinds that change strokes (rotation, width, perspective, resolution, pens, habits) go through
`normalize_digit` afterwards, as the crop of such a digit would: it fills the 20x20 box again.
Habits (crossed sevens and so on) are drawn onto one digit only, with a pen as wide as the image's
own; most fours of MNIST are open, so the habit of opening them is for those that are closed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist import habits
from edge_mnist.dataset import Examples
from edge_mnist.errors import InvalidInputError
from edge_mnist.habits import STROKE_SHARE, Ink
from edge_mnist.preprocessing import BOX_SIZE, IMAGE_SIZE, normalize_digit, resize

STRENGTHS = (1, 2, 3, 4, 5)
DEFAULT_SEED = 0

# Room around an image for strokes that grow or turn out of it, in pixels.
MARGIN = 4

# Images that are changed together: few enough to stay in a processor's cache.
CHUNK = 250

# Motion blur takes one of this many directions, evenly over the half circle.
MOTION_DIRECTIONS = 12

# A picture seen at an angle has one of this many directions nearest, evenly over the circle, and
# nothing in it nearer than this share of the middle's distance.
TILT_DIRECTIONS = 8
MIN_DEPTH = 0.2


@dataclass(frozen=True)
class Corruption:
    """A kind of change.

    Attributes:
        amounts: How much of it there is at strengths 1 to 5.
        unit: What the amounts count.
        apply: Changes ink, [N, height, width], by an amount; values outside 0 to 1 are clipped.
        digit: The only digit that it is for; None if it is for all.
        is_for: Tells which of that digit's images it is for, bool [N]; None for all of them.
        is_normalized: Whether the result goes through `normalize_digit`.
    """

    amounts: tuple[float, float, float, float, float]
    unit: str
    apply: Callable[[Ink, float, Generator], Ink]
    digit: int | None = None
    is_for: Callable[[Ink], NDArray[np.bool_]] | None = None
    is_normalized: bool = False


def choose_indices(examples: Examples, kind: str) -> NDArray[np.int64]:
    """Return where the examples are that a kind is for: all, one digit's, or the closed fours.

    Raises:
        InvalidInputError: If there is no such kind.
    """
    corruption = _find(kind)
    if corruption.digit is None:
        return np.arange(len(examples))
    indices = np.flatnonzero(examples.labels == corruption.digit)
    if corruption.is_for is not None:
        indices = indices[corruption.is_for(_as_ink(examples.images[indices]))]
    return indices


def corrupt(
    images: NDArray[np.uint8], kind: str, strength: int, seed: int = DEFAULT_SEED
) -> NDArray[np.uint8]:
    """Change images.

    Args:
        images: uint8 [N, 28, 28], 0 is paper and 255 is ink: of those that the kind is for.
        kind: One of `CORRUPTIONS`.
        strength: 1 to 5.
        seed: The same seed and images give the same result.

    Returns:
        uint8 [N, 28, 28].

    Raises:
        InvalidInputError: If there is no such kind or strength.
    """
    corruption = _find(kind)
    if strength not in STRENGTHS:
        raise InvalidInputError("strength", expected="1 to 5", got=str(strength))
    rng = np.random.default_rng([seed, list(CORRUPTIONS).index(kind)])
    changed = [
        _corrupt_some(images[start : start + CHUNK], corruption, strength, rng)
        for start in range(0, len(images), CHUNK)
    ]
    return np.concatenate(changed) if changed else images.copy()


def _find(kind: str) -> Corruption:
    if kind not in CORRUPTIONS:
        raise InvalidInputError("corruption", expected=", ".join(CORRUPTIONS), got=kind)
    return CORRUPTIONS[kind]


def _as_ink(images: NDArray[np.uint8]) -> Ink:
    ink: Ink = images.astype(np.float32) / 255
    return ink


def _corrupt_some(
    images: NDArray[np.uint8], corruption: Corruption, strength: int, rng: Generator
) -> NDArray[np.uint8]:
    ink = _as_ink(images)
    if corruption.is_normalized:
        ink = np.pad(ink, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))
    ink = corruption.apply(ink, corruption.amounts[strength - 1], rng)
    changed = np.rint(np.clip(ink, 0, 1) * 255).astype(np.uint8)
    return _normalize_all(changed) if corruption.is_normalized else changed


def _normalize_all(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    images = np.zeros((len(pictures), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for image, picture in zip(images, pictures, strict=True):
        digit = normalize_digit(picture)
        if digit is not None:
            image[:] = digit.image
    return images


def _add_noise(ink: Ink, amount: float, rng: Generator) -> Ink:
    return ink + rng.standard_normal(ink.shape, np.float32) * np.float32(amount / 255)


def _blur(ink: Ink, amount: float, rng: Generator) -> Ink:
    places = np.arange(ink.shape[-1])
    weights = np.exp(-((places[:, None] - places) ** 2) / (2 * amount**2))
    # The paper goes on beyond the border: what falls outside is lost.
    weights /= np.exp(-(np.arange(-30, 31) ** 2) / (2 * amount**2)).sum()
    kernel = weights.astype(np.float32)
    blurred: Ink = kernel @ ink @ kernel.T
    return blurred


def _blur_by_motion(ink: Ink, amount: float, rng: Generator) -> Ink:
    blurred = np.zeros_like(ink)
    steps = np.linspace(-0.5, 0.5, round(amount) + 1) * amount
    directions = rng.integers(MOTION_DIRECTIONS, size=len(ink))
    for direction in range(MOTION_DIRECTIONS):
        chosen = np.flatnonzero(directions == direction)
        angle = math.pi * direction / MOTION_DIRECTIONS
        part = ink[chosen]
        for step in steps:
            rows = _shift_weights(ink.shape[1], step * math.sin(angle))
            columns = _shift_weights(ink.shape[2], step * math.cos(angle))
            blurred[chosen] += rows @ part @ columns.T
    blurred /= len(steps)
    return blurred


def _shift_weights(size: int, shift: float) -> NDArray[np.float32]:
    """Return float32 [size, size] that moves a line of pixels, between two where need be."""
    places = np.arange(size)
    distances = np.abs(places[:, None] - places - shift)
    weights: NDArray[np.float32] = np.maximum(1 - distances, 0).astype(np.float32)
    return weights


def _lower_contrast(ink: Ink, amount: float, rng: Generator) -> Ink:
    gray = np.float32(0.5)
    lowered: Ink = gray + (ink - gray) * np.float32(amount)
    return lowered


def _rotate(ink: Ink, amount: float, rng: Generator) -> Ink:
    rotated = np.zeros_like(ink)
    is_left = rng.random(len(ink)) < 0.5
    for chosen, degrees in ((is_left, amount), (~is_left, -amount)):
        rotated[chosen] = _rotate_all(ink[chosen], math.radians(degrees))
    return rotated


def _rotate_all(ink: Ink, angle: float) -> Ink:
    """Rotate about the middle."""
    y, x = _centered_places(ink)
    cos, sin = math.cos(angle), math.sin(angle)
    return _sample(ink, cos * y - sin * x, sin * y + cos * x)


def _narrow(ink: Ink, amount: float, rng: Generator) -> Ink:
    width = ink.shape[2]
    columns = resize(np.eye(width, dtype=np.float32), (round(width * amount), width))
    narrowed: Ink = ink @ columns.T
    return narrowed


def _shrink(ink: Ink, amount: float, rng: Generator) -> Ink:
    """Average over the areas of larger pixels, as a sensor does."""
    size = ink.shape[-1]
    pixels = round(size * amount / BOX_SIZE)
    edges = np.linspace(0, size, pixels + 1)
    first, last = edges[:-1, None], edges[1:, None]
    shares = np.minimum(last, np.arange(size) + 1) - np.maximum(first, np.arange(size))
    weights = (np.maximum(shares, 0) * pixels / size).astype(np.float32)
    shrunk: Ink = weights @ ink @ weights.T
    return shrunk


def _tilt(ink: Ink, amount: float, rng: Generator) -> Ink:
    """Bring one side of the picture, any of eight, nearer than the other."""
    y, x = _centered_places(ink)
    tilted = np.zeros_like(ink)
    directions = rng.integers(TILT_DIRECTIONS, size=len(ink))
    for direction in range(TILT_DIRECTIONS):
        chosen = np.flatnonzero(directions == direction)
        angle = 2 * math.pi * direction / TILT_DIRECTIONS
        depth = 1 + amount * (math.cos(angle) * y + math.sin(angle) * x) / (IMAGE_SIZE / 2)
        # Far from the middle, where no ink is, the plane may reach behind the camera.
        depth = np.maximum(depth, MIN_DEPTH)
        tilted[chosen] = _sample(ink[chosen], y / depth, x / depth)
    return tilted


def _centered_places(ink: Ink) -> NDArray[np.float64]:
    """Return y and x of the pixels, counted from the middle: [2, size, size]."""
    size = ink.shape[-1]
    places: NDArray[np.float64] = np.indices((size, size)) - (size - 1) / 2
    return places


def _sample(ink: Ink, y: NDArray[np.float64], x: NDArray[np.float64]) -> Ink:
    """Take ink from places counted from the middle, bilinearly; what is outside is paper."""
    size = ink.shape[-1]
    source_y, source_x = ((place + (size - 1) / 2).reshape(-1) for place in (y, x))
    # One row and column of paper all around, on which everything from outside falls.
    source_y, source_x = (np.clip(place + 1, 0, size + 0.999) for place in (source_y, source_x))
    flat = np.pad(ink, ((0, 0), (1, 1), (1, 1))).reshape(len(ink), (size + 2) ** 2)
    top, left = source_y.astype(np.int64), source_x.astype(np.int64)
    below, right = (source_y - top).astype(np.float32), (source_x - left).astype(np.float32)
    first = top * (size + 2) + left
    sampled = flat[:, first] * (1 - below) * (1 - right)
    sampled += flat[:, first + 1] * (1 - below) * right
    sampled += flat[:, first + size + 2] * below * (1 - right)
    sampled += flat[:, first + size + 3] * below * right
    result: Ink = sampled.reshape(ink.shape)
    return result


def _occlude(ink: Ink, amount: float, rng: Generator) -> Ink:
    """Cover a square of paper's colour, its middle on a pixel of ink."""
    height, width = ink.shape[1:]
    chance = np.where(ink > STROKE_SHARE, rng.random(ink.shape, np.float32), 0)
    row, column = np.divmod(chance.reshape(len(ink), -1).argmax(axis=1), width)
    rows = np.arange(height) - row[:, None] + amount // 2
    columns = np.arange(width) - column[:, None] + amount // 2
    covers_row, covers_column = (rows >= 0) & (rows < amount), (columns >= 0) & (columns < amount)
    return np.where(covers_row[:, :, None] & covers_column[:, None, :], np.float32(0), ink)


def _thin(ink: Ink, amount: float, rng: Generator) -> Ink:
    """Keep what reaches a share of the ridge of its stroke, in a slightly blurred image."""
    soft = _blur(ink, 0.8, rng)
    ridge = _spread(soft, 2.0)
    share = soft / np.maximum(ridge, np.float32(0.05))
    kept = np.clip((share - np.float32(amount)) / np.float32(1 - amount) * 2, 0, 1)
    return np.minimum(ink, kept)


def _thicken(ink: Ink, amount: float, rng: Generator) -> Ink:
    return _spread(ink, amount)


def _spread(ink: Ink, radius: float) -> Ink:
    """Return the dilation by a disc whose edge is soft over one pixel."""
    reach = math.ceil(radius)
    size = ink.shape[-1]
    padded = np.pad(ink, ((0, 0), (reach, reach), (reach, reach)))
    spread = ink.copy()
    for y in range(-reach, reach + 1):
        for x in range(-reach, reach + 1):
            weight = min(radius + 1 - math.hypot(y, x), 1.0)
            if weight > 0 and (y, x) != (0, 0):
                top, left = reach + y, reach + x
                part = padded[:, top : top + size, left : left + size]
                np.maximum(spread, part * np.float32(weight), out=spread)
    return spread


CORRUPTIONS: dict[str, Corruption] = {
    "noise": Corruption(
        (16, 32, 48, 64, 96), "levels of 255: the noise's standard deviation", _add_noise
    ),
    "blur": Corruption((0.6, 0.9, 1.2, 1.6, 2.0), "pixels: the Gaussian's deviation", _blur),
    "motion blur": Corruption((2, 3, 4, 5, 6), "pixels: the way's length", _blur_by_motion),
    "contrast": Corruption(
        (0.9, 0.8, 0.65, 0.5, 0.35), "the contrast left, about mid-grey", _lower_contrast
    ),
    "rotation": Corruption(
        (6, 12, 18, 24, 30), "degrees, to either side", _rotate, is_normalized=True
    ),
    "occlusion": Corruption((2, 4, 6, 8, 10), "pixels: the square's side", _occlude),
    "thin strokes": Corruption(
        (0.5, 0.6, 0.7, 0.78, 0.85), "share of the ridge that stays", _thin, is_normalized=True
    ),
    "thick strokes": Corruption(
        (0.4, 0.8, 1.2, 1.6, 2.0),
        "pixels, to either side of a stroke",
        _thicken,
        is_normalized=True,
    ),
    "crossed seven": Corruption(
        (4, 6, 8, 10, 12), "pixels: the bar's length", habits.cross_sevens, 7, is_normalized=True
    ),
    "slashed zero": Corruption(
        (0.5, 0.65, 0.8, 0.95, 1.1),
        "the slash's share of the box's diagonal",
        habits.slash_zeros,
        0,
        is_normalized=True,
    ),
    "serif one": Corruption(
        (4, 6, 8, 10, 12),
        "pixels: the foot's length; the flag has two thirds",
        habits.add_serifs_to_ones,
        1,
        is_normalized=True,
    ),
    "open four": Corruption(
        (2, 2.5, 3, 3.5, 4),
        "pixels: the gap's width",
        habits.open_fours,
        4,
        habits.are_closed,
        is_normalized=True,
    ),
    # The random numbers of a kind go by its place: a new kind comes last.
    "narrow": Corruption(
        (0.85, 0.75, 0.65, 0.55, 0.45), "times the width", _narrow, is_normalized=True
    ),
    "perspective": Corruption(
        (0.12, 0.24, 0.36, 0.48, 0.6),
        "how much nearer than the middle an edge is",
        _tilt,
        is_normalized=True,
    ),
    "few pixels": Corruption(
        (14, 10, 8, 7, 6), "pixels: the digit's longer side", _shrink, is_normalized=True
    ),
}
