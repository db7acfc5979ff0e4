"""Finding the page of a form in a photograph, and straightening it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.fields import FormFields
from edge_mnist.vision.image_file import read_image
from edge_mnist.vision.outline import (
    MIN_PAGE_SHARE,
    SEARCH_SIDE_PX,
    Corners,
    find_outline,
    shrink,
)

# The longer side of a straightened page: as in the photograph, within these limits.
PAGE_SIDES_PX = (700, 2400)

FEATURES = 3000
# Lowe, "Distinctive image features from scale-invariant keypoints", 2004: a match is kept if the
# second best is that much worse.
MATCH_RATIO = 0.8
MATCH_TOLERANCE_PX = 4.0
# Matches that have to agree on one perspective. Pages of other forms reach some by chance.
MIN_MATCHES = 20


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
            self._detector = cv2.ORB.create(FEATURES)
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
        """Return the places of features, float32 [N, 2] in fractions, and what they look like."""
        small, _ = shrink(gray)
        # ORB looks at nothing so near to a border, and fails on a picture of a pixel's width.
        if min(small.shape) <= 2 * self._detector.getEdgeThreshold():
            return np.empty((0, 2), np.float32), None
        points, descriptors = self._detector.detectAndCompute(small, np.full_like(small, 255))
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


def straighten(gray: GrayImage, corners: Corners, aspect: float | None = None) -> GrayImage:
    """Return the page as seen from above.

    Args:
        gray: uint8 [height, width].
        corners: float32 [4, 2], clockwise from the left upper one.
        aspect: The page's width divided by its height; None to take the mean of its sides.

    Returns:
        uint8 [height, width].
    """
    # Corners are the middles of pixels: a side has one more of them than it is long.
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1) + 1
    if aspect is None:
        aspect = float((sides[0] + sides[2]) / (sides[1] + sides[3]))
    longer = float(np.clip(sides.max(), *PAGE_SIDES_PX))
    width = max(1, round(longer * min(aspect, 1)))
    height = max(1, round(longer / max(aspect, 1)))
    matrix = cv2.getPerspectiveTransform(corners, _corners_of(width, height))
    page = cv2.warpPerspective(gray, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return page.astype(np.uint8)


def locate_box(
    box: tuple[float, float, float, float], corners: Sequence[Sequence[float]]
) -> Corners:
    """Return where a box of the page lies in the photograph, to draw it there.

    Args:
        box: x, y, width and height in fractions of the page, as in `Field.box`.
        corners: The page's corners, as in `FormReading.corners`.

    Returns:
        float32 [4, 2], clockwise from the left upper corner.
    """
    x, y, width, height = box
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(unit, np.array(corners, np.float32))
    places = (unit * (width, height) + (x, y)).astype(np.float32)
    located: Corners = cv2.perspectiveTransform(places[None], matrix)[0].astype(np.float32)
    return located


def _corners_of(width: int, height: int) -> Corners:
    right, bottom = width - 1, height - 1
    return np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float32)
