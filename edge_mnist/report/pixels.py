"""Small pictures as data that stands in a page."""

import base64
import io
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib import colormaps
from matplotlib.image import imsave
from numpy.typing import NDArray

from edge_mnist.explanation.mosaic import lay_out
from edge_mnist.explanation.pictures import AMOUNTS, EDGE_LEVEL, SIGNED
from edge_mnist.explanation.results import Filters, GradCam, Occlusion
from edge_mnist.preprocessing import IMAGE_SIZE, resize

# A pixel of the image is as many of a map over it, so that the outline is thin.
ENLARGED = 4
# Colours of a map; more are not told apart, and make the file larger.
LEVELS = 64
# More filters are not shown, or channels than these: the picture would be too large for a phone.
MOST_FILTERS, FILTERS_ACROSS = 64, 8
# matplotlib would name itself in each picture.
NOTHING_TOLD: dict[str, Any] = {"Software": None}


def encode_digit(image: NDArray[np.uint8]) -> Markup:
    """Return an image as the source of an HTML image: dark ink on white paper.

    Args:
        image: uint8 [28, 28], 0 is paper and 255 is ink.
    """
    return _encode(np.repeat(255 - image[..., None], 3, axis=2))


def encode_gradcam(gradcam: GradCam, image: NDArray[np.uint8]) -> Markup:
    """Return what speaks for a digit, under the outline of the image: uint8 [28, 28]."""
    heat = np.maximum(resize(gradcam.heat, (IMAGE_SIZE, IMAGE_SIZE)), 0)
    return _encode(_outline(_color(heat / (heat.max() or 1), AMOUNTS), image, 255))


def encode_occlusion(occlusion: Occlusion, image: NDArray[np.uint8]) -> Markup:
    """Return what is lost where an image, uint8 [28, 28], is covered, under its outline."""
    reach = float(np.abs(occlusion.lost).max()) or 1.0
    return _encode(_outline(_color(occlusion.lost / reach / 2 + 0.5, SIGNED), image, 0))


def encode_filters(filters: Filters) -> tuple[Markup, int, int, bool]:
    """Draw a convolution's weights, a row a filter and a column a channel.

    Those that look at one channel fill rows of eight. All have the same scale, white is 0.

    Returns:
        The source of an HTML image, its width and height in pixels, and whether all are drawn.
    """
    count, channels, *kernel = filters.weights.shape
    most = MOST_FILTERS if channels == 1 else FILTERS_ACROSS
    shown = filters.weights[:most, :FILTERS_ACROSS]
    across = shown.shape[1] if channels > 1 else min(count, FILTERS_ACROSS)
    mosaic = lay_out(shown.reshape(-1, *kernel), across)
    reach = float(np.abs(shown).max()) or 1.0
    height, width = mosaic.picture.shape
    source = _encode(_color(mosaic.picture / reach / 2 + 0.5, SIGNED))
    return source, width, height, shown.shape[:2] == (count, channels)


def _color(values: NDArray[np.float32], name: str) -> NDArray[np.uint8]:
    """Return values from 0 to 1 in the colours of a map, uint8 [height, width, 4]."""
    levels = np.rint(np.clip(values, 0, 1) * (LEVELS - 1)) / (LEVELS - 1)
    colored: NDArray[np.uint8] = colormaps[name](levels, bytes=True)
    return colored


def _outline(
    colored: NDArray[np.uint8], image: NDArray[np.uint8], brightness: int
) -> NDArray[np.uint8]:
    """Return a map, uint8 [28, 28, 4], enlarged, with the edge of the ink drawn over it."""
    large = colored.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    size = (IMAGE_SIZE * ENLARGED, IMAGE_SIZE * ENLARGED)
    ink = np.pad(resize(image.astype(np.float32), size) > EDGE_LEVEL, 1)
    inside = ink[:-2, 1:-1] & ink[2:, 1:-1] & ink[1:-1, :-2] & ink[1:-1, 2:]
    large[ink[1:-1, 1:-1] & ~inside, :3] = brightness
    return large


def _encode(pixels: NDArray[np.uint8]) -> Markup:
    buffer = io.BytesIO()
    imsave(buffer, pixels, format="png", metadata=NOTHING_TOLD)
    text = base64.b64encode(buffer.getvalue()).decode()
    return Markup(f"data:image/png;base64,{text}")  # noqa: S704 - letters, digits, + / =
