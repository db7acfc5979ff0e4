"""Strips of numbers as the reader cuts them out of photographs, and what stands in them."""

import io
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from make_scenes import show_progress
from numpy.random import Generator
from numpy.typing import NDArray
from scene_truth import Scene, TrueNumber
from scenes import make_scene

from edge_mnist.dataset import Examples
from edge_mnist.files import write_atomically
from edge_mnist.preprocessing import NUM_CLASSES
from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.ink import MIN_CONTRAST, map_ink
from edge_mnist.vision.looks import IF_UNCLEAR
from edge_mnist.vision.parting import part_where_wide
from edge_mnist.vision.segmentation import Segmentation, segment
from edge_mnist.vision.strips import STRIP_HEIGHT, Strip, cut_strip

# Small pictures hold a number or a few each, and are made in a tenth of the time of a camera's.
SIZES = ((400, 300), (480, 360), (560, 420), (640, 480))
# Of each difficulty from 0 to 4, in turn.
DIFFICULTIES = (2, 3, 4, 1, 2, 3, 4, 3, 4, 0)
# The reader looks in these ways, each a share of the resolution and the least contrast of ink.
LOOKS = (
    (1.0, MIN_CONTRAST),
    *((look.side_share, look.min_contrast) for look in reversed(IF_UNCLEAR)),
)
# Of what is no number so many are kept, by whether it is several pieces of ink or one.
NOTHING_SHARES = {True: 0.35, False: 0.14}
# A digit belongs to a strip if so much of it is to be seen in it, and does not if less than this;
# what is between makes a strip unclear, and it is left out.
MIN_SEEN, MAX_UNSEEN = 0.75, 0.25
# How high digits may be in a strip, and how far from level, in its pixels.
HEIGHTS = (9, 34)
# And those of other lines, which the reader knows for digits, in heights of the own ones.
OTHERS_HIGH = (0.6, 1.5)
MAX_LINES_APART = 16
# What stands for no digit, and for the blank.
NO_DIGIT = NUM_CLASSES
MAX_DIGITS = 16


@dataclass(frozen=True)
class Strips:
    """Strips and what stands in them.

    Attributes:
        images: uint8 [N, 32, 256] as `cut_strip` makes them.
        widths: float64 [N], the columns of each that show something.
        texts: uint8 [N, 16], the digits from left to right; 10 where there are no more.
        places: float32 [N, 16], the columns of their middles.
    """

    images: NDArray[np.uint8]
    widths: NDArray[np.float64]
    texts: NDArray[np.uint8]
    places: NDArray[np.float32]

    @property
    def are_numbers(self) -> NDArray[np.bool_]:
        """Of each whether there is a digit in it, bool [N]."""
        shown: NDArray[np.bool_] = self.texts[:, 0] < NO_DIGIT
        return shown

    def text(self, index: int) -> NDArray[np.uint8]:
        """Return the digits of a strip, uint8 [digits]."""
        padded = self.texts[index]
        return padded[padded < NO_DIGIT]


# One strip: the strip itself, its digits, and the columns of their middles.
_Labelled = tuple[Strip, list[int], list[float]]


def make_number_strips(digits: Examples, scenes: int, seed: int) -> Strips:
    """Make scenes, and cut their strips; one process a core.

    Args:
        digits: What numbers are made of.
        scenes: How many scenes to make.
        seed: The same seed gives the same strips.
    """
    labelled: list[_Labelled] = []
    context = multiprocessing.get_context("spawn")
    with context.Pool(os.cpu_count(), _prepare, (digits, seed)) as pool:
        for done, strips in enumerate(pool.imap(_cut_scene, range(scenes), chunksize=8), start=1):
            labelled += strips
            show_progress(done, scenes, "scenes")
    texts = np.full((len(labelled), MAX_DIGITS), NO_DIGIT, np.uint8)
    places = np.zeros((len(labelled), MAX_DIGITS), np.float32)
    for row, (_, text, columns) in enumerate(labelled):
        texts[row, : len(text)] = text
        places[row, : len(text)] = columns
    return Strips(
        np.stack([strip.image for strip, _, _ in labelled]),
        np.array([strip.width for strip, _, _ in labelled]),
        texts,
        places,
    )


# What a process makes scenes of: digits, and a seed.
_SOURCE: list[tuple[Examples, int]] = []


def _prepare(digits: Examples, seed: int) -> None:
    # Ctrl-C is for the parent, which ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    _SOURCE.append((digits, seed))


