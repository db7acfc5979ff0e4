"""Where digits that touch may be cut."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_mnist.vision.blobs import Blob, trim

# Narrower blobs, in heights, are one digit. Wider ones are words for the most part, and there are
# more parts by the square of the width: what touches over such a length is read as a whole.
MIN_ASPECT = 0.8
MAX_ASPECT = 2.0
# The narrowest and widest part to be cut off, and the lowest, in heights.
MIN_PART, MAX_PART = 0.1, 1.5
MIN_PART_HEIGHT = 0.4
# Cuts of each kind that are tried for each digit that would fit in, and how far apart, in heights.
CUTS_A_HEIGHT = 4
MIN_DISTANCE = 0.08
# What a step aside costs a cut, in pixels of ink.
STEP_COST = 0.1
# A notch in the outline is this deep, and a cut leads from one to another at most so far aside,
# both in heights.
MIN_DEPTH = 0.03
MAX_SLANT = 0.6

# A cut: the column at which it passes each row, int [height].
Cut = NDArray[np.intp]


class Parts(NamedTuple):
    """What a blob falls into.

    Attributes:
        stretches: How many stretches the cuts make of it.
        blobs: Parts of one stretch or several, by the cut before the first and the one after the
            last: 0 is the left end and `stretches` the right end.
    """

    stretches: int
    blobs: dict[tuple[int, int], Blob]


def propose_parts(blob: Blob, share: NDArray[np.float32]) -> list[Parts]:
    """Propose parts of a wide blob that may be digits.

    Args:
        blob: The blob.
        share: Its ink, float32 [height, width], 0 is paper and 1 is a full stroke.

    Returns:
        The parts for each way to find cuts. Empty if the blob is no wider than a digit, or so wide
        that it is not cut.
    """
    height, width = blob.mask.shape
    if not MIN_ASPECT < width / height <= MAX_ASPECT:
        return []
    ways = (_cut_at_notches(blob.mask), _cut_through_least_ink(share))
    return [_cut(blob, _choose(cuts, blob)) for cuts in ways]


def halve(blob: Blob) -> list[Blob]:
    """Return the left half of a blob and the right one; both have ink, since its box is tight.

    Args:
        blob: At least two pixels wide.
    """
    is_left = np.arange(blob.width) < blob.width // 2
    halves = (trim(blob, blob.mask & side) for side in (is_left, ~is_left))
    return [half for half in halves if half is not None]


def _cut(blob: Blob, cuts: list[Cut]) -> Parts:
    height, width = blob.mask.shape
    columns = np.arange(width)
    side = np.zeros((height, width), np.intp)
    for cut in cuts:
        side += columns >= cut[:, None]
    count = len(cuts) + 1
    parts = {}
    for start in range(count):
        for end in range(start + 1, count + 1):
            if (start, end) == (0, count):
                continue
            part = trim(blob, blob.mask & (side >= start) & (side < end))
            if (
                part is not None
                and MIN_PART * height <= part.width <= MAX_PART * height
                and part.height >= MIN_PART_HEIGHT * height
            ):
                parts[start, end] = part
    return Parts(count, parts)


def _choose(candidates: list[Cut], blob: Blob) -> list[Cut]:
    """Choose the first cuts that do not cross one another, and return them from left to right."""
    height, width = blob.mask.shape
    wanted = max(1, round(CUTS_A_HEIGHT * width / height))
    margin, distance = MIN_PART * height, max(2.0, MIN_DISTANCE * height)
    chosen: list[Cut] = []
    for cut in candidates:
        place = cut.mean()
        if margin <= place <= width - margin and all(
            abs(place - other.mean()) >= distance and ((cut <= other).all() or (cut >= other).all())
            for other in chosen
        ):
            chosen.append(cut)
        if len(chosen) == wanted:
            break
    return sorted(chosen, key=lambda cut: float(cut.mean()))


def _cut_at_notches(mask: NDArray[np.bool_]) -> list[Cut]:
    """Return straight cuts from the notches between digits above to those below, deepest first."""
    height, _ = mask.shape
    # How far the outline is from the upper edge, and from the lower one.
    above, below = mask.argmax(axis=0), mask[::-1].argmax(axis=0)
    cuts = []
    for top, top_depth in _find_notches(above, MIN_DEPTH * height):
        for bottom, bottom_depth in _find_notches(below, MIN_DEPTH * height):
            if abs(top - bottom) <= MAX_SLANT * height:
                ends = above[top], max(above[top] + 1, height - 1 - below[bottom])
                cut = np.interp(np.arange(height), ends, (top, bottom))
                cuts.append((top_depth + bottom_depth, np.rint(cut).astype(np.intp)))
    return [cut for _, cut in sorted(cuts, key=lambda found: -found[0])]


def _find_notches(outline: NDArray[np.intp], depth: float) -> list[tuple[int, float]]:
    """Return where an outline is farthest from the edge between two places that are nearer.

    Args:
        outline: int [width], the distance from the edge.
        depth: By how much they are nearer, at least.

    Returns:
        The column of each notch and its depth.
    """
    left = np.minimum.accumulate(outline)
    right = np.minimum.accumulate(outline[::-1])[::-1]
    depths = outline - np.maximum(left, right)
    is_peak = np.r_[True, outline[1:] > outline[:-1]] & (depths >= depth)
    notches = []
    for start in np.flatnonzero(is_peak):
        end = start
        while end + 1 < len(outline) and outline[end + 1] == outline[start]:
            end += 1
        if end + 1 == len(outline) or outline[end + 1] < outline[start]:
            notches.append(((int(start) + int(end)) // 2, float(depths[start])))
    return notches


def _cut_through_least_ink(share: NDArray[np.float32]) -> list[Cut]:
    """Return cuts from top to bottom through the least ink, the cheapest first."""
    height, width = share.shape
    ink = share + np.float32(1e-3)
    total = ink[0].copy()
    came = np.zeros((height, width), np.int8)
    columns = np.arange(width)
    for row in range(1, height):
        padded = np.pad(total, 1, constant_values=np.inf)
        options = np.stack([padded[1:-1], padded[:-2] + STEP_COST, padded[2:] + STEP_COST])
        best = options.argmin(axis=0)
        came[row] = np.array([0, -1, 1], np.int8)[best]
        total = options[best, columns] + ink[row]
    cuts = np.empty((height, width), np.intp)
    cuts[-1] = columns
    for row in range(height - 1, 0, -1):
        cuts[row - 1] = cuts[row] + came[row, cuts[row]]
    return [cuts[:, index] for index in np.argsort(total, kind="stable")]
