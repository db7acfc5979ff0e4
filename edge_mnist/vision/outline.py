"""Finding a sheet of paper in a photograph by its four sides."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import GrayImage, otsu_threshold

# Outlines and features are looked for at this length of the longer side: finer detail is noise.
SEARCH_SIDE_PX = 1000

# A page that is smaller in its photograph leaves too few pixels to a digit.
MIN_PAGE_SHARE = 0.15
# A page's outline fills the four-sided figure around it; what is bent or covered more is none.
MIN_QUAD_FILL = 0.93
# The page differs by that much from what it lies on, in levels of 255; a table printed on a page
# does not.
MIN_EDGE_CONTRAST = 8.0
# Sides are fitted to this middle part of the outline's: corners are round, or a finger's.
SIDE_PART = (0.08, 0.92)
# That much of each side lies this close to a straight line; what is ragged is no edge of paper.
MIN_SIDE_SEEN = 0.7
SIDE_TOLERANCE_PX = 4.0

# float32 [4, 2]: x and y of the left upper, right upper, right lower and left lower corner.
Corners = NDArray[np.float32]


def find_outline(gray: GrayImage) -> Corners | None:
    """Return the corners of the largest light sheet with four sides, or None.

    Args:
        gray: uint8 [height, width].
    """
    small, scale = shrink(gray)
    smooth = cv2.GaussianBlur(small, (5, 5), 0).astype(np.uint8)
    light = smooth > otsu_threshold(smooth)
    # In a deep shadow paper is as dark as what it lies on elsewhere, but not as what is beside it.
    shaded = light | (smooth > otsu_threshold(smooth[~light])) if (~light).any() else light
    # Edges hold where a shadow parts the page in two, which a threshold takes for its end.
    edges = cv2.dilate(cv2.Canny(smooth, 30, 90), np.ones((3, 3), np.uint8))
    best: tuple[float, Corners] | None = None
    for mask in (light.astype(np.uint8), shaded.astype(np.uint8), edges):
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            hull = cv2.convexHull(contour)
            area = cv2.contourArea(hull)
            if area < MIN_PAGE_SHARE * small.size or (best and area < 1.02 * best[0]):
                continue
            corners = fit_quad(contour, hull)
            if (
                corners is not None
                and _lies_within(corners, small)
                and _stands_out(corners, smooth)
            ):
                best = area, corners
    # Pixels are counted from their centres.
    return None if best is None else ((best[1] + 0.5) / scale - 0.5).astype(np.float32)


def shrink(gray: GrayImage) -> tuple[GrayImage, float]:
    """Return a picture at the size for searching, and its scale.

    Args:
        gray: uint8 [height, width].
    """
    # Of the thinnest picture a pixel is left.
    scale = min(1.0, max(SEARCH_SIDE_PX / max(gray.shape), 1 / min(gray.shape)))
    if scale == 1:
        return gray, scale
    return cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(
        np.uint8
    ), scale


def fit_quad(contour: NDArray[Any], hull: NDArray[Any]) -> Corners | None:
    """Return the four corners of an outline, or None if it has no four sides.

    Args:
        contour: int32 [N, 1, 2], x and y of its points, as OpenCV finds them.
        hull: The same of its convex hull.

    Returns:
        float32 [4, 2], clockwise from the left upper one.
    """
    perimeter = cv2.arcLength(hull, True)
    for tolerance in (0.01, 0.02, 0.03, 0.05):
        rough = cv2.approxPolyDP(hull, tolerance * perimeter, True)
        if len(rough) <= 4:
            break
    if len(rough) != 4 or not cv2.isContourConvex(rough):
        return None
    corners = order_corners(rough[:, 0].astype(np.float32))
    filled = cv2.contourArea(hull) / max(cv2.contourArea(corners), 1.0)
    if not MIN_QUAD_FILL < filled < 1 / MIN_QUAD_FILL:
        return None
    return _refine(corners, contour[:, 0].astype(np.float32))


def _refine(corners: Corners, outline: NDArray[np.float32]) -> Corners | None:
    """Return where lines fitted to the four sides meet, or None if they are no straight lines."""
    lines = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        length = float(np.linalg.norm(end - start))
        along = (end - start) / length
        across = np.array([-along[1], along[0]], np.float32)
        offset = outline - start
        place = offset @ along / length
        is_side = (np.abs(offset @ across) < 0.02 * length) & (place > SIDE_PART[0])
        points = outline[is_side & (place < SIDE_PART[1])]
        if len(points) < 2:
            return None
        vx, vy, x, y = cv2.fitLine(points, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        line = np.array([vy, -vx, vx * y - vy * x])
        is_on_line = np.abs(points @ line[:2] + line[2]) < SIDE_TOLERANCE_PX
        seen = len(np.unique(np.rint((points[is_on_line] - start) @ along)))
        if seen < MIN_SIDE_SEEN * (SIDE_PART[1] - SIDE_PART[0]) * length:
            return None
        lines.append(line)
    meetings = [np.cross(lines[index - 1], lines[index]) for index in range(4)]
    if any(abs(meeting[2]) < 1e-9 for meeting in meetings):
        return None
    return np.array([meeting[:2] / meeting[2] for meeting in meetings], np.float32)


def order_corners(corners: NDArray[np.float32]) -> Corners:
    """Return corners, float32 [4, 2], clockwise from the left upper one."""
    offset = corners - corners.mean(axis=0)
    # In pictures y grows downwards, so growing angles turn clockwise.
    clockwise = corners[np.argsort(np.arctan2(offset[:, 1], offset[:, 0]))]
    ordered: Corners = np.roll(clockwise, -int(np.argmin(clockwise.sum(axis=1))), axis=0)
    return ordered


def _lies_within(corners: Corners, picture: GrayImage) -> bool:
    """Return whether a page is in the picture as a whole: its border is none of its sides."""
    limit = np.array(picture.shape[::-1]) - 2
    on_border = (corners < 1) | (corners > limit)
    # A corner may touch the border, a side may not.
    return not any((on_border[index] & on_border[index - 1]).any() for index in range(4))


def _stands_out(corners: Corners, picture: GrayImage) -> bool:
    """Return whether what is just within an outline differs in level from what is just beyond."""
    inside = np.zeros(picture.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.rint(corners).astype(np.int32), (1,))
    reach = max(2, round(0.012 * max(picture.shape)))
    edge = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1))
    gap = cv2.dilate(inside, edge) - cv2.erode(inside, edge)
    band = cv2.dilate(gap, edge) - gap
    beyond, within = (picture[(band > 0) & (inside == side)] for side in (0, 1))
    if not len(beyond) or not len(within):
        return False
    return bool(abs(np.median(beyond) - np.median(within)) >= MIN_EDGE_CONTRAST)
