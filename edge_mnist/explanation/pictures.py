"""Pictures of explanations, at print quality and in colours that all people can tell apart."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from edge_mnist.explanation.mosaic import Mosaic, lay_out
from edge_mnist.explanation.results import Activation, Filters, GradCam, Occlusion
from edge_mnist.explanation.sheet import MARGIN, SCALE_ROOM, TITLE_HEIGHT, Sheet
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES, resize

# Cividis was made to look the same with and without a colour vision deficiency (Nuñez et al. 2018);
# orange and purple differ in lightness from the white of zero between them.
AMOUNTS, SIGNED, INK = "cividis", "PuOr_r", "gray_r"
EDGE_LEVEL = 127  # halfway from paper to ink
SEEN = "what the network sees"
# More filters, channels or units than these are not drawn: they would be too small to be seen.
MOST_DRAWN = 64
MAPS_ACROSS, FILTERS_ACROSS, PANELS_ACROSS = 16, 8, 5

# Inches.
MOSAIC_WIDTH, MOSAIC_HEIGHT = 7.0, 8.5
LARGEST_FILTER, LARGEST_MAP, UNIT = 0.75, 0.85, 0.3
PANEL, LARGE_PANEL, PANEL_GAP = 2.0, 2.6, 0.15
LABEL_ROOM = 0.45
LOWEST_SCALE = 0.45


def draw_filters(filters: Filters, path: Path) -> None:
    """Draw a convolution's weights: a row a filter and a column a channel, or a grid of filters."""
    count, channels, *kernel = filters.weights.shape
    shown = filters.weights[:MOST_DRAWN, :MOST_DRAWN]
    across = shown.shape[1] if channels > 1 else min(count, FILTERS_ACROSS)
    mosaic = lay_out(shown.reshape(-1, *kernel), across)
    title = f"{filters.layer}: {count} filters of {kernel[0]}x{kernel[1]}"
    if channels > 1:
        title += f" over {channels} channels"
    if shown.shape[:2] != (count, channels):
        title += f" (the first {MOST_DRAWN} are drawn)"
    width, height = _fit(mosaic, LARGEST_FILTER)
    left, top = MARGIN + (LABEL_ROOM if channels > 1 else 0), TITLE_HEIGHT + MARGIN
    scale_height = max(height, 2 * LOWEST_SCALE)
    bottom = top + scale_height + (LABEL_ROOM if channels > 1 else MARGIN)
    sheet = Sheet(max(left + width + SCALE_ROOM + MARGIN, 4.0), bottom, title)
    reach = float(np.abs(shown).max()) or 1.0
    axes = sheet.add_axes(left, top, width, height)
    drawn = _draw_mosaic(axes, mosaic, SIGNED, (-reach, reach))
    if channels > 1:
        _number(axes, mosaic)
        axes.set(xlabel="channel", ylabel="filter")
    sheet.add_scale(drawn, left + width, top, scale_height, "weight")
    sheet.save(path)


def draw_activations(
    activations: Sequence[Activation], image: NDArray[np.uint8], title: str, path: Path
) -> None:
    """Draw what each layer made of an image, from the image down, each with a scale of its own."""
    mosaics = [_lay_out_activation(activation) for activation in activations]
    sizes = [_fit(mosaic, _largest_cell(mosaic)) for mosaic in mosaics]
    rooms = [TITLE_HEIGHT + max(height, LOWEST_SCALE) + 2 * MARGIN for _, height in sizes]
    top = TITLE_HEIGHT + MARGIN
    image_room = TITLE_HEIGHT + 1.0 + MARGIN
    width = MARGIN + MOSAIC_WIDTH + SCALE_ROOM
    sheet = Sheet(width, top + image_room + sum(rooms), title)
    sheet.write(SEEN, MARGIN, top)
    _draw_ink(sheet.add_axes(MARGIN, top + TITLE_HEIGHT, 1.0, 1.0), image)
    top += image_room
    for activation, mosaic, (width, height), room in zip(
        activations, mosaics, sizes, rooms, strict=True
    ):
        sheet.write(_describe(activation), MARGIN, top)
        axes = sheet.add_axes(MARGIN, top + TITLE_HEIGHT, width, height)
        drawn = _draw_mosaic(axes, mosaic, AMOUNTS, _find_span(activation.values))
        if activation.is_output:
            axes.set_xticks(_find_middles(mosaic), map(str, range(NUM_CLASSES)))
        sheet.add_scale(drawn, MARGIN + width, top + TITLE_HEIGHT, max(height, LOWEST_SCALE))
        top += room
    sheet.save(path)


