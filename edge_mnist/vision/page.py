"""Finding the page of a form in a photograph, and straightening it."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.fields import FormFields
from edge_mnist.vision.image_file import read_image

# Outlines and features are looked for at this length of the longer side: finer detail is noise.
SEARCH_SIDE_PX = 1000
# The longer side of a straightened page: as in the photograph, within these limits.
PAGE_SIDES_PX = (700, 2400)

# A page that is smaller in its photograph leaves too few pixels to a digit.
MIN_PAGE_SHARE = 0.15
# A page's outline fills the four-sided figure around it; what is bent or covered more is none.
MIN_QUAD_FILL = 0.93
# The page differs by that much from what it lies on, in levels of 255; a table printed on a page
# does not.
MIN_EDGE_CONTRAST = 8.0
# Sides are fitted to this middle part of the outline's: corners are round, or a finger's.
SIDE_PART = (0.08, 0.92)

FEATURES = 3000
# Lowe, "Distinctive image features from scale-invariant keypoints", 2004: a match is kept if the
# second best is that much worse.
MATCH_RATIO = 0.8
MATCH_TOLERANCE_PX = 4.0
# Matches that have to agree on one perspective. Pages of other forms reach some by chance.
MIN_MATCHES = 20

# float32 [4, 2]: x and y of the left upper, right upper, right lower and left lower corner.
Corners = NDArray[np.float32]


@dataclass(frozen=True)
class Page:
    """A page, straightened.

    Attributes:
        gray: uint8 [height, width], from edge to edge.
        corners: float32 [4, 2], where its corners lie in the photograph: x and y in pixels,
            clockwise from the left upper one.
    """

    gray: GrayImage = field(repr=False)
    corners: Corners


class PageFinder:
    """Finds the page of one form; one instance serves one thread at a time."""

    def __init__(self, form: FormFields) -> None:
        """Prepare to find a form's page.

        Args:
            form: How it is found.

        Raises:
            InvalidInputError: If its reference picture cannot be read or shows too little.
        """
        self._find, self._aspect = form.find, form.aspect
        if form.reference is not None:
            reference = read_image(form.reference)
            self._aspect = reference.shape[1] / reference.shape[0]
            self._detector = cv2.ORB_create(FEATURES)  # type: ignore[attr-defined]
            self._reference = self._describe(reference)
            if len(self._reference[0]) < MIN_MATCHES:
                raise InvalidInputError(
                    f"too little to see on the reference picture {form.reference}",
                    expected=f"at least {MIN_MATCHES} corners of print",
                    got=str(len(self._reference[0])),
                    remedy='use find = "outline"',
                )

    def find(self, gray: GrayImage) -> Page | None:
        """Find the page in a photograph and straighten it.

        Args:
            gray: uint8 [height, width]. With an outline the page has to be upright to within 45
                degrees; with a reference it may lie in any way.

        Returns:
            The page, or None if there is none to be seen.
        """
        if self._find == "whole":
            corners: Corners | None = _corners_of(gray.shape[1], gray.shape[0])
        elif self._find == "outline":
            corners = find_outline(gray)
        else:
            corners = self._match(gray)
        if corners is None:
            return None
        return Page(straighten(gray, corners, self._aspect), corners)

    def _describe(self, gray: GrayImage) -> tuple[NDArray[np.float32], Any]:
        """Return the places of a picture's features, float32 [N, 2] in fractions, and what they
        look like."""
        small, _ = _shrink(gray)
        points, descriptors = self._detector.detectAndCompute(small, None)
        size = np.array(small.shape[::-1], np.float32)
        return np.array([point.pt for point in points], np.float32).reshape(
            -1, 2
        ) / size, descriptors

    def _match(self, gray: GrayImage) -> Corners | None:
        """Return the page's corners by features that the reference shows too."""
        places, descriptors = self._describe(gray)
        if len(places) < MIN_MATCHES:
            return None
        pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(self._reference[1], descriptors, k=2)
        matches = [
            pair[0]
            for pair in pairs
            if len(pair) == 2 and pair[0].distance < MATCH_RATIO * pair[1].distance
        ]
        if len(matches) < MIN_MATCHES:
            return None
        height, width = gray.shape
        known = self._reference[0][[match.queryIdx for match in matches]]
        seen = places[[match.trainIdx for match in matches]] * (width, height)
        tolerance = MATCH_TOLERANCE_PX * max(height, width) / SEARCH_SIDE_PX
        matrix, is_inlier = cv2.findHomography(known, seen, cv2.USAC_MAGSAC, tolerance)
        if matrix is None or int(is_inlier.sum()) < MIN_MATCHES:
            return None
        unit = np.array([[[0, 0], [1, 0], [1, 1], [0, 1]]], np.float64)
        corners: Corners = cv2.perspectiveTransform(unit, matrix)[0].astype(np.float32)
        is_page = cv2.isContourConvex(corners) and cv2.contourArea(corners) > (
            MIN_PAGE_SHARE * height * width
        )
        return corners if is_page else None


