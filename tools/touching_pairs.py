"""Pictures of two digits that touch, and of what a reader may take for that."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist.dataset import Examples
from edge_mnist.preprocessing import (
    BOX_INK_SHARE,
    IMAGE_SIZE,
    NUM_CLASSES,
    bound_ink,
    scale_ink,
)
from edge_mnist.training.outliers import make_outliers
from edge_mnist.vision.pairs import fit_pair

# The share of pictures that show no pair.
OTHER_SHARE = 0.3
# A digit is so many times as large as another, and as wide as it is in MNIST, at most.
MAX_SIZE_RATIO, MAX_WIDTH_RATIO = 1.15, 1.1
# Deviation of how high it stands, in pixels of MNIST.
RISE = 1.2
# How far digits run into one another, in such pixels, and how often.
OVERLAPS, OVERLAP_SHARES = (0, 1, 2, 3, 4, 5), (0.25, 0.25, 0.2, 0.15, 0.1, 0.05)
# A piece of a neighbour has this share of its width, from and to.
PIECE = (0.1, 0.35)
# What is wider than this, in heights, is a wide digit.
WIDE_ASPECT = 0.7
# Room for digits in a line.
LINE_HEIGHT = 2 * IMAGE_SIZE

# float32 [height, width], 0 is paper and 1 is ink.
Ink = NDArray[np.float32]


@dataclass(frozen=True)
class Pairs:
    """Pictures and what they show.

    Attributes:
        images: uint8 [N, 28, 28] as `fit_pair` makes them.
        labels: uint8 [N, 2], the left digit and the right one; 10 and 10 where there is no pair.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    @property
    def are_pairs(self) -> NDArray[np.bool_]:
        """Of each whether it shows a pair, bool [N]."""
        shown: NDArray[np.bool_] = self.labels[:, 0] < NUM_CLASSES
        return shown


def make_touching_pairs(digits: Examples, count: int, seed: int) -> Pairs:
    """Make pictures of pairs, and of other things.

    Args:
        digits: What they are taken from.
        count: How many to make.
        seed: The same seed gives the same pictures.
    """
    rng = np.random.default_rng(seed)
    others = round(OTHER_SHARE * count)
    needed = sum(_OTHERS[index % len(_OTHERS)] is None for index in range(others))
    outliers = iter(make_outliers(digits, max(needed, 1), seed).astype(np.float32) / 255)
    images = np.empty((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    labels = np.full((count, 2), NUM_CLASSES, np.uint8)
    for index in range(count):
        if index < others:
            make = _OTHERS[index % len(_OTHERS)]
            ink = _cut(next(outliers)) if make is None else make(digits, rng)
        else:
            chosen = rng.integers(len(digits), size=2)
            labels[index] = digits.labels[chosen]
            ink = _join([_take(digits, place, rng) for place in chosen], rng)
        images[index] = fit_pair(ink)
    order = rng.permutation(count)
    return Pairs(images[order], labels[order])


def _three(digits: Examples, rng: Generator) -> Ink:
    return _join([_take_any(digits, rng) for _ in range(3)], rng)


def _digit_and_piece(digits: Examples, rng: Generator) -> Ink:
    digit, other = _take_any(digits, rng), _take_any(digits, rng)
    width = max(1, round(other.shape[1] * rng.uniform(*PIECE)))
    if rng.random() < 0.5:
        return _join([digit, _cut(other[:, :width])], rng)
    return _join([_cut(other[:, -width:]), digit], rng)


def _wide_digit(digits: Examples, rng: Generator) -> Ink:
    while True:
        digit = _take_any(digits, rng)
        if digit.shape[1] > WIDE_ASPECT * digit.shape[0]:
            return digit


def _take_any(digits: Examples, rng: Generator) -> Ink:
    return _take(digits, int(rng.integers(len(digits))), rng)


def _take(digits: Examples, index: int, rng: Generator) -> Ink:
    """Return the ink of a digit, of a size of its own."""
    ink = _cut(digits.images[index].astype(np.float32) / 255)
    high = _draw_ratio(MAX_SIZE_RATIO, rng)
    wide = high * _draw_ratio(MAX_WIDTH_RATIO, rng)
    height, width = ink.shape
    size = max(4, round(high * height)), max(2, round(wide * width))
    return scale_ink(ink, size)


def _draw_ratio(most: float, rng: Generator) -> float:
    return float(np.exp(rng.uniform(-1, 1) * np.log(most)))


def _join(inks: list[Ink], rng: Generator) -> Ink:
    """Write digits from left to right so that each touches the one before."""
    line = np.zeros((LINE_HEIGHT, LINE_HEIGHT * len(inks)), np.float32)
    for place, ink in enumerate(inks):
        top = round((LINE_HEIGHT - ink.shape[0]) / 2 + rng.normal(0, RISE))
        rows = slice(top, top + ink.shape[0])
        left = 0
        if place:
            overlap = int(rng.choice(OVERLAPS, p=OVERLAP_SHARES))
            end = np.flatnonzero((line >= BOX_INK_SHARE).any(axis=0))[-1] + 1
            left = max(1, end - _reach(line[rows, :end], ink) - overlap)
        own = line[rows, left : left + ink.shape[1]]
        np.maximum(own, ink, out=own)
    return _cut(line)


def _reach(line: Ink, ink: Ink) -> int:
    """Return how far ink can move to the left from the end of a line until both meet."""
    written, own = line >= BOX_INK_SHARE, ink >= BOX_INK_SHARE
    behind = np.where(written.any(axis=1), written[:, ::-1].argmax(axis=1), LINE_HEIGHT)
    before = np.where(own.any(axis=1), own.argmax(axis=1), LINE_HEIGHT)
    return int(min((behind + before).min(), LINE_HEIGHT))


def _cut(ink: Ink) -> Ink:
    """Return ink in its box; a spot where there is none."""
    if ink.max() < BOX_INK_SHARE:
        return np.ones((4, 4), np.float32)
    top, bottom, left, right = bound_ink(ink)
    return ink[top:bottom, left:right]


# In turn; None is an outlier as other models are trained on: letters, scribbles, pieces, textures.
_OTHERS: tuple[Callable[[Examples, Generator], Ink] | None, ...] = (
    None,
    _three,
    None,
    _digit_and_piece,
    _take_any,
    _wide_digit,
)
