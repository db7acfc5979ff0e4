"""The ink in a form's field, without the printed frame: cell by cell, or as a whole."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import (
    BOX_INK_SHARE,
    FULL_INK_PERCENTILE,
    MIN_CONTRAST,
    PAPER_INK_SHARE,
    GrayImage,
    fit_ink,
)
from edge_mnist.vision.reading import Box

# The percentage of a field's pixels that are its strongest ink: a single 1 in a wide field has
# more, noise that stands out has less.
EXTREME = 0.2

# All lengths are shares of a cell's shorter side.
MARGIN = 0.18  # around the field: pens stray, and so does the page that was straightened
PAPER_REACH = 1.0  # to both sides, to find the level of the paper
INSET = 0.15  # within the cells: nothing of the frame is further in
FRAME_ZONE = 0.2  # to both sides of where a frame's line should be
EDGE_ZONE = 0.1  # what lies that close to a cell's edge as a whole is a rest of the frame
MIN_SPECK = 0.12  # what is smaller in both directions is a speck of dirt, or a dot
MIN_DIGIT_HEIGHT = 0.2  # what is less high is a dash

# A line of a frame runs along this share of its cell's side. Ones and the bars of sevens do not.
LINE_SHARE = 0.8
# Lines lean by a pixel or two on a page that was straightened.
LEAN_PX = 3


@dataclass(frozen=True)
class CellInk:
    """What is written in a cell.

    Attributes:
        image: uint8 [28, 28], 0 is paper and 255 is ink: the model's input.
        box: Of the ink, in pixels of the page.
        is_mark: Whether it is too flat for a digit.
    """

    image: GrayImage = field(repr=False)
    box: Box
    is_mark: bool


def cut_cells(page: GrayImage, box: Box, cells: int) -> list[CellInk | None]:
    """Return what is written in each cell of a comb, from left to right.

    Digits are told from their frame by its lines, and kept where they cross them; what reaches
    into the next cell is its own where most of it lies.

    Args:
        page: uint8 [height, width], a straightened page.
        box: The comb, in pixels of the page.
        cells: How many it has, all of the same width.

    Returns:
        One entry a cell, None for an empty one.
    """
    found = _lift_ink(page, box, cells)
    if found is None:
        return [None] * cells
    ink, (left, top) = found
    pitch, unit = box[2] / cells, min(box[2] / cells, box[3])
    masks = _share_out(ink >= BOX_INK_SHARE, box, (left, top), cells)
    # Grey edges go with their stroke.
    halo = np.ones((3, 3), np.uint8)
    cut: list[CellInk | None] = []
    for mask in masks:
        x, y, width, height = cv2.boundingRect(mask)
        if max(width, height) < MIN_SPECK * unit or width == 0:
            cut.append(None)
            continue
        part = slice(y, y + height), slice(x, x + width)
        image = fit_ink(ink[part] * cv2.dilate(mask, halo)[part])
        where = (left + x, top + y, width, height)
        cut.append(CellInk(image, where, is_mark=height < MIN_DIGIT_HEIGHT * min(pitch, box[3])))
    return cut


def lift_writing(page: GrayImage, boxes: list[Box]) -> GrayImage:
    """Return the page with nothing on it but what is written in some of its fields.

    Args:
        page: uint8 [height, width], a straightened page.
        boxes: The fields, in pixels of the page.

    Returns:
        uint8 [height, width], dark on light: 255 is paper and 0 is ink.
    """
    writing: GrayImage = np.full(page.shape, 255, np.uint8)
    for box in boxes:
        found = _lift_ink(page, box, 1)
        if found is None:
            continue
        ink, (left, top) = found
        (mask,) = _share_out(ink >= BOX_INK_SHARE, box, (left, top), 1)
        kept = ink * cv2.dilate(mask, np.ones((3, 3), np.uint8))
        place = writing[top : top + ink.shape[0], left : left + ink.shape[1]]
        np.minimum(place, np.rint(255 * (1 - kept)).astype(np.uint8), out=place)
    return writing


def _lift_ink(
    page: GrayImage, box: Box, cells: int
) -> tuple[NDArray[np.float32], tuple[int, int]] | None:
    """Return the ink of a field and around it, float32 from 0 to 1, and its left upper corner.

    None if nothing is written in the field.
    """
    x, y, width, height = box
    unit = min(width / cells, height)
    margin = round(MARGIN * unit)
    left, top = max(x - margin, 0), max(y - margin, 0)
    crop = page[top : y + height + margin, left : x + width + margin]
    signed = crop.astype(np.float32) - _find_paper(crop, (x - left, y - top, width, height), unit)
    inside = _insides(signed, (x - left, y - top, width, height), cells)
    dark, light = -np.percentile(inside, EXTREME), np.percentile(inside, 100 - EXTREME)
    strongest = max(dark, light)
    if strongest < MIN_CONTRAST:
        return None
    sign = 1 if light > dark else -1
    strength = sign * inside
    full = np.percentile(strength[strength > strongest / 2], FULL_INK_PERCENTILE)
    ink = signed * np.float32(sign / full)
    ink[ink < PAPER_INK_SHARE] = 0.0
    ink = np.minimum(ink, np.float32(1.0))
    _erase_frame(ink, (x - left, y - top, width, height), cells)
    return ink, (left, top)


def _find_paper(crop: GrayImage, box: Box, unit: float) -> NDArray[np.float32]:
    """Return the level of the paper at each pixel, float32, by the median around it.

    It is taken within the field: around a dark window the plate is light.
    """
    x, y, width, height = box
    inset = round(INSET / 2 * unit)
    inside = crop[y + inset : y + height - inset, x + inset : x + width - inset]
    factor = max(1, round(unit / 24))
    small = cv2.resize(
        inside,
        (max(1, inside.shape[1] // factor), max(1, inside.shape[0] // factor)),
        interpolation=cv2.INTER_AREA,
    )
    paper = cv2.medianBlur(small, 2 * round(PAPER_REACH * unit / factor) + 1)
    paper = cv2.resize(paper, inside.shape[::-1], interpolation=cv2.INTER_LINEAR)
    bottom, right = crop.shape[0] - y - height + inset, crop.shape[1] - x - width + inset
    full = cv2.copyMakeBorder(paper, y + inset, bottom, x + inset, right, cv2.BORDER_REPLICATE)
    return full.astype(np.float32)


def _insides(values: NDArray[np.float32], box: Box, cells: int) -> NDArray[np.float32]:
    """Return the values within the cells, where nothing of the frame is, as one row."""
    x, y, width, height = box
    pitch = width / cells
    inset = INSET * min(pitch, height)
    rows = slice(round(y + inset), round(y + height - inset))
    return np.concatenate(
        [
            values[rows, round(x + i * pitch + inset) : round(x + (i + 1) * pitch - inset)].ravel()
            for i in range(cells)
        ]
    )


def _erase_frame(ink: NDArray[np.float32], box: Box, cells: int) -> None:
    """Erase the lines between and around the cells, in place; strokes that cross them stay."""
    x, y, width, height = box
    pitch = width / cells
    zone = FRAME_ZONE * min(pitch, height)
    is_ink = (ink >= BOX_INK_SHARE).astype(np.uint8)
    beside_vertical = np.zeros_like(is_ink)
    for index in range(cells + 1):
        middle = x + index * pitch
        beside_vertical[:, max(0, round(middle - zone)) : round(middle + zone)] = 1
    beside_horizontal = np.zeros_like(is_ink)
    for middle in (y, y + height):
        beside_horizontal[max(0, round(middle - zone)) : round(middle + zone)] = 1
    for zones, length, is_vertical in (
        (beside_vertical, LINE_SHARE * height, True),
        (beside_horizontal, LINE_SHARE * min(pitch, 2 * height), False),
    ):
        lines = _find_lines(is_ink, round(length), is_vertical) & zones
        ink[(lines > 0) & ~_crossings(is_ink, lines, is_vertical)] = 0.0


def _find_lines(is_ink: NDArray[np.uint8], length: int, is_vertical: bool) -> NDArray[np.uint8]:
    """Return where straight lines of a length run, with the grey along them."""
    across = (LEAN_PX, 1) if is_vertical else (1, LEAN_PX)
    along = (1, length) if is_vertical else (length, 1)
    # Widened first, so that a line that leans is one run; and it may have small gaps.
    wide = cv2.dilate(is_ink, cv2.getStructuringElement(cv2.MORPH_RECT, across))
    gap = (1, 5) if is_vertical else (5, 1)
    wide = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, gap))
    lines = cv2.morphologyEx(wide, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, along))
    return lines.astype(np.uint8)


def _crossings(
    is_ink: NDArray[np.uint8], lines: NDArray[np.uint8], is_vertical: bool
) -> NDArray[np.bool_]:
    """Return which pixels of lines a stroke passes: there is ink on both sides of the line."""
    beyond = is_ink & (1 - lines)
    if not is_vertical:
        beyond, lines = beyond.T, lines.T
    # Two pixels of ink on either side: one alone may be the line's own edge.
    reach = np.zeros((1, 2 * _line_width(lines) + 5), np.uint8)
    before, after = reach.copy(), reach.copy()
    before[0, : reach.shape[1] // 2] = 1
    after[0, reach.shape[1] // 2 + 1 :] = 1
    solid = cv2.erode(beyond.astype(np.uint8), np.ones((1, 2), np.uint8))
    crossed = (cv2.dilate(solid, before) > 0) & (cv2.dilate(solid, after) > 0)
    return crossed if is_vertical else crossed.T


def _line_width(lines: NDArray[np.uint8]) -> int:
    """Return the usual width of the vertical lines in a picture, in pixels, at most 12."""
    starts = (np.diff(lines.astype(np.int8), axis=1, prepend=0) == 1).sum()
    return int(min(12, round(lines.sum() / max(int(starts), 1))))


def _share_out(
    is_ink: NDArray[np.bool_], box: Box, origin: tuple[int, int], cells: int
) -> list[NDArray[np.uint8]]:
    """Return each cell's own ink as a mask, without specks and rests of the frame."""
    x, y, width, height = box[0] - origin[0], box[1] - origin[1], box[2], box[3]
    pitch, unit = width / cells, min(width / cells, height)
    borders = x + pitch * np.arange(cells + 1)
    parted = is_ink.astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(parted, connectivity=8)
    # What spans more than a cell holds two digits that touch: it is cut at the border.
    for label in np.flatnonzero(stats[:, cv2.CC_STAT_WIDTH] > 1.15 * pitch):
        if label != 0 and cells > 1:
            for border in borders[1:-1]:
                column = labels[:, round(border)]
                parted[column == label, round(border)] = 0
    count, labels, stats, centers = cv2.connectedComponentsWithStats(parted, connectivity=8)
    masks = [np.zeros(is_ink.shape, np.uint8) for _ in range(cells)]
    for label in range(1, count):
        left, top, wide, high, _ = (int(value) for value in stats[label])
        center_x, center_y = centers[label]
        index = int((center_x - x) // pitch)
        if not (0 <= index < cells and y <= center_y <= y + height):
            continue
        edge = EDGE_ZONE * unit
        near_edge = (
            left + wide < borders[index] + edge
            or left > borders[index + 1] - edge
            or top + high < y + edge
            or top > y + height - edge
        )
        if near_edge or max(wide, high) < MIN_SPECK * unit:
            continue
        part = slice(top, top + high), slice(left, left + wide)
        masks[index][part] |= (labels[part] == label).astype(np.uint8)
    return masks
