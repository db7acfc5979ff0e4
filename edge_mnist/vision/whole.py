"""Whether a number is what its digits say one by one, or what it says as a whole."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from edge_mnist.prediction import Prediction
from edge_mnist.preprocessing import NUM_CLASSES
from edge_mnist.vision.blobs import Blob, trim
from edge_mnist.vision.candidates import STROKES, Candidate
from edge_mnist.vision.ctc import Seen, rate_text, read_best_path
from edge_mnist.vision.ink import InkMap
from edge_mnist.vision.judging import MIN_LEVEL_SHARE
from edge_mnist.vision.line_reader import COLUMN_STEP
from edge_mnist.vision.strips import STRIP_HEIGHT, Strip

# Where a digit scores less, the number is read as a whole, too.
UNSURE_SCORE = -0.15
# In units of log-probability: a text counts in the place of another if it is likelier by the first
# of these, and by so many times what it lacks to be certain; none at all if that is likelier by the
# last. Told by validation digits, as is the next.
MIN_GAIN, DOUBT_COST = 2.0, 1.3
MIN_NOTHING_GAIN = 2.5
# More digits than were taken, where something was left out, cost this: it may be a letter.
MORE_COST = 1.5
# What was judged to be no number is one if it lacks no more than this, for each digit, to be
# certain. One digit is not enough: letters and rules look like one.
MAX_RESCUED_DOUBT = 0.1
MIN_RESCUED = 2
# Unless it is so wide, in heights, that it may be several that touch; straight strokes alone are a
# zigzag then.
MIN_JOINED_ASPECT = 1.3


def is_unsure(group: Sequence[Candidate], number: Sequence[Candidate], is_clear: bool) -> bool:
    """Tell whether what stands together shall be read as a whole, too.

    Args:
        group: All that may be digits.
        number: Those that were taken.
        is_clear: Whether nearly all that looks like a digit on the page is a clear one.
    """
    if len(group) < MIN_RESCUED and not number and group[0].aspect < MIN_JOINED_ASPECT:
        return False
    if not is_clear:
        return True
    return len(group) > 1 and (
        len(number) < len(group) or min(c.score for c in group) < UNSURE_SCORE
    )


def choose_text(
    group: Sequence[Candidate], number: Sequence[Candidate], probabilities: NDArray[np.float64]
) -> tuple[list[Seen] | None, float]:
    """Choose between what a number is when read as a whole and what its digits tell.

    Args:
        group: All that may be digits.
        number: Those that were taken; none if it was judged to be no number.
        probabilities: float64 [columns, 11], of the columns of its strip.

    Returns:
        What it is as a whole; None if its digits tell more. And how likely what is chosen is as a
        whole, 0 to 1; 1 of no number, about which there is nothing to tell.
    """
    seen = read_best_path(probabilities)
    text = [one.label for one in seen]
    digits = [c.prediction.digit for c in number]
    rating = rate_text(probabilities, text)
    if text == digits:
        return None, math.exp(rating)
    if not digits:
        is_zigzag = len(group) == 1 and all(label in STROKES for label in text)
        is_certain = (
            len(text) >= MIN_RESCUED and rating > -MAX_RESCUED_DOUBT * len(text) and not is_zigzag
        )
        return (seen, math.exp(rating)) if is_certain else (None, 1.0)
    of_digits = rate_text(probabilities, digits)
    gain = rating - of_digits
    if len(text) > len(digits) and len(group) > len(digits):
        gain -= MORE_COST
    is_likelier = gain > (MIN_GAIN - DOUBT_COST * rating if text else MIN_NOTHING_GAIN)
    return (seen, math.exp(rating)) if is_likelier else (None, math.exp(of_digits))


def place_digits(
    seen: Sequence[Seen],
    probabilities: NDArray[np.float64],
    strip: Strip,
    group: Sequence[Candidate],
    ink: InkMap,
) -> list[Candidate]:
    """Tell where the digits of a strip stand in the ink.

    Args:
        seen: The digits.
        probabilities: float64 [columns, 11], of the columns of the strip.
        strip: It.
        group: What was found there.
        ink: What the strip was cut from.
    """
    columns = [(one.column + 0.5) * COLUMN_STEP for one in seen]
    borders = [(left + right) / 2 for left, right in pairwise(columns)]
    ends = [0.0, *borders, strip.width]
    level = median(c.blob.level for c in group)
    placed = []
    # A strip of nothing has two ends, too.
    for one, column, (left, right) in zip(seen, columns, pairwise(ends), strict=False):
        weights = probabilities[one.column, :NUM_CLASSES]
        total = float(weights.sum())
        prediction = Prediction(
            one.label, float(weights[one.label]) / total, 1 - total, False, weights, total
        )
        blob = _find_blob(column, columns, strip, group)
        if blob is None:
            blob = _cut_blob(left, right, level, strip, ink)
        # What is much fainter is a printed line.
        if blob.level >= MIN_LEVEL_SHARE * level:
            placed.append(Candidate(blob, prediction))
    return placed


def _find_blob(
    column: float, columns: Sequence[float], strip: Strip, group: Sequence[Candidate]
) -> Blob | None:
    """Return the blob that stands where a digit is seen, and where no other is."""
    scale, shift = strip.to_strip[0, 0], strip.to_strip[0, 2]
    for candidate in group:
        blob = candidate.blob
        left, right = scale * blob.left + shift, scale * blob.right + shift
        if left < column < right and sum(left < other < right for other in columns) == 1:
            return blob
    return None


def _cut_blob(left: float, right: float, level: float, strip: Strip, ink: InkMap) -> Blob:
    """Return the ink between two columns of a strip, of which the level is known."""
    scale, shift = strip.to_strip[0, 0], strip.to_strip[0, 2]
    slope, down, lift = strip.to_strip[1]
    high, wide = ink.contrast.shape
    first = min(max(0, math.floor((left - shift) / scale)), wide - 1)
    last = max(first + 1, min(wide, math.ceil((right - shift) / scale)))
    middle = slope * (first + last) / 2
    top = min(max(0, math.floor((-lift - middle) / down)), high - 1)
    bottom = max(top + 1, min(high, math.ceil((STRIP_HEIGHT - lift - middle) / down)))
    own = ink.mask[top:bottom, first:last] > 0
    blob = Blob((first, top, last - first, bottom - top), np.ones_like(own), level)
    return trim(blob, own) or blob
