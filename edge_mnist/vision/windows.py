"""Dark windows with bright digits in them, on something light: counters, scoreboards, labels."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import GrayImage, otsu_threshold
from edge_mnist.vision.components import Mask
from edge_mnist.vision.ink import shrink_coarsely
from edge_mnist.vision.outline import Corners, fit_quad, order_corners

# Where the paper is looked for coarsely, windows have at most this share of the light that is there
# within so many pixels.
MAX_LIGHT = 0.55
REACH_PX = 31
# Digits, and what parts the windows of a row, are narrower than this there.
STROKE_PX = 5
# A window, or a row of them, is so high there and covers at most this share of the picture.
MIN_HEIGHT_PX = 7
MAX_AREA = 0.4
# How much of the rectangle around it it fills; and how much is dark, of all and along the sides.
MIN_FILL = 0.85
MIN_DARKNESS = 0.45
MIN_SIDES_DARKNESS = 0.5

# What is bright along this share of a column of pixels is no digit: it parts two windows. These are
# at least so many times as wide as high.
MIN_BAR = 0.85
MIN_ASPECT = 0.35
# Seen more finely, with so many pixels around a window at least, so much is bright there and dark
# in a band along its sides, of this share of the height: within a frame there is paper. Further in,
# digits take this share of the window and are so high.
MIN_MARGIN = 2
MIN_BRIGHT_AROUND = 0.75
MIN_DARK_EDGE = 0.82
EDGE_SHARE = 0.16
MIN_INK = 0.02
MIN_DIGIT_HEIGHT = 0.3
# Digits come out with this share of the light around the windows.
INK_LIGHT = 0.15


def lighten_windows(gray: GrayImage) -> GrayImage:
    """Turn bright digits in dark windows into dark ones on what is light around the windows.

    Args:
        gray: uint8 [height, width].

    Returns:
        uint8 of the same shape; the picture itself where it has no such windows.
    """
    lightened = gray
    for hull, factor in _find_windows(gray):
        corners = _find_corners(gray, hull, factor)
        margin = max(MIN_MARGIN, factor // 2)
        to_frame, window = _straighten(gray, corners, margin)
        plate = _lighten(window, margin)
        if plate is not None:
            lightened = gray.copy() if lightened is gray else lightened
            _place(plate, to_frame, lightened)
    return lightened


def _find_windows(gray: GrayImage) -> list[tuple[NDArray[np.float32], int]]:
    """Return roughly where windows are, each a single one or a row.

    Returns:
        The convex hull of each, float32 [N, 2] of x and y; and how many pixels wide a place is.
    """
    coarse = shrink_coarsely(gray)
    light = cv2.dilate(coarse, np.ones((REACH_PX,) * 2, np.uint8))
    limit = cv2.convertScaleAbs(light, alpha=MAX_LIGHT).astype(np.uint8, copy=False)
    dark = (coarse < limit).view(np.uint8)
    closed = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((STROKE_PX,) * 2, np.uint8))
    contours, tree = cv2.findContours(closed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    scale = np.array(gray.shape[::-1]) / coarse.shape[::-1]
    factor = max(1, round(float(scale.max())))
    windows = []
    for contour, (*_, parent) in zip(contours, tree[0] if contours else [], strict=True):
        if parent < 0 and _is_window(np.asarray(contour), dark, closed.astype(np.uint8)):
            hull = cv2.convexHull(contour)[:, 0] + 0.5
            windows.append(((hull * scale - 0.5).astype(np.float32), factor))
    return windows


def _is_window(contour: NDArray[np.int32], dark: Mask, closed: Mask) -> bool:
    """Tell whether what is dark is a rectangle in the midst of the picture, so far as is seen here.

    Args:
        contour: Around it.
        dark: uint8 [height, width], 1 where the picture is dark.
        closed: The same without narrow gaps.
    """
    x, y, width, height = cv2.boundingRect(contour)
    is_within = x > 0 and y > 0 and x + width < dark.shape[1] and y + height < dark.shape[0]
    if not is_within or min(width, height) < MIN_HEIGHT_PX or width * height > MAX_AREA * dark.size:
        return False
    hull = cv2.convexHull(contour)
    _, sides, _ = cv2.minAreaRect(hull)
    # From the middle of a pixel to that of another there is one pixel less than there are.
    if cv2.contourArea(hull) < MIN_FILL * sides[0] * sides[1] or min(sides) < MIN_HEIGHT_PX - 1:
        return False
    inside = np.zeros((height + 2, width + 2), np.uint8)
    cv2.fillConvexPoly(inside, hull - np.array([x - 1, y - 1], np.int32), (1,))
    rim = inside - cv2.erode(inside, np.ones((3, 3), np.uint8))
    around = slice(y - 1, y + height + 1), slice(x - 1, x + width + 1)
    darkness, sides_darkness = dark[around][inside > 0].mean(), closed[around][rim > 0].mean()
    return bool(darkness >= MIN_DARKNESS and sides_darkness >= MIN_SIDES_DARKNESS)


def _find_corners(gray: GrayImage, hull: NDArray[np.float32], factor: int) -> Corners:
    """Return the corners of a window, clockwise from the left upper one.

    Args:
        gray: The picture.
        hull: Of the window, roughly.
        factor: By so many pixels it may be wrong.
    """
    x, y, width, height = cv2.boundingRect(hull)
    left, top = max(0, x - 2 * factor), max(0, y - 2 * factor)
    region = gray[top : y + height + 2 * factor, left : x + width + 2 * factor]
    smooth = cv2.GaussianBlur(region, (3, 3), 0).astype(np.uint8)
    dark = (smooth <= otsu_threshold(smooth)).view(np.uint8)
    stroke = STROKE_PX * factor | 1  # an even one would move all by half a pixel
    padded = cv2.copyMakeBorder(dark, *(stroke,) * 4, cv2.BORDER_CONSTANT, value=(0,))
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((stroke,) * 2, np.uint8))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea)
    corners = fit_quad(contour, cv2.convexHull(contour))
    if corners is None:
        # A digit that touches a side bends it.
        box = cv2.boxPoints(cv2.minAreaRect(contour))
        corners = order_corners(box.astype(np.float32, copy=False))
    return corners + np.array([left - stroke, top - stroke], np.float32)


def _straighten(
    gray: GrayImage, corners: Corners, margin: int
) -> tuple[NDArray[np.float64], GrayImage]:
    """Return a window as seen from the front, with so many pixels around it.

    Returns:
        float64 [3, 3], which takes its places to those in the picture; and uint8 [height, width].
    """
    lengths = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    width, height = (round(float(lengths[side] + lengths[side + 2]) / 2) + 1 for side in (0, 1))
    near, right, bottom = margin, margin + width - 1, margin + height - 1
    flat = np.array([[near, near], [right, near], [right, bottom], [near, bottom]], np.float32)
    to_frame = cv2.getPerspectiveTransform(flat, corners).astype(np.float64, copy=False)
    window = cv2.warpPerspective(
        gray,
        to_frame,
        (width + 2 * margin, height + 2 * margin),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return to_frame, window.astype(np.uint8, copy=False)


def _lighten(window: GrayImage, margin: int) -> GrayImage | None:
    """Turn bright digits into dark ones on light; None if there are none, or if it is no window.

    Args:
        window: uint8 [height, width], with so many pixels around it.
        margin: How many.
    """
    dark, light = _find_levels(window, len(window) - 2 * margin)
    is_bright = window > (dark + light) / 2
    is_digit = is_bright.copy()
    is_digit[_ring(window.shape, margin)] = False
    inner = is_digit[margin:-margin, margin:-margin]
    edge = max(1, round(EDGE_SHARE * len(inner)))
    columns = _widen(inner.mean(axis=0) > MIN_BAR, margin // 2 + 1)
    rows = _widen(inner.mean(axis=1) > MIN_BAR, margin // 2 + 1)
    # Along the sides there is soft light from around them.
    rows[edge:-edge] = False
    is_bar = rows[:, None] | columns
    inner[is_bar] = False
    is_edge = _ring(inner.shape, edge)
    is_window = (
        np.median(dark / light) < MAX_LIGHT
        and is_bright[_ring(window.shape, 1)].mean() >= MIN_BRIGHT_AROUND
        and np.mean(~inner & ~is_bar) >= MIN_DARKNESS
        and np.mean(~inner[is_edge] & ~is_bar[is_edge]) >= MIN_DARK_EDGE * (1 - columns.mean())
        and inner[~is_edge].sum() >= MIN_INK * inner.size
        and (inner & ~is_edge).any(axis=1).sum() >= MIN_DIGIT_HEIGHT * len(inner)
        and all(width >= MIN_ASPECT * len(inner) for width in _measure_runs(~columns))
    )
    if not is_window:
        return None
    ink = np.clip((window - dark) / np.maximum(light - dark, 1), 0, 1)
    ink[_ring(window.shape, margin)] = 0
    ink[margin:-margin, margin:-margin][is_bar] = 0
    plate: GrayImage = np.rint(light * (1 - (1 - INK_LIGHT) * ink)).astype(np.uint8)
    return plate


def _find_levels(window: GrayImage, reach: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how dark and how bright it is around each pixel, within so many pixels; above 0."""
    smooth = cv2.GaussianBlur(window, (3, 3), 0)
    size = (2 * (reach // 2) + 1,) * 2
    dark, light = (
        cv2.blur(morph(smooth, np.ones(size, np.uint8)).astype(np.float32), size)
        for morph in (cv2.erode, cv2.dilate)
    )
    return dark.astype(np.float32, copy=False), np.maximum(light, np.float32(1))


def _widen(is_bar: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Return bars with their soft edges, so many pixels wider on both sides."""
    widened = cv2.dilate(is_bar.view(np.uint8)[None], np.ones((1, 2 * by + 1), np.uint8))
    wide: NDArray[np.bool_] = widened[0].astype(bool)
    return wide


def _measure_runs(holds: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the length of each stretch where something holds."""
    steps = np.diff(holds.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(steps < 0) - np.flatnonzero(steps > 0)


def _ring(shape: tuple[int, ...], depth: int) -> NDArray[np.bool_]:
    """Return what is so many pixels from the border of a picture or less, bool of its shape."""
    ring = np.ones(shape, bool)
    ring[depth:-depth, depth:-depth] = False
    return ring


def _place(plate: GrayImage, to_frame: NDArray[np.float64], gray: GrayImage) -> None:
    """Put a window in its place in a picture, in place."""
    right, bottom = plate.shape[1] - 1, plate.shape[0] - 1
    flat = np.array([[[0, 0], [right, 0], [right, bottom], [0, bottom]]], np.float64)
    places = cv2.perspectiveTransform(flat, to_frame)[0]
    left, top = np.maximum(np.floor(places.min(axis=0)), 0).astype(int).tolist()
    end, under = (np.ceil(places.max(axis=0)) + 1).astype(int).tolist()
    region = gray[top:under, left:end]
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float64)
    size = region.shape[::-1]
    seen = cv2.warpPerspective(plate, shift @ to_frame, size, flags=cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(
        np.ones_like(plate), shift @ to_frame, size, flags=cv2.INTER_NEAREST
    )
    np.copyto(region, seen.astype(np.uint8, copy=False), where=cover > 0)
