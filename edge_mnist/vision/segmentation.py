"""From a frame to the ink that may be digits, line by line."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.blobs import Blob, find_blobs, unite
from edge_mnist.vision.components import Components, Mask, find_components, touches_border
from edge_mnist.vision.ink import InkMap
from edge_mnist.vision.reading import Box
from edge_mnist.vision.rules import are_rules, erase_rules, estimate_tilts
from edge_mnist.vision.text_lines import find_lines

# Lines that rise or fall by less are read as they are: models are trained on 10 degrees.
MIN_TURN_DEG = 3.0
MIN_RULES_TURN_DEG = 0.75

# Parts of a digit overlap by this share of the narrower one's width, are as close as this and
# together as high as this, both in heights of the line's digits.
MIN_OVERLAP = 0.3
MAX_BREAK = 0.25
MAX_HEIGHT = 1.3
# What is so many times as wide as high can be an underline; it sticks out of what stands above it
# on both sides by this share of the height.
MIN_UNDERLINE_ASPECT = 3.0
MIN_OVERHANG = 0.1


@dataclass(frozen=True)
class Segmentation:
    """What may be digits in a frame.

    Attributes:
        ink: How far each pixel stands out; turned so that lines of text are level.
        rows: The blobs of each line, from top to bottom and from left to right.
        to_frame: float64 [2, 3]: takes a place in `ink` to its place in the frame.
        upright: uint8 [height, width], 1 where in `ink` rules ran down that were taken away; None
            where no rules were.
    """

    ink: InkMap
    rows: list[list[Blob]]
    to_frame: NDArray[np.float64]
    upright: Mask | None

    @cached_property
    def is_turned(self) -> bool:
        """Whether the ink is turned."""
        return not np.array_equal(self.to_frame, np.eye(2, 3))


def segment(ink: InkMap) -> Segmentation:
    """Find what may be digits in an ink map."""
    shape = ink.contrast.shape
    components = find_components(ink.mask)
    to_frame = np.eye(2, 3)
    without_rules = upright = None
    if are_rules(components.stats, shape).any():
        without_rules = _take_rules_away(ink, components)
    if without_rules is not None:
        ink, to_frame, upright = without_rules
        components = find_components(ink.mask)
    blobs, pieces = find_blobs(ink, components)
    rows, slope = find_lines(blobs)
    tilt = math.degrees(math.atan(slope))
    if without_rules is None and abs(tilt) >= MIN_TURN_DEG:
        ink, to_frame = _turn(ink, tilt, tilt)
        blobs, pieces = find_blobs(ink, find_components(ink.mask))
        rows, _ = find_lines(blobs)
    joined = _join_broken([[blobs[i] for i in row] for row in rows], pieces)
    return _leave_cut_out(Segmentation(ink, joined, to_frame, upright), shape)


def _leave_cut_out(found: Segmentation, shape: tuple[int, ...]) -> Segmentation:
    """Return what was found without what reaches the border of a frame that was turned."""
    if not found.is_turned:
        return found
    rows = [
        [blob for blob in row if _is_within(frame_box(blob, found), shape)] for row in found.rows
    ]
    return replace(found, rows=[row for row in rows if row])


def _is_within(box: Box, shape: tuple[int, ...]) -> bool:
    # In turning, places come to lie between pixels, and boxes are rounded outwards.
    left, top, width, height = box
    return left >= 0 <= top and left + width <= shape[1] and top + height <= shape[0]


def _take_rules_away(
    ink: InkMap, components: Components
) -> tuple[InkMap, NDArray[np.float64], Mask] | None:
    """Return the ink without rules, turned so that they were level; see `Segmentation`.

    None if there are no rules.
    """
    labels, stats = components
    shape = ink.contrast.shape
    tilts = estimate_tilts(ink.mask)
    # After turning, the border is no longer where it was: what reaches it goes, rules excepted.
    is_cut = touches_border(stats, shape) & ~are_rules(stats, shape)
    turned, to_frame = ink, np.eye(2, 3)
    if is_cut.any():
        cleared = np.where(is_cut[labels], 0, ink.contrast).astype(np.uint8, copy=False)
        turned = replace(ink, contrast=cleared)
    if max(map(abs, tilts)) >= MIN_RULES_TURN_DEG:
        turned, to_frame = _turn(turned, *tilts)
    erased = erase_rules(turned.contrast)
    if erased is None:
        return None
    return replace(turned, contrast=erased.contrast), to_frame, erased.upright


def _turn(ink: InkMap, across_deg: float, down_deg: float) -> tuple[InkMap, NDArray[np.float64]]:
    """Turn an ink map so that what runs across and down by such angles becomes level and upright.

    Returns:
        The ink map, and what takes a place in it to its place in the one before.
    """
    height, width = ink.contrast.shape
    across, down = math.radians(across_deg), math.radians(down_deg)
    linear = np.array([[math.cos(across), -math.sin(down)], [math.sin(across), math.cos(down)]])
    back = np.abs(np.linalg.inv(linear))
    wide, high = np.ceil(back @ (width, height)).astype(int).tolist()
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    to_frame = np.column_stack([linear, middle - linear @ ((wide - 1) / 2, (high - 1) / 2)])

    def turn(picture: GrayImage, interpolation: int) -> GrayImage:
        flags = interpolation | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(picture, to_frame, (wide, high), flags=flags).astype(
            np.uint8, copy=False
        )

    contrast, strong = turn(ink.contrast, cv2.INTER_LINEAR), turn(ink.strong, cv2.INTER_NEAREST)
    return replace(ink, contrast=contrast, strong=strong), to_frame


def _join_broken(rows: list[list[Blob]], pieces: list[Blob]) -> list[list[Blob]]:
    """Unite the blobs of each line with what was broken off them.

    Args:
        rows: Blobs, line by line. Parts of a digit may have come into lines of their own.
        pieces: What is too small to be a digit.
    """
    used: set[int] = set()
    joined: dict[int, list[Blob]] = {}
    parts_of = [*rows, pieces]
    every = [part for parts in parts_of for part in parts]
    origin = np.repeat(np.arange(len(parts_of)), [len(parts) for parts in parts_of])
    tops, bottoms = np.array([(part.top, part.bottom) for part in every]).reshape(-1, 2).T
    # Long lines first: theirs are the parts, and their height tells how high a digit is.
    for number, row in sorted(enumerate(rows), key=lambda line: -len(line[1])):
        own = [blob for blob in row if id(blob) not in used]
        if not own:
            continue
        high = float(median(blob.height for blob in own))
        top, bottom = min(b.top for b in own), max(b.bottom for b in own)
        # Most lines are too far away for any of their blobs to belong to one of these.
        is_near = (bottoms >= top - MAX_BREAK * high) & (tops <= bottom + MAX_BREAK * high)
        loose = [every[i] for i in np.flatnonzero(is_near & (origin != number))]
        new = _unite_neighbours(own, high)
        for index, blob in enumerate(new):
            parts = [part for part in loose if id(part) not in used and _belong(blob, part, high)]
            if parts:
                new[index] = unite([blob, *parts])
                used.update(map(id, parts))
        # What was joined from below may reach under the next part.
        joined[number] = _unite_neighbours(new, high)
    return [joined[number] for number in sorted(joined)]


def _unite_neighbours(row: list[Blob], high: float) -> list[Blob]:
    """Unite the blobs of a line, from left to right, that are parts of a digit with the last."""
    united: list[Blob] = []
    for blob in row:
        if united and _belong(united[-1], blob, high):
            united[-1] = unite([united[-1], blob])
        else:
            united.append(blob)
    return united


def _belong(blob: Blob, other: Blob, high: float) -> bool:
    """Tell whether two blobs are parts of a digit: above one another, close and not too high."""
    # Most stand beside one another.
    overlap = min(blob.right, other.right) - max(blob.left, other.left)
    if overlap < MIN_OVERLAP * min(blob.width, other.width):
        return False
    gap = max(blob.top, other.top) - min(blob.bottom, other.bottom)
    if gap > MAX_BREAK * high or _is_underline(other, blob, high):
        return False
    together = max(blob.bottom, other.bottom) - min(blob.top, other.top)
    return together <= MAX_HEIGHT * max(high, blob.height)


def _is_underline(line: Blob, blob: Blob, high: float) -> bool:
    """Tell whether a blob is a line below another, too short for a rule.

    It is longer than a digit is high, or sticks out on both sides.
    """
    if line.width < MIN_UNDERLINE_ASPECT * line.height:
        return False
    overhang = min(blob.left - line.left, line.right - blob.right)
    return line.width > MAX_HEIGHT * high or (
        line.top >= blob.bottom and overhang >= MIN_OVERHANG * high
    )


def frame_box(blob: Blob, segmentation: Segmentation) -> Box:
    """Return a blob's box in the frame."""
    to_frame = segmentation.to_frame
    if not segmentation.is_turned:
        return blob.box
    y, x = np.nonzero(blob.mask)
    places = to_frame @ np.stack([x + blob.left, y + blob.top, np.ones(len(x))])
    left, top = np.floor(places.min(axis=1)).astype(int).tolist()
    right, bottom = np.ceil(places.max(axis=1)).astype(int).tolist()
    return left, top, right - left + 1, bottom - top + 1
