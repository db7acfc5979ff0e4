"""A page on a desk, as a phone's camera takes it."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

PHOTO_LONG_SIDE = 1900
CORNER_STRAY = 0.045  # of the photo: perspective
TILT_DEG = 6.0


def photograph(page: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Return a photograph of a page.

    Args:
        page: uint8 [height, width, 3], blue, green, red.
        rng: Draws the desk, the perspective, light, noise and compression.

    Returns:
        uint8 [height, width, 3], the longer side 1900 pixels, in the page's format.
    """
    height, width = page.shape[:2]
    fill = rng.uniform(0.74, 0.86)
    margin = PHOTO_LONG_SIDE / max(height, width)
    size = (round(width * margin), round(height * margin))
    corners = place_corners(size, fill, rng)
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    photo = draw_desk(size, rng)
    cast_shadow(photo, corners)
    # Shrinking by warping would alias: the page is softened as a lens would first.
    page = cv2.GaussianBlur(page, (0, 0), 0.5)
    cover = cv2.warpPerspective(np.full((height, width), 1.0, np.float32), matrix, size)
    seen = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_AREA)
    mixed = photo * (1 - cover[..., None]) + seen.astype(np.float32) * cover[..., None]
    return compress(expose(mixed, rng), rng)


def place_corners(size: tuple[int, int], fill: float, rng: Generator) -> NDArray[np.float64]:
    """Return where the page's corners come to lie, float64 [4, 2], clockwise from left upper."""
    unit = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    angle = np.radians(rng.uniform(-TILT_DEG, TILT_DEG))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = (unit * size * fill) @ turn + np.array(size) / 2
    corners += rng.uniform(-CORNER_STRAY, CORNER_STRAY, (4, 2)) * size
    # The page is in the picture as a whole.
    inside: NDArray[np.float64] = np.clip(corners, 8, np.array(size) - 9)
    return inside


def draw_desk(size: tuple[int, int], rng: Generator) -> NDArray[np.float32]:
    """Return float32 [height, width, 3] of wood, cloth or plastic that is darker than paper."""
    width, height = size
    color = np.array([rng.uniform(35, 110), rng.uniform(50, 120), rng.uniform(60, 140)])
    grain = rng.normal(0, 1, (height // 4 + 1, width // 40 + 1)).astype(np.float32)
    grain = cv2.resize(grain, size, interpolation=cv2.INTER_CUBIC)
    desk: NDArray[np.float32] = (color + rng.uniform(2, 9) * grain[..., None]).astype(np.float32)
    return desk


def cast_shadow(photo: NDArray[np.float32], corners: NDArray[np.float64]) -> None:
    """Darken the desk along the page's edge, in place."""
    shadow = np.zeros(photo.shape[:2], np.float32)
    cv2.fillConvexPoly(shadow, np.rint(corners + np.array([6, 8])).astype(np.int32), 1.0)
    photo *= 1 - 0.4 * cv2.GaussianBlur(shadow, (0, 0), 7)[..., None]


def expose(photo: NDArray[np.float32], rng: Generator) -> NDArray[np.uint8]:
    """Light a scene unevenly, with the edge of a shadow at times, blur it and add noise."""
    height, width = photo.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = (np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5)).astype(
        np.float32
    )
    light = 0.88 + rng.uniform(0.0, 0.4) * along
    if rng.random() < 0.35:
        edge = along - rng.uniform(-0.3, 0.3)
        light *= 1 - rng.uniform(0.08, 0.2) * (1 + np.tanh(edge * rng.uniform(15, 75)))
    tint = np.array([rng.uniform(0.86, 1.0), rng.uniform(0.95, 1.0), 1.0], np.float32)
    lit = cv2.GaussianBlur(photo * light[..., None] * tint, (0, 0), rng.uniform(0.4, 1.1))
    lit = lit + rng.normal(0, rng.uniform(1.5, 6), (height, width, 1)).astype(np.float32)
    pixels: NDArray[np.uint8] = np.clip(np.rint(lit), 0, 255).astype(np.uint8)
    return pixels


def compress(photo: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Return what JPEG leaves of a picture."""
    quality = int(rng.integers(70, 95))
    _, encoded = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)