def draw_gradcams(
    gradcams: Sequence[GradCam], image: NDArray[np.uint8], title: str, path: Path
) -> None:
    """Draw the image, and over its outline what speaks for the digit in each layer."""
    panels = len(gradcams) + 1
    rows = math.ceil(panels / PANELS_ACROSS)
    across = math.ceil(panels / rows)
    step_x, step_y = PANEL + SCALE_ROOM + PANEL_GAP, TITLE_HEIGHT + PANEL + PANEL_GAP
    start = TITLE_HEIGHT + MARGIN
    sheet = Sheet(MARGIN + across * step_x, start + rows * step_y, title)
    sheet.write(SEEN, MARGIN, start)
    _draw_ink(sheet.add_axes(MARGIN, start + TITLE_HEIGHT, PANEL, PANEL), image)
    for place, gradcam in enumerate(gradcams, 1):
        left, top = MARGIN + place % across * step_x, start + place // across * step_y
        heat = np.maximum(resize(gradcam.heat, (IMAGE_SIZE, IMAGE_SIZE)), 0)
        height, width = gradcam.heat.shape
        is_found = bool(gradcam.heat.any())
        told = f"maps of {height}x{width}" if is_found else "nothing speaks for it"
        sheet.write(f"{gradcam.layer}: {told}", left, top)
        top += TITLE_HEIGHT
        axes = sheet.add_axes(left, top, PANEL, PANEL)
        drawn = axes.imshow(heat, AMOUNTS, vmin=0, vmax=float(heat.max()) if is_found else 1)
        _outline(axes, image, "white")
        if is_found:
            sheet.add_scale(drawn, left + PANEL, top, PANEL)
    sheet.save(path)


def draw_occlusion(occlusion: Occlusion, image: NDArray[np.uint8], title: str, path: Path) -> None:
    """Draw the image, and over its outline what is lost where it is covered."""
    top = 2 * TITLE_HEIGHT + MARGIN
    second = MARGIN + LARGE_PANEL + 2 * PANEL_GAP
    sheet = Sheet(second + LARGE_PANEL + SCALE_ROOM + MARGIN, top + LARGE_PANEL + MARGIN, title)
    sheet.write(SEEN, MARGIN, top - TITLE_HEIGHT)
    _draw_ink(sheet.add_axes(MARGIN, top, LARGE_PANEL, LARGE_PANEL), image)
    side = occlusion.patch_px
    sheet.write(f"covered by {side}x{side} pixels of paper", second, top - TITLE_HEIGHT)
    axes = sheet.add_axes(second, top, LARGE_PANEL, LARGE_PANEL)
    reach = float(np.abs(occlusion.lost).max()) or 1.0
    drawn = axes.imshow(occlusion.lost, SIGNED, vmin=-reach, vmax=reach)
    _outline(axes, image, "black")
    label = f"log-odds of {occlusion.digit} that are lost"
    sheet.add_scale(drawn, second + LARGE_PANEL, top, LARGE_PANEL, label)
    sheet.save(path)


def _lay_out_activation(activation: Activation) -> Mosaic:
    """Return a layer's maps side by side; of what has no channels, a strip of its units."""
    values = activation.values
    if values.ndim == 3:
        maps = values.transpose(2, 0, 1)[:MOST_DRAWN]
        return lay_out(maps, min(len(maps), MAPS_ACROSS))
    return lay_out(values.reshape(-1, 1, 1)[:MOST_DRAWN], min(values.size, 2 * MAPS_ACROSS))


def _largest_cell(mosaic: Mosaic) -> float:
    return UNIT if mosaic.cell_shape == (1, 1) else LARGEST_MAP


def _fit(mosaic: Mosaic, largest_cell: float) -> tuple[float, float]:
    """Return the width and height to draw a mosaic in, in inches."""
    height, width = mosaic.picture.shape
    inches_a_pixel = min(
        largest_cell / max(mosaic.cell_px), MOSAIC_WIDTH / width, MOSAIC_HEIGHT / height
    )
    return width * inches_a_pixel, height * inches_a_pixel


def _describe(activation: Activation) -> str:
    values, quantization = activation.values, activation.quantization
    count = values.shape[-1] if values.ndim == 3 else values.size
    told = f"{count} units"
    if values.ndim == 3:
        told = f"{count} map{'s' if count > 1 else ''} of {values.shape[0]}x{values.shape[1]}"
    if count > MOST_DRAWN:
        told += f" (the first {MOST_DRAWN} are drawn)"
    told += f", {activation.dtype}"
    if quantization is not None:
        told += f", scale {quantization.scale[0]:.4g}, zero point {quantization.zero_point[0]}"
    return f"{activation.layer}: {told}"


def _find_span(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return the least and the largest value, apart from each other."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1)


def _draw_ink(axes: Axes, image: NDArray[np.uint8]) -> None:
    axes.imshow(image, INK, vmin=0, vmax=255)


def _outline(axes: Axes, image: NDArray[np.uint8], color: str) -> None:
    if image.min() < EDGE_LEVEL < image.max():
        axes.contour(image, levels=[EDGE_LEVEL], colors=color, linewidths=1.0)


def _draw_mosaic(axes: Axes, mosaic: Mosaic, colors: str, span: tuple[float, float]) -> Any:
    axes.spines[:].set_visible(False)
    low, high = span
    return axes.imshow(mosaic.picture, colors, vmin=low, vmax=high, interpolation="nearest")


def _number(axes: Axes, mosaic: Mosaic) -> None:
    """Number the rows and columns of a mosaic, not all if there are many."""
    rows = range(0, mosaic.rows, math.ceil(mosaic.rows / 16))
    columns = range(0, mosaic.columns, math.ceil(mosaic.columns / 16))
    axes.set_yticks([mosaic.middle(row, 0)[0] for row in rows], map(str, rows))
    axes.set_xticks([mosaic.middle(0, column)[1] for column in columns], map(str, columns))


def _find_middles(mosaic: Mosaic) -> list[float]:
    return [mosaic.middle(0, column)[1] for column in range(mosaic.columns)]
