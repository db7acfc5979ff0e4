"""Proposing the fields of a form from the boxes that are printed on it."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.fields import MAX_DIGITS, Field, FormFields
from edge_mnist.vision.outline import find_outline
from edge_mnist.vision.page import straighten
from edge_mnist.vision.reading import Box

# Boxes of fields, in shares of the page's longer side and of the page.
MIN_SIDE = 0.018
MAX_SIDE = 0.6
MAX_AREA = 0.15
# How much of a window is dark; white digits are the rest.
MIN_WINDOW_DARKNESS = 0.55
# Lines run at least this far; long ones are looked for first, for strokes of digits pass for short
# ones.
LINE_LENGTHS = (0.05, 0.03, 0.015)
# How much of its upright rectangle a box fills.
MIN_FILL = 0.85
# A cell of a comb is at most that much wider than high; a wider box is a field on its own.
MAX_CELL_ASPECT = 1.4
# Cells of a comb are as high as each other, and stand in one line, to this share of their height.
ALIGNMENT = 0.12
# They follow each other within this share of their width.
MAX_CELL_GAP = 0.35
# Lines are that much darker than the paper around them, in levels of 255.
LINE_CONTRAST = 12

# What a field without cells may hold until its entry is edited.
FREE_DIGITS = (0, 6)


def propose_fields(gray: GrayImage, reference: Path) -> FormFields | None:
    """Find the boxes of a form and propose a field for each box, and for each row of cells.

    Args:
        gray: uint8 [height, width], a photograph or a scan of the form, empty at best.
        reference: The picture's file. If no outline of a page is in the picture, as in a scan, it
            is the page from edge to edge, by which the page is found in photographs.

    Returns:
        The fields from top to bottom and from left to right, or None if there are no boxes.
    """
    corners = find_outline(gray)
    page = gray if corners is None else straighten(gray, corners)
    rows = [_join_cells(row) for row in _sort_into_rows(find_boxes(page))]
    combs = [comb for row in rows for comb in row]
    if not combs:
        return None
    height, width = page.shape
    fields = tuple(_to_field(number, comb, width, height) for number, comb in enumerate(combs, 1))
    if corners is None:
        return FormFields(fields, "reference", reference=reference)
    return FormFields(fields, "outline", width / height)


def find_boxes(page: GrayImage) -> list[Box]:
    """Return the boxes on a page that may be fields or cells of them.

    Args:
        page: uint8 [height, width], straightened.

    Returns:
        Frames, from the middle of their lines, and dark windows; no two overlap by much.
    """
    longer = max(page.shape)
    boxes = _find_windows(page)
    reach = 2 * round(longer / 60) + 1
    paper = cv2.morphologyEx(
        cv2.medianBlur(page, 3), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8)
    )
    lines = (cv2.subtract(paper, page) > LINE_CONTRAST).astype(np.uint8)
    for length in LINE_LENGTHS:
        grid = _find_grid(lines, round(length * longer))
        # A hole ends at the inner edge of its lines.
        framed = (_to_box(hole, page, grow=1) for hole in _find_holes(grid))
        boxes += [box for box in framed if box and not any(_overlap(box, b) for b in boxes)]
    return boxes


def _find_windows(page: GrayImage) -> list[Box]:
    """Return rectangles that are dark for the most part."""
    dark = (page < cv2.threshold(page, 0, 255, cv2.THRESH_OTSU)[0]).astype(np.uint8)
    contours, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = []
    for contour in contours:
        box = _to_box(np.asarray(contour, np.int32), page, grow=0)
        if box is not None:
            x, y, width, height = box
            if dark[y : y + height, x : x + width].mean() > MIN_WINDOW_DARKNESS:
                boxes.append(box)
    return boxes


def _find_grid(lines: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """Return the straight lines that run at least so many pixels upright or level."""
    grid = np.zeros_like(lines)
    for along in ((length, 1), (1, length)):
        # Widened, because lines lean by a pixel or two on a page that was straightened.
        across = (1, 3) if along[0] > 1 else (3, 1)
        wide = cv2.dilate(lines, np.ones(across, np.uint8))
        grid |= cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones(along, np.uint8)).astype(np.uint8)
    return grid


def _find_holes(grid: NDArray[np.uint8]) -> list[NDArray[np.int32]]:
    """Return the outlines of what lines enclose."""
    contours, tree = cv2.findContours(grid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if tree is None:
        return []
    is_hole = tree[0][:, 3] >= 0
    return [np.asarray(c, np.int32) for c, inner in zip(contours, is_hole, strict=True) if inner]


def _to_box(contour: NDArray[np.int32], page: GrayImage, grow: int) -> Box | None:
    """Return the box around an outline if it is a rectangle of a field's size."""
    x, y, width, height = cv2.boundingRect(contour)
    longer = max(page.shape)
    is_sized = (
        MIN_SIDE * longer < min(width, height)
        and max(width, height) < MAX_SIDE * longer
        and width * height < MAX_AREA * page.size
    )
    # Writing that touches the frame bites into the outline, but not into its hull.
    filled = cv2.contourArea(cv2.convexHull(contour))
    if not is_sized or filled < MIN_FILL * width * height:
        return None
    return x - grow, y - grow, width + 2 * grow, height + 2 * grow


