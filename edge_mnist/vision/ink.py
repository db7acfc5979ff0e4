"""Telling ink from paper under uneven light."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_mnist.preprocessing import GrayImage
from edge_mnist.vision.components import Mask, find_components, touches_border

# The paper is looked for in a reduced picture whose shorter side is about this many pixels.
COARSE_SIDE = 120
# What is narrower than this, in reduced pixels, may be a stroke; what is wider belongs to the
# paper: a shadow, a hand, the desk beneath.
STROKE_WIDTH = 9
# Except that what is narrower than this and stands free of the frame's border is thick writing.
THICK_STROKE_WIDTH = 25
# It is darker than the paper by this share: many thin strokes close together are not.
THICK_CONTRAST = 0.5

# At a shadow's edge the paper's light changes by this share from a reduced pixel to the next. So
# many reduced pixels around it are looked at again, in a picture with so many more pixels a side.
EDGE_CONTRAST = 0.12
EDGE_WIDTH = 5
EDGE_DETAIL = 6
# Edges are followed in so many directions, each by all that differ less, in half turns.
EDGE_DIRECTIONS = 16
EDGE_TOLERANCE = 1.5 / EDGE_DIRECTIONS
# At a corner they run in several: what they have in common is less than this, of 1.
MIN_COHERENCE = 0.65

# Contrast above this says no more about which of the two is ink; a skew below this, of -1 to 1,
# says nothing, and one below that may be wrong: lines on paper in the shade are darker than faint
# writing is.
SKEW_LIMIT = 64.0
MIN_SKEW = 0.12
SURE_SKEW = 0.3

# Contrast that counts as ink at all, of 255: below it, paper's grain would be full of strokes.
MIN_CONTRAST = 12
# The share of a normal distribution that lies more than a standard deviation below the mean.
BELOW_ONE_SIGMA = 0.1587
# What is missing of the paper's light must also be this many times the paper's own noise.
MIN_NOISES = 2.5
# What has less of the light that most of the paper has is no paper: a dark desk beneath it.
MIN_LIGHT = 0.2
# Somewhere a stroke must be this strong.
STRONG_CONTRAST = 20
STRONG_NOISES = 4.5
# The paper's grain is measured at one in so many pixels of a row, in one of so many rows: not in
# step with the blocks of a JPEG, whose edges differ.
SAMPLE_STEP = 3
# What rounding to whole levels makes of none at all.
MIN_NOISE = 0.3


@dataclass(frozen=True)
class InkMap:
    """How far each pixel stands out against the paper around it.

    Attributes:
        contrast: uint8 [height, width]; 0 is paper. For dark ink it is the share of light that is
            missing, which does not change in the shade: 255 is black.
        strong: uint8 of the same shape, 1 where it cannot be the paper's grain.
        is_bright: Whether the ink is brighter than what it stands on.
        noise: The standard deviation of the paper's grain, as a share of its light.
        min_contrast: What stands out by no more than this is no ink, 0 to 255.
        stretch: How many times as wide as it was the picture has been made.
    """

    contrast: GrayImage
    strong: Mask
    is_bright: bool
    noise: float
    min_contrast: int = MIN_CONTRAST
    stretch: float = 1.0

    @property
    def mask(self) -> Mask:
        """uint8 [height, width], 1 where there may be ink."""
        binary = cv2.THRESH_BINARY
        return cv2.threshold(self.contrast, self.min_contrast, 1, binary)[1].astype(
            np.uint8, copy=False
        )


def map_ink(gray: GrayImage) -> Iterator[InkMap]:
    """Find out what stands out against the paper.

    Args:
        gray: uint8 [height, width], dark on light or light on dark.

    Yields:
        What is ink if the more likely of light and dark is; then, if it is not clear which is, what
        is ink if the other is.
    """
    gray, coarse, skew = _prepare(gray)
    yield _map_ink(gray, coarse, skew > 0)
    if abs(skew) < MIN_SKEW:
        yield _map_ink(gray, coarse, skew <= 0)


def map_unlikely_ink(gray: GrayImage) -> InkMap | None:
    """Return what is ink if the less likely of light and dark is; None if it surely is not.

    Args:
        gray: uint8 [height, width], of which `map_ink` yields one map.
    """
    gray, coarse, skew = _prepare(gray)
    return _map_ink(gray, coarse, skew <= 0) if abs(skew) < SURE_SKEW else None


def _prepare(gray: GrayImage) -> tuple[GrayImage, GrayImage, float]:
    """Return a picture with less noise, a reduced one, and its skew."""
    # Noise is finer than any stroke.
    gray = cv2.GaussianBlur(gray, (3, 3), 0).astype(np.uint8, copy=False)
    coarse = shrink_coarsely(gray)
    return gray, coarse, _measure_skew(coarse)


def shrink_coarsely(gray: GrayImage) -> GrayImage:
    """Return a picture whose shorter side is about `COARSE_SIDE` pixels, if it has more."""
    return _shrink(gray, max(1, round(min(gray.shape) / COARSE_SIDE)))


def _map_ink(gray: GrayImage, coarse: GrayImage, is_bright: bool) -> InkMap:
    if is_bright:
        gray, coarse = ~gray, ~coarse
    coarse_paper = _find_paper(coarse)
    paper = _follow_edges(_enlarge(coarse_paper, gray.shape), coarse_paper, gray)
    middle, noise = _measure_noise(paper, gray)
    missing = cv2.subtract(paper, gray).astype(np.uint8, copy=False)
    # Photons are counted: noise grows as the square root of light. But no paper is brighter than
    # most is by much.
    usual = _find_median(coarse_paper)
    levels = np.arange(256) / usual
    growth = np.ones(256) if is_bright else np.sqrt(np.minimum(levels, 1))
    weakest, strongest = (middle + noises * noise for noises in (MIN_NOISES, STRONG_NOISES))
    limits = np.clip(weakest * growth, 0, 255).astype(np.uint8)
    limits[levels < MIN_LIGHT] = 255
    limit = cv2.LUT(coarse_paper, limits).astype(np.uint8, copy=False)
    # In even light it is the same everywhere.
    is_even = bool((limit == limit[0, 0]).all())
    limit = limit[:1, :1] if is_even else _enlarge(limit, gray.shape)
    # Both limits grow alike; of the lower one half a level was cut off, in the mean.
    ratio = strongest / max(weakest, MIN_NOISE)
    higher = cv2.convertScaleAbs(limit, alpha=ratio, beta=ratio / 2)
    strong = (missing > higher).view(np.uint8)
    missing *= (missing > limit).view(np.uint8)
    # Light falls on ink as on paper, so the share holds in a shadow too. On a dark board it is the
    # ink that is lit, and the difference is what there is.
    contrast = missing if is_bright else cv2.divide(missing, paper, scale=255)
    _, visible = cv2.threshold(contrast, STRONG_CONTRAST, 1, cv2.THRESH_BINARY)
    strong &= visible.astype(np.uint8, copy=False)
    return InkMap(contrast.astype(np.uint8, copy=False), strong, is_bright, noise / usual)


def _measure_noise(paper: GrayImage, gray: GrayImage) -> tuple[float, float]:
    """Return the median of what is missing of the paper's light, and the standard deviation."""
    # A sample of the pixels is enough. The offset keeps what is brighter than the paper.
    offset = 100
    sample = slice(None, None, SAMPLE_STEP)
    missing = cv2.addWeighted(paper[sample, sample], 1, gray[sample, sample], -1, offset)
    # From the paper's brighter half: ink is in the other one.
    low, middle = np.interp(
        [BELOW_ONE_SIGMA, 0.5],
        _accumulate(missing.astype(np.uint8, copy=False)),
        np.arange(256) + 0.5,
    )
    return float(middle - offset), max(float(middle - low), MIN_NOISE)


