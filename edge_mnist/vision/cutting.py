"""Where digits that touch may be cut."""

import numpy as np
from numpy.typing import NDArray

from edge_mnist.vision.blobs import Blob

# Blobs wider than this, in heights, may be several digits: MNIST's are wider at most in 1 of 100.
MAX_DIGIT_ASPECT = 0.8
# And wider than this are no number, but a scribble or a word.
MAX_NUMBER_ASPECT = 6.0
# The narrowest and widest part to be cut off, in heights.
MIN_PART, MAX_PART = 0.1, 1.2
MIN_PART_HEIGHT = 0.5
# Cuts that are tried for each digit that would fit in.
CUTS_A_HEIGHT = 4


def propose_parts(blob: Blob, share: NDArray[np.float32]) -> dict[tuple[int, int], Blob]:
    """Propose parts of a wide blob that may be digits.

    Args:
        blob: The blob.
        share: Its ink, float32 [height, width], 0 is paper and 1 is a full stroke.

    Returns:
        By the cuts that they lie between, numbered from left to right, 0 the left end and the
        highest number the right end. Empty if the blob is no wider than a digit.
    """
    height, width = blob.mask.shape
    if not MAX_DIGIT_ASPECT < width / height <= MAX_NUMBER_ASPECT:
        return {}
    side = _find_sides(blob, share)
    if side is None:
        return {}
    last = int(side.max())
    parts = {}
    for start in range(last + 1):
        for end in range(start + 1, last + 2):
            if (start, end) == (0, last + 1):
                continue
            own = blob.mask & (side >= start) & (side < end)
            part = _trim(blob, own)
            if (
                part is not None
                and MIN_PART * height <= part.width <= MAX_PART * height
                and part.height >= MIN_PART_HEIGHT * height
            ):
                parts[start, end] = part
    return parts


def _find_sides(blob: Blob, share: NDArray[np.float32]) -> NDArray[np.intp] | None:
    """Number the pixels by the cuts to their left, int [height, width]; None without any cut."""
    height, width = blob.mask.shape
    seams, costs = _find_seams(share)
    margin = max(1, round(MIN_PART * height))
    wanted = max(1, round(CUTS_A_HEIGHT * width / height))
    distance = max(2, round(0.12 * height))
    middle = seams.mean(axis=0)
    chosen: list[int] = []
    for index in np.argsort(costs, kind="stable"):
        place = middle[index]
        if not margin <= place <= width - margin:
            continue
        if all(abs(place - middle[other]) >= distance for other in chosen):
            chosen.append(int(index))
        if len(chosen) == wanted:
            break
    if not chosen:
        return None
    columns = np.arange(width)[None, :]
    side = np.zeros((height, width), np.intp)
    for index in sorted(chosen, key=lambda i: middle[i]):
        side += columns >= seams[:, index : index + 1]
    return side


def _find_seams(share: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the way from top to bottom through the least ink, for every column to end in.

    Returns:
        The column of each seam in each row, int [height, width], and each seam's cost.
    """
    height, width = share.shape
    ink = share + np.float32(1e-3)
    total = ink[0].copy()
    came = np.zeros((height, width), np.int8)
    columns = np.arange(width)
    for row in range(1, height):
        padded = np.pad(total, 1, constant_values=np.inf)
        # Straight down is free, a step aside costs a little.
        options = np.stack([padded[1:-1], padded[:-2] + 0.1, padded[2:] + 0.1])
        best = options.argmin(axis=0)
        came[row] = np.array([0, -1, 1], np.int8)[best]
        total = options[best, columns] + ink[row]
    seams = np.empty((height, width), np.intp)
    seams[-1] = columns
    for row in range(height - 1, 0, -1):
        seams[row - 1] = seams[row] + came[row, seams[row]]
    return seams, total


def _trim(blob: Blob, own: NDArray[np.bool_]) -> Blob | None:
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    box = (blob.left + left, blob.top + top, right - left, bottom - top)
    return Blob(box, own[top:bottom, left:right], blob.level)