def _overlap(box: Box, other: Box) -> bool:
    """Return whether the middle of one of two boxes lies in the other."""
    return any(
        b[0] < a[0] + a[2] / 2 < b[0] + b[2] and b[1] < a[1] + a[3] / 2 < b[1] + b[3]
        for a, b in ((box, other), (other, box))
    )


def _sort_into_rows(boxes: list[Box]) -> list[list[Box]]:
    """Return boxes in rows of the same height, from top to bottom and from left to right."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: box[1]):
        row = rows[-1] if rows else []
        if row and _is_level(row[0], box):
            row.append(box)
        else:
            rows.append([box])
    return [sorted(row) for row in rows]


def _is_level(box: Box, other: Box) -> bool:
    allowed = ALIGNMENT * max(box[3], other[3])
    return abs(box[1] - other[1]) < allowed and abs(box[3] - other[3]) < allowed


def _join_cells(row: list[Box]) -> list[list[Box]]:
    """Return the boxes of a row, cells that follow each other joined as a comb."""
    combs: list[list[Box]] = []
    for box in row:
        last = combs[-1][-1] if combs else None
        if (
            last is not None
            and _is_cell(last)
            and _is_cell(box)
            and box[0] - last[0] - last[2] < MAX_CELL_GAP * last[2]
            and abs(box[2] - last[2]) < 2 * ALIGNMENT * last[2]
            and len(combs[-1]) < MAX_DIGITS
        ):
            combs[-1].append(box)
        else:
            combs.append([box])
    return combs


def _is_cell(box: Box) -> bool:
    return box[2] <= MAX_CELL_ASPECT * box[3]


def _to_field(number: int, comb: list[Box], width: int, height: int) -> Field:
    """Return the field of a row of cells, or of a box."""
    count, (first_x, top, wide, _) = len(comb), comb[0]
    bottom = max(box[1] + box[3] for box in comb)
    last_x = comb[-1][0] + comb[-1][2]
    # Half of the gap to its neighbour belongs to each cell, at the ends too.
    gaps = last_x - first_x - sum(box[2] for box in comb)
    half_gap = gaps / (count - 1) / 2 if count > 1 else 0.0
    left, right = max(first_x - half_gap, 0.0), min(last_x + half_gap, width)
    box = (left / width, top / height, (right - left) / width, (bottom - top) / height)
    is_comb = count > 1 or wide <= MAX_CELL_ASPECT * (bottom - top)
    return Field(f"field_{number}", box, (0, count) if is_comb else FREE_DIGITS, cells=is_comb)