def _cut_scene(index: int) -> list[_Labelled]:
    digits, seed = _SOURCE[0]
    rng = np.random.default_rng([seed, index])
    size = SIZES[rng.integers(len(SIZES))]
    difficulty = DIFFICULTIES[index % len(DIFFICULTIES)]
    return list(cut_labelled(make_scene(index, difficulty, digits, seed, size), rng))


def cut_labelled(scene: Scene, rng: Generator) -> Iterator[_Labelled]:
    """Cut the strips of a scene, in one of the ways that the reader looks at it.

    Args:
        scene: It.
        rng: The source of chance.

    Yields:
        Strips, their digits from left to right, and the columns of their middles.
    """
    share, min_contrast = LOOKS[rng.integers(len(LOOKS))]
    gray = cv2.cvtColor(scene.picture, cv2.COLOR_BGR2GRAY)
    gray = cv2.resize(gray, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    for ink in map_ink(gray.astype(np.uint8, copy=False)):
        found = segment(replace(ink, min_contrast=min_contrast))
        for row in found.rows:
            for group in part_where_wide(row, row, found.upright):
                strip = cut_strip(found.ink, group, _find_digits(found, group))
                if strip is None:
                    continue
                label = _label(strip, group, found, scene.truth.numbers, share)
                if label is None:
                    continue
                if label[0] or rng.random() < NOTHING_SHARES[len(group) > 1]:
                    yield strip, *label


def _find_digits(found: Segmentation, group: Sequence[Blob]) -> list[Blob]:
    """Return what may be clear digits, in any line: about as high as those of a group."""
    high = median(blob.height for blob in group)
    return [
        blob
        for row in found.rows
        for blob in row
        if OTHERS_HIGH[0] * high < blob.height < OTHERS_HIGH[1] * high
    ]


def save_strips(path: Path, strips: Strips) -> None:
    """Write strips into a file."""
    content = io.BytesIO()
    np.savez_compressed(content, **vars(strips))
    write_atomically(path, content.getvalue())


def load_strips(path: Path) -> Strips:
    """Load what `save_strips` has written."""
    with np.load(path, allow_pickle=False) as arrays:
        return Strips(**arrays)


def _label(
    strip: Strip,
    group: Sequence[Blob],
    found: Segmentation,
    numbers: Sequence[TrueNumber],
    scale: float,
) -> tuple[list[int], list[float]] | None:
    """Return the digits in a strip and their columns; None if it is unclear what belongs to it."""
    to_ink = cv2.invertAffineTransform(found.to_frame)
    to_strip = strip.to_strip
    high = median(blob.height for blob in group)
    left, right = min(blob.left for blob in group), max(blob.right for blob in group)
    top = min(blob.top for blob in group) - 0.2 * high
    bottom = max(blob.bottom for blob in group) + 0.2 * high
    own: list[tuple[float, float, float, int]] = []
    has_others = False
    for number in numbers:
        seen = []
        is_own = False
        for digit in number.digits:
            x, y, wide, tall = (scale * side for side in digit.box)
            middle = to_ink @ (x + wide / 2, y + tall / 2, 1)
            is_own |= bool(left < middle[0] < right and top < middle[1] < bottom)
            column, line = to_strip @ (*middle, 1)
            wide, tall = wide * to_strip[0, 0], tall * to_strip[1, 1]
            share = _overlap(column, wide, strip.width) * _overlap(line, tall, STRIP_HEIGHT)
            seen.append((share, column, line, tall, digit.digit))
        if is_own and any(MAX_UNSEEN < share < MIN_SEEN for share, *_ in seen):
            return None
        if is_own:
            own += [tuple(rest) for share, *rest in seen if share >= MIN_SEEN]
        has_others |= any(share > MAX_UNSEEN for share, *_ in seen) and not is_own
    if not own:
        return None if has_others else ([], [])
    own.sort()
    columns, lines, heights, texts = zip(*own, strict=True)
    is_usual = HEIGHTS[0] <= median(heights) and max(heights) <= HEIGHTS[1]
    if not is_usual or max(lines) - min(lines) > MAX_LINES_APART or len(own) > MAX_DIGITS:
        return None
    return list(texts), list(columns)


def _overlap(middle: float, size: float, room: float) -> float:
    """Return the share of a length that lies between 0 and an end."""
    return max(0.0, min(middle + size / 2, room) - max(middle - size / 2, 0.0)) / size
