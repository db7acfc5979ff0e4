"""Images that are no digits, for a network to learn what it does not know.

Outlier exposure (Hendrycks, Mazeika and Dietterich, "Deep Anomaly Detection with Outlier
Exposure", ICLR 2019), with outliers that need no other data: letters drawn by strokes of our own,
pieces of words, scribbles, pieces of digits, digits that are turned, neighbours that run into each
other, textures.
`edge-mnist evaluate --non-digits` measures with the same kinds, drawn in other ways: other letters
and shapes, other halves (vision/non_digits.py).
"""

from collections.abc import Callable, Sequence

import numpy as np

from edge_mnist.dataset import Examples
from edge_mnist.preprocessing import IMAGE_SIZE, resize
from edge_mnist.training.strokes import Picture, draw, normalize, parse_strokes

# Letters as strokes on a grid of 5x5, x to the right and y down. Those that a person could take for
# a digit are not here: B D G I O Q S Z, b g i l o q s y z, and a, e, j for their hooks.
GRID = (5, 5)
LETTERS = (
    "04 20 44, 12 32",  # A
    "41 20 02 24 43",  # C
    "40 00 04 44, 02 32",  # E
    "40 00 04, 02 32",  # F
    "00 04, 40 44, 02 42",  # H
    "00 04, 40 02 44",  # K
    "00 04 44",  # L
    "04 00 23 40 44",  # M
    "04 00 44 40",  # N
    "04 00 30 41 32 02",  # P
    "04 00 30 41 32 02, 22 44",  # R
    "00 40, 20 24",  # T
    "00 03 24 43 40",  # U
    "00 24 40",  # V
    "00 14 21 34 40",  # W
    "00 44, 40 04",  # X
    "00 22 40, 22 24",  # Y
    "00 04, 02 21 32 34",  # h
    "04 01, 02 11 22 24, 22 31 42 44",  # m
    "01 04, 02 21 32 34",  # n
    "01 04, 02 21 31",  # r
    "02 42, 20 24",  # +
    "10 14, 30 34, 01 41, 03 43",  # #
    "00 40 44 04 00",  # a square
    "20 44 04 20",  # a triangle
    "02 42, 31 42 33",  # an arrow
)

# Halves that could still be a digit are left out: the right half of an 8 is a 3, the lower half
# of a 9 is a 1.
HALVES = {"left": (0, 2, 3, 5, 8, 9), "right": (0, 2, 5, 6), "top": (0, 2, 3, 4, 5)}
HALVES["bottom"] = (0, 2, 3, 5)

# How far digits that touch overlap at most, and how much higher or lower they stand, in pixels.
MAX_OVERLAP, MAX_RISE = 3, 3
# What is fainter than this is a digit's soft edge.
SOFT_EDGE = 127

# Digits that are none when turned by a quarter, and when mirrored.
TURNED, MIRRORED = (2, 3, 4, 5, 6, 7, 9), (3, 6, 7, 9)

# Gives None where it happens to make a blank.
Maker = Callable[[Examples, np.random.Generator], Picture | None]


def make_outliers(digits: Examples, count: int, seed: int) -> Picture:
    """Make images that are no digits, in even shares of each kind.

    Args:
        digits: What pieces are taken from. Kinds that need a digit which is missing are left out.
        count: How many to make.
        seed: The same seed gives the same images.

    Returns:
        uint8 [count, 28, 28].
    """
    present = set(digits.labels.tolist())
    kinds = [make for make, needed in _KINDS if needed <= present]
    return _make(kinds, digits, count, seed)


def make_pairs(digits: Examples, count: int, seed: int) -> Picture:
    """Make images of two digits that touch, which a reader shall cut and not take for one.

    A network that was never shown any is sure that it sees a 3 where 33 is squeezed into the box.

    Args:
        digits: What they are taken from.
        count: How many to make.
        seed: The same seed gives the same images.

    Returns:
        uint8 [count, 28, 28].
    """
    return _make([_pair], digits, count, seed)


def _make(kinds: Sequence[Maker], digits: Examples, count: int, seed: int) -> Picture:
    rng = np.random.default_rng(seed)
    images: list[Picture] = []
    while len(images) < count:
        picture = kinds[len(images) % len(kinds)](digits, rng)
        if picture is not None:
            images.append(picture)
    return np.stack(images)


def _pair(digits: Examples, rng: np.random.Generator) -> Picture | None:
    line = np.zeros((IMAGE_SIZE + 2 * MAX_RISE, 2 * IMAGE_SIZE), np.uint8)
    left = 0
    for _ in range(2):
        image = _pick(digits, range(10), rng)
        columns = np.flatnonzero(image.max(axis=0) > SOFT_EDGE)
        if not len(columns):
            return None
        ink = image[:, columns[0] : columns[-1] + 1]
        top = rng.integers(2 * MAX_RISE + 1)
        left = max(0, left - rng.integers(MAX_OVERLAP + 1))
        place = line[top : top + IMAGE_SIZE, left : left + ink.shape[1]]
        np.maximum(place, ink, out=place)
        left += ink.shape[1]
    return normalize(line)


