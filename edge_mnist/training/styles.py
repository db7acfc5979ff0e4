"""Digits drawn by strokes of our own, in the forms that schools of several countries teach.

MNIST's writers are Americans: next to none of their ones has a flag, hardly a seven has a bar. A
network that has seen no others takes a flagged 1 for a 7.
"""

import numpy as np

from edge_mnist.dataset import Examples
from edge_mnist.training.strokes import Picture, draw, parse_strokes

# Forms as strokes on a grid of 5 columns and 9 rows, x to the right and y down. Closed strokes
# begin and end apart, else they would not be rounded.
GRID = (5, 9)
FORMS: tuple[tuple[str, ...], ...] = (
    (
        "30 10 02 06 18 38 46 42 20",
        "20 02 06 28 46 42 30 11",
        "20 02 05 18 38 46 42 20 11",
        "30 10 02 06 18 38 46 42 20, 41 07",  # slashed
    ),
    (
        "20 28",
        "03 20 28",  # with a flag
        "12 30 38",
        "03 30 38",
        "04 30 38",  # as long as Germans write it
        "11 20 28",
        "03 20 28, 08 48",  # with a flag and a foot
        "13 30 38, 18 48",
        "20 28, 08 48",
    ),
    (
        "02 10 30 42 25 08 48",
        "01 20 41 43 08 48",
        "11 30 42 34 08 28 47",
        "02 10 30 42 24 07 06 16 38 47",  # with a loop at its foot
        "01 20 41 33 08 06 27 48",
        "00 40 08 48",
    ),
    (
        "01 20 41 43 24 45 47 28 07",
        "01 10 30 42 24 14 34 46 38 18 07",
        "00 40 24 45 47 28 07",  # with a level top
        "00 40 13 34 46 38 18 07",
        "02 20 41 34 23 45 37 18 06",
    ),
    (
        "00 04 44, 30 38",  # open
        "10 04 44, 42 28",
        "10 05 45, 33 38",
        "00 03 14 33 40, 40 38",
        "30 05 45, 30 38",  # closed
        "30 05 45, 33 38",
        "20 05 45, 32 38",
    ),
    (
        "40 00 03 33 45 47 28 07",
        "40 10 03 23 44 46 38 18 07",
        "10 03 24 45 47 28 07, 10 40",  # its top drawn last
        "41 20 02 24 45 37 18 07",
        "30 00 03 23 45 47 28 08",
    ),
    (
        "30 11 04 06 28 47 45 24 05",
        "30 05 07 28 47 45 25 06",
        "40 12 05 07 18 38 46 35 15 06",
        "10 03 06 28 46 44 24 06",
        "41 20 03 06 28 47 45 24 05",
    ),
    (
        "00 40 18",
        "01 40 24 28",
        "00 40 28, 14 44",  # with a bar
        "00 40 18, 04 34",
        "02 00 40 18",  # with a serif
        "02 00 40 18, 14 44",
        "01 10 31 40 24 18",
    ),
    (
        "40 20 01 13 35 46 28 06 15 33 41 30",
        "41 20 01 12 34 46 28 06 14 32 40",
        "30 10 01 03 14 34 43 41 20, 24 05 07 18 38 47 45 34 14",  # two rings
        "20 41 33 14 06 28 46 34 12 01 30",
    ),
    (
        "41 20 02 13 33 41 48",
        "41 30 10 02 04 15 35 42 40 48",
        "41 20 02 14 33 41 46 28 07",  # with a hook
        "41 20 01 03 24 42 41 45 38 18 07",
        "41 20 02 14 33 41 18",
        "40 10 02 13 33 40 28",
    ),
)
DEVIATION = 0.05
# Most people write rounder than a line of corners.
ROUND_SHARE = 0.8


def draw_styles(count: int, seed: int) -> Examples:
    """Draw digits, in even shares of each digit and of each of its forms.

    Args:
        count: How many to draw.
        seed: The same seed gives the same images.

    Returns:
        Images as preprocessing gives them, uint8 [count, 28, 28], and their digits.
    """
    rng = np.random.default_rng(seed)
    images: list[Picture] = []
    labels: list[int] = []
    while len(images) < count:
        digit, turn = len(images) % len(FORMS), len(images) // len(FORMS)
        form = FORMS[digit][turn % len(FORMS[digit])]
        strokes = parse_strokes(form, GRID, DEVIATION, rng)
        image = draw([stroke - 0.5 for stroke in strokes], rng, ROUND_SHARE)
        if image is not None:
            images.append(image)
            labels.append(digit)
    return Examples(np.stack(images), np.array(labels, np.uint8))