def find_outline(gray: GrayImage) -> Corners | None:
    """Return the corners of the largest light sheet with four sides, or None.

    Args:
        gray: uint8 [height, width].
    """
    small, scale = _shrink(gray)
    smooth = cv2.GaussianBlur(small, (5, 5), 0)
    _, sheet = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    # Edges hold where a shadow parts the page in two, which a threshold takes for its end.
    edges = cv2.dilate(cv2.Canny(smooth, 30, 90), np.ones((3, 3), np.uint8))
    best: tuple[float, Corners] | None = None
    for mask in (sheet, edges):
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            hull = cv2.convexHull(contour)
            area = cv2.contourArea(hull)
            if area < MIN_PAGE_SHARE * small.size or (best and area < 1.02 * best[0]):
                continue
            corners = _fit_quad(contour, hull)
            if (
                corners is not None
                and _lies_within(corners, small)
                and _stands_out(corners, smooth)
            ):
                best = area, corners
    # Pixels are counted from their centres.
    return None if best is None else ((best[1] + 0.5) / scale - 0.5).astype(np.float32)


def straighten(gray: GrayImage, corners: Corners, aspect: float | None = None) -> GrayImage:
    """Return the page as seen from above.

    Args:
        gray: uint8 [height, width].
        corners: float32 [4, 2], clockwise from the left upper one.
        aspect: The page's width divided by its height; None to take the mean of its sides.

    Returns:
        uint8 [height, width].
    """
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    if aspect is None:
        aspect = float((sides[0] + sides[2]) / (sides[1] + sides[3]))
    longer = float(np.clip(sides.max(), *PAGE_SIDES_PX))
    width = round(longer * min(aspect, 1))
    height = round(longer / max(aspect, 1))
    matrix = cv2.getPerspectiveTransform(corners, _corners_of(width, height))
    page = cv2.warpPerspective(gray, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return page.astype(np.uint8)


def _corners_of(width: int, height: int) -> Corners:
    right, bottom = width - 1, height - 1
    return np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float32)


def _shrink(gray: GrayImage) -> tuple[GrayImage, float]:
    """Return a picture at the size for searching, and its scale."""
    scale = min(1.0, SEARCH_SIDE_PX / max(gray.shape))
    if scale == 1:
        return gray, scale
    return cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(
        np.uint8
    ), scale


def _fit_quad(contour: NDArray[Any], hull: NDArray[Any]) -> Corners | None:
    """Return the four corners of an outline, or None if it has no four sides."""
    perimeter = cv2.arcLength(hull, True)
    for tolerance in (0.01, 0.02, 0.03, 0.05):
        rough = cv2.approxPolyDP(hull, tolerance * perimeter, True)
        if len(rough) <= 4:
            break
    if len(rough) != 4 or not cv2.isContourConvex(rough):
        return None
    corners = _order(rough[:, 0].astype(np.float32))
    filled = cv2.contourArea(hull) / max(cv2.contourArea(corners), 1.0)
    if not MIN_QUAD_FILL < filled < 1 / MIN_QUAD_FILL:
        return None
    return _refine(corners, contour[:, 0].astype(np.float32))


def _refine(corners: Corners, outline: NDArray[np.float32]) -> Corners | None:
    """Return where lines fitted to the four sides meet."""
    lines = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        length = float(np.linalg.norm(end - start))
        along = (end - start) / length
        across = np.array([-along[1], along[0]], np.float32)
        offset = outline - start
        place = offset @ along / length
        is_side = (np.abs(offset @ across) < 0.02 * length) & (place > SIDE_PART[0])
        points = outline[is_side & (place < SIDE_PART[1])]
        if len(points) < 0.3 * length:
            return None
        vx, vy, x, y = cv2.fitLine(points, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append(np.array([vy, -vx, vx * y - vy * x]))
    meetings = [np.cross(lines[index - 1], lines[index]) for index in range(4)]
    if any(abs(meeting[2]) < 1e-9 for meeting in meetings):
        return None
    return np.array([meeting[:2] / meeting[2] for meeting in meetings], np.float32)


def _order(corners: NDArray[np.float32]) -> Corners:
    """Return corners clockwise from the left upper one."""
    offset = corners - corners.mean(axis=0)
    # In pictures y grows downwards, so growing angles turn clockwise.
    clockwise = corners[np.argsort(np.arctan2(offset[:, 1], offset[:, 0]))]
    return np.roll(clockwise, -int(np.argmin(clockwise.sum(axis=1))), axis=0)


def _lies_within(corners: Corners, picture: GrayImage) -> bool:
    """Return whether a page is in the picture as a whole: its border is none of its sides."""
    limit = np.array(picture.shape[::-1]) - 2
    on_border = (corners < 1) | (corners > limit)
    # A corner may touch the border, a side may not.
    return not any((on_border[index] & on_border[index - 1]).any() for index in range(4))


def _stands_out(corners: Corners, picture: GrayImage) -> bool:
    """Return whether what is just within an outline differs in level from what is just beyond."""
    inside = np.zeros(picture.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.rint(corners).astype(np.int32), 1)
    reach = max(2, round(0.006 * max(picture.shape)))
    edge = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1))
    gap = cv2.dilate(inside, edge) - cv2.erode(inside, edge)
    band = cv2.dilate(gap, edge) - gap
    levels = [np.median(picture[(band > 0) & (inside == side)]) for side in (0, 1)]
    return bool(abs(levels[0] - levels[1]) >= MIN_EDGE_CONTRAST)