def _letter(digits: Examples, rng: np.random.Generator) -> Picture | None:
    strokes = parse_strokes(str(rng.choice(LETTERS)), GRID, 0.04, rng)
    return draw([stroke - 0.5 for stroke in strokes], rng)


def _scribble(digits: Examples, rng: np.random.Generator) -> Picture | None:
    strokes = [rng.uniform(-0.5, 0.5, (rng.integers(2, 6), 2)) for _ in range(rng.integers(2, 5))]
    return draw(strokes, rng)


def _word(digits: Examples, rng: np.random.Generator) -> Picture | None:
    """Return a piece of a word, as a reader that takes it for a number would cut it out."""
    strokes = []
    right = 0.0
    for letter in rng.choice(LETTERS, 3):
        width = rng.uniform(0.5, 0.9)
        letter_strokes = parse_strokes(str(letter), GRID, 0.06, rng)
        strokes += [stroke * (width, 1) + (right, 0) for stroke in letter_strokes]
        right += width + rng.uniform(0, 0.15)
    middle = rng.uniform(0.3, right - 0.3)
    return draw([stroke - (middle, 0.5) for stroke in strokes], rng)


def _half(digits: Examples, rng: np.random.Generator) -> Picture | None:
    side = str(rng.choice(list(HALVES)))
    image = _pick(digits, HALVES[side], rng).copy()
    middle = IMAGE_SIZE // 2
    match side:
        case "left":
            image[:, middle:] = 0
        case "right":
            image[:, :middle] = 0
        case "top":
            image[middle:] = 0
        case "bottom":
            image[:middle] = 0
    return normalize(image)


def _turned(digits: Examples, rng: np.random.Generator) -> Picture | None:
    if rng.random() < 0.5:
        return normalize(np.rot90(_pick(digits, TURNED, rng), rng.choice([1, 3])))
    return normalize(_pick(digits, MIRRORED, rng)[:, ::-1])


def _neighbours(digits: Examples, rng: np.random.Generator) -> Picture | None:
    """Return parts of two digits, as a box between them would cut them out."""
    pair = [_pick(digits, range(10), rng) for _ in range(2)]
    gap = rng.integers(-10, -4)
    line = np.zeros((IMAGE_SIZE, 2 * IMAGE_SIZE + gap), np.uint8)
    line[:, :IMAGE_SIZE] = pair[0]
    line[:, IMAGE_SIZE + gap :] = np.maximum(line[:, IMAGE_SIZE + gap :], pair[1])
    cut = rng.integers(0, 12)
    return normalize(line[:, cut : line.shape[1] - cut])


def _texture(digits: Examples, rng: np.random.Generator) -> Picture | None:
    kind = rng.integers(4)
    if kind == 0:  # paper, or a shade
        return np.full((IMAGE_SIZE, IMAGE_SIZE), rng.integers(256) * rng.integers(2), np.uint8)
    if kind == 1:  # stripes
        rows, columns = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE]
        angle, period = rng.uniform(0, np.pi), rng.uniform(3, 16)
        wave = np.sin((rows * np.sin(angle) + columns * np.cos(angle)) * 2 * np.pi / period)
        values = wave * rng.uniform(0.3, 3) + rng.uniform(-1, 1)
    else:  # noise, fine to coarse
        size = int(rng.integers(4, IMAGE_SIZE + 1))
        noise = rng.normal(size=(size, size)).astype(np.float32)
        values = resize(noise, (IMAGE_SIZE, IMAGE_SIZE)) * rng.uniform(0.2, 3) + rng.normal()
    picture: Picture = np.clip(128 + 128 * values, 0, 255).astype(np.uint8)
    return picture


# Each kind with the digits that it takes pieces of. Letters twice: there is most of them on paper.
_KINDS: tuple[tuple[Maker, set[int]], ...] = (
    (_letter, set()),
    (_scribble, set()),
    (_letter, set()),
    (_word, set()),
    (_half, {digit for side in HALVES.values() for digit in side}),
    (_turned, {*TURNED, *MIRRORED}),
    (_neighbours, set()),
    (_texture, set()),
)


def _pick(digits: Examples, allowed: range | tuple[int, ...], rng: np.random.Generator) -> Picture:
    while True:
        index = rng.integers(len(digits))
        if digits.labels[index] in allowed:
            image: Picture = digits.images[index]
            return image
