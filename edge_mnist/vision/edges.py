"""Telling what was written from the edge of a page or the side of a frame."""

from collections.abc import Sequence
from statistics import fmean, median

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.blobs import Blob, take_rank
from edge_mnist.vision.candidates import Candidate
from edge_mnist.vision.components import Mask
from edge_mnist.vision.judging import MAX_SHORT
from edge_mnist.vision.segmentation import Segmentation

# What surrounds ink is looked at from the second of these distances to the first, in pixels: nearer
# is its own soft edge.
FAR_PX = 3
NEAR_PX = 1
# So many pixels of its height are an end of it.
END_PX = 4
# Ink's own grey and that of the paper around it: this share of the pixels is darker. What counts as
# dark is that share of the way from the one to the other.
INK_RANK = 0.4
PAPER_RANK = 0.8
DARK_SHARE = 0.25
# Around either end so much is dark if the ink is an edge of something larger, or a part of it.
MIN_DARK_AROUND = 0.07
# A side of a frame beside a number ends in so much darkness, and is lower or higher than the
# digits of the number by these factors.
MIN_DARK_END = 0.3
MAX_LOWER, MAX_HIGHER = 0.8, 1.15
# All around digits no more than this share is, in the mean: next to an edge of paper about half.
MAX_DARK_SHARE = 0.28


def is_edge(gray: GrayImage, found: Segmentation, blob: Blob) -> bool:
    """Tell whether ink has no ends of its own: around both of them it is as dark as the ink.

    So it is where paper ends on a dark desk and where a side of a frame was parted from the others.
    A stroke that was written ends on paper; where it crosses the edge of a shadow, one end does.

    Args:
        gray: uint8 [height, width], what the ink was found in.
        found: All that was found.
        blob: The ink.
    """
    return min(_measure_ends(gray, found, blob)) > MIN_DARK_AROUND


def leave_edges_out(
    number: Sequence[Candidate], gray: GrayImage, found: Segmentation
) -> list[Candidate]:
    """Return a number without what a frame around it or a page's edge beside it was taken for.

    Args:
        number: Its digits. All of them go if they are so few that they may be pieces of an edge.
        gray: uint8 [height, width], what the ink was found in.
        found: All that was found.
    """
    if 0 < len(number) <= MAX_SHORT and (
        fmean(_measure_darkness(gray, found, candidate.blob) for candidate in number)
        > MAX_DARK_SHARE
    ):
        return []
    return [
        candidate
        for index, candidate in enumerate(number)
        if index not in (0, len(number) - 1) or not _is_side(gray, found, number, candidate)
    ]


def _is_side(
    gray: GrayImage, found: Segmentation, number: Sequence[Candidate], one: Candidate
) -> bool:
    """Tell whether the outermost 1 of a number is a side of a frame, or of the page.

    It goes on into darkness as a 1 that touches a line does; but it is not as high as the others.
    """
    others = [other.blob.height for other in number if other is not one]
    if one.prediction.digit != 1 or not others:
        return False
    ratio = one.blob.height / median(others)
    return not MAX_LOWER <= ratio <= MAX_HIGHER and (
        max(_measure_ends(gray, found, one.blob)) > MIN_DARK_END
    )


def _measure_ends(gray: GrayImage, found: Segmentation, blob: Blob) -> tuple[float, float]:
    """Return how much of what surrounds ink at its upper end and at its lower one is as dark."""
    dark, around = _look_around(gray, found, blob)
    end = FAR_PX + END_PX
    upper, lower = (
        np.count_nonzero(dark[rows]) / np.count_nonzero(around[rows])
        for rows in (slice(None, end), slice(-end, None))
    )
    return upper, lower


def _measure_darkness(gray: GrayImage, found: Segmentation, blob: Blob) -> float:
    """Return how much of what surrounds ink is as dark as the ink, as a desk beside paper is."""
    dark, around = _look_around(gray, found, blob)
    return np.count_nonzero(dark) / np.count_nonzero(around)


def _look_around(
    gray: GrayImage, found: Segmentation, blob: Blob
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what around ink is as dark as it, and what is around it, both bool [height, width]."""
    x, y = blob.box[:2]
    sides = (FAR_PX,) * 4
    ink = cv2.copyMakeBorder(blob.mask.view(np.uint8), *sides, cv2.BORDER_CONSTANT).astype(
        np.uint8, copy=False
    )
    corner = np.array([x - FAR_PX, y - FAR_PX])
    to_frame = found.to_frame.copy()
    to_frame[:, 2] += to_frame[:, :2] @ corner
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    turned = cv2.warpAffine(
        gray, to_frame, ink.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    levels: GrayImage = (~turned if found.ink.is_bright else turned).astype(np.uint8, copy=False)
    around = _widen(ink, FAR_PX) > _widen(ink, NEAR_PX)
    own = take_rank(levels[ink > 0], INK_RANK)
    paper = take_rank(levels[around], PAPER_RANK)
    dark = around & (levels < own + DARK_SHARE * (paper - own))
    return dark, around


def _widen(ink: Mask, pixels: int) -> Mask:
    return cv2.dilate(ink, np.ones((2 * pixels + 1,) * 2, np.uint8)).astype(np.uint8, copy=False)