def _find_median(levels: GrayImage) -> float:
    """Return the median of a picture; quicker than NumPy's."""
    return float(np.searchsorted(_accumulate(levels), 0.5))


def _accumulate(levels: GrayImage) -> NDArray[np.float64]:
    """Return what share of a picture is as dark as each level or darker, float64 [256]."""
    counts = cv2.calcHist([levels], [0], None, [256], [0, 256])
    shares: NDArray[np.float64] = np.cumsum(counts) / levels.size
    return shares


def _shrink(gray: GrayImage, factor: int) -> GrayImage:
    """Reduce a picture; what is less than a pixel then, at the right and below, is left out."""
    # By halves first, where that is even: OpenCV has a quick way for these alone.
    while factor % 2 == 0 and not gray.shape[0] % 2 and not gray.shape[1] % 2:
        half = (gray.shape[1] // 2, gray.shape[0] // 2)
        gray = cv2.resize(gray, half, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        factor //= 2
    if factor == 1:
        return gray
    height, width = (max(1, side // factor) for side in gray.shape)
    # Where pixels would be shared out among the reduced ones, it takes four times as long.
    gray = gray[: height * factor, : width * factor]
    shrunk = cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA)
    return shrunk.astype(np.uint8, copy=False)


def _measure_skew(coarse: GrayImage) -> float:
    """Return how far what is finer than the paper is bright, 1, or dark, -1: ink is the rarer."""
    fine = coarse - cv2.boxFilter(coarse, cv2.CV_32F, (STROKE_WIDTH,) * 2)
    np.clip(fine, -SKEW_LIMIT, SKEW_LIMIT, out=fine)
    cubes = fine * fine * fine
    return float(cubes.sum()) / max(cv2.norm(cubes, cv2.NORM_L1), 1.0)


def _find_paper(coarse: GrayImage) -> GrayImage:
    """Return the paper in a reduced picture: what remains when dark strokes are closed."""
    margin = min(THICK_STROKE_WIDTH // 2, *(side - 1 for side in coarse.shape))
    inner = slice(margin, margin + coarse.shape[0]), slice(margin, margin + coarse.shape[1])
    # Where light falls off towards an edge, closing would fill the dip: it goes on beyond.
    mirrored, repeated = (
        cv2.copyMakeBorder(coarse, *(margin,) * 4, border).astype(np.uint8, copy=False)
        for border in (cv2.BORDER_REFLECT_101, cv2.BORDER_REPLICATE)
    )
    beyond = cv2.addWeighted(repeated, 2, mirrored, -1, 0).astype(np.uint8, copy=False)
    closed = _close(beyond, STROKE_WIDTH)[inner]
    # Closing makes nothing brighter than the brightest.
    if closed.min() < (1 - THICK_CONTRAST) * coarse.max():
        closed = _close_thick(closed, _close(mirrored, THICK_STROKE_WIDTH)[inner])
    # The reduced picture blurs a shadow's edge; on its dark side paper would pass for ink.
    eroded = cv2.erode(closed, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.maximum(eroded.astype(np.uint8, copy=False), 1)


def _close_thick(closed: GrayImage, thick: GrayImage) -> GrayImage:
    """Close thick writing, too.

    Args:
        closed: uint8 [height, width], a reduced picture without narrow strokes.
        thick: uint8 of the same shape, without thick ones.
    """
    mask = (closed < np.float32(1 - THICK_CONTRAST) * thick).astype(np.uint8)
    labels, stats = find_components(mask)
    # A shadow that ends at the border is no stroke that ends before it.
    is_free = ~touches_border(stats, mask.shape, THICK_STROKE_WIDTH // 2)
    is_free[0] = False
    near = cv2.dilate(is_free[labels].astype(np.uint8), np.ones((STROKE_WIDTH,) * 2, np.uint8))
    return np.where(near > 0, thick, closed)


def _follow_edges(paper: GrayImage, coarse_paper: GrayImage, gray: GrayImage) -> GrayImage:
    """Return the paper with the edges of shadows where they are, to a pixel or two.

    The reduced picture tells them to one of its pixels, and on the bright side of an edge, where
    the paper passes for darker than it is, ink would be lost.

    Args:
        paper: uint8 [height, width], `coarse_paper` enlarged.
        coarse_paper: The paper in the reduced picture.
        gray: uint8 [height, width], the picture.
    """
    square = np.ones((3, 3), np.uint8)
    bright, dark = cv2.dilate(coarse_paper, square), cv2.erode(coarse_paper, square)
    is_edge = (dark < np.float32(1 - EDGE_CONTRAST) * bright).astype(np.uint8)
    if not is_edge.any():
        return paper
    factor = gray.shape[0] / coarse_paper.shape[0]
    step = max(1, round(factor / EDGE_DETAIL))
    near = cv2.dilate(is_edge, np.ones((EDGE_WIDTH,) * 2, np.uint8))
    directions = np.where(near > 0, _find_directions(coarse_paper), np.float32(np.nan))
    fine = _close_along(_shrink(gray, step), round(STROKE_WIDTH * factor / step), directions)
    if not near.all():
        # Closing takes the top of the noise, of which there is more in a finer picture.
        same = cv2.resize(fine, coarse_paper.shape[::-1], interpolation=cv2.INTER_NEAREST)
        shares = coarse_paper / np.maximum(same, np.float32(1))
        share = min(float(np.median(shares[near == 0])), 1.0)
        fine = cv2.convertScaleAbs(fine, alpha=share).astype(np.uint8, copy=False)
    mask = cv2.resize(near, gray.shape[::-1], interpolation=cv2.INTER_NEAREST)
    # Lines of pixels follow an edge to a pixel.
    enlarged = cv2.erode(_enlarge(fine, gray.shape), square, borderType=cv2.BORDER_REPLICATE)
    enlarged = np.maximum(enlarged, 1)
    return cv2.copyTo(enlarged, mask, paper.copy()).astype(np.uint8, copy=False)


def _find_directions(paper: GrayImage) -> NDArray[np.float32]:
    """Return how the edge nearby runs, float32 of the same shape.

    Half turns from level, 0 to 1; NaN where there is no edge of one direction.
    """
    across, down = (
        cv2.Sobel(paper, cv2.CV_32F, dx, 1 - dx, borderType=cv2.BORDER_REPLICATE) for dx in (1, 0)
    )
    # Of a structure tensor, since a gradient and its opposite are of one edge.
    same, other, strength = (
        cv2.blur(product, (EDGE_WIDTH,) * 2)
        for product in (
            across * across - down * down,
            2 * across * down,
            across * across + down * down,
        )
    )
    # Half the angle is the gradient's; the edge runs across it.
    turns: NDArray[np.float32] = np.arctan2(other, same) / np.float32(2 * math.pi) + np.float32(0.5)
    turns[np.hypot(same, other) < MIN_COHERENCE * strength] = np.nan
    return turns


def _close_along(picture: GrayImage, width: int, directions: NDArray[np.float32]) -> GrayImage:
    """Close dark strokes, also where they lie beside the edge of a shadow.

    A square keeps an edge in its place, but leaves open what lies right beside a slanted one: only
    its corner reaches in there. A line along the edge reaches everywhere.

    Args:
        picture: uint8 [height, width].
        width: What is narrower is closed, in pixels.
        directions: Of edges, from `_find_directions` of a smaller picture; NaN where there is none.
    """
    closed = _close(picture, width)
    size = picture.shape[1], picture.shape[0]
    for turns in np.arange(1, EDGE_DIRECTIONS) / EDGE_DIRECTIONS:
        away = np.abs(directions - turns)
        is_along = (np.minimum(away, 1 - away) < EDGE_TOLERANCE).astype(np.uint8)
        # A square's side is upright, too.
        if turns == 0.5 or not is_along.any():
            continue
        line = cv2.morphologyEx(picture, cv2.MORPH_CLOSE, _draw_line(width, turns))
        mask = cv2.resize(is_along, size, interpolation=cv2.INTER_NEAREST)
        closed = cv2.copyTo(cv2.max(closed, line), mask, closed).astype(np.uint8, copy=False)
    return closed


def _draw_line(length: int, turns: float) -> Mask:
    """Return a kernel that is a line, so many half turns from level."""
    kernel = np.zeros((length, length), np.uint8)
    middle = (length - 1) / 2
    reach = middle * np.array([math.cos(math.pi * turns), math.sin(math.pi * turns)])
    start, end = (np.rint(middle + way * reach).astype(int).tolist() for way in (-1, 1))
    return cv2.line(kernel, start, end, (1,)).astype(np.uint8, copy=False)


def _enlarge(coarse: GrayImage, shape: tuple[int, ...]) -> GrayImage:
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR).astype(
        np.uint8, copy=False
    )


def _close(picture: GrayImage, width: int) -> GrayImage:
    kernel = np.ones((width, width), np.uint8)
    return cv2.morphologyEx(picture, cv2.MORPH_CLOSE, kernel).astype(np.uint8, copy=False)
