"""Digits as other countries write them, for a network that sees MNIST's American ones alone."""

import numpy as np

from edge_mnist.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from edge_mnist.dataset import Examples, join


def make_handwriting(digits: Examples, count: int, seed: int) -> Examples:
    """Draw crossed sevens, slashed zeros and the like over digits, in even shares of each.

    They come from the generators that `edge-mnist evaluate --corrupt` measures with, over other
    images. A four that is open already, as most are, stays as it is.

    Args:
        digits: What is drawn on.
        count: About how many to make.
        seed: The same seed gives the same images.

    Returns:
        As many of each habit and strength as `digits` has of its digit, and at most an even share.
    """
    rng = np.random.default_rng(seed)
    habits = [(kind, c.digit) for kind, c in CORRUPTIONS.items() if c.digit is not None]
    share = count // (len(habits) * len(STRENGTHS))
    parts = [digits.take(np.arange(0))]  # of none, where `digits` has none of these digits
    for kind, digit in habits:
        candidates = np.flatnonzero(digits.labels == digit)
        for strength in STRENGTHS if len(candidates) else ():
            chosen = rng.permutation(candidates)[:share]
            images = corrupt(digits.images[chosen], kind, strength, seed)
            parts.append(Examples(images, digits.labels[chosen]))
    return join(parts)
