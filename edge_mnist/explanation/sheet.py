"""A picture whose parts are placed by the inch, from the top left."""

import io
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from edge_mnist.files import write_atomically

DPI = 200
TEXT_PT, SMALL_TEXT_PT = 9, 7
MARGIN = 0.15
TITLE_HEIGHT = 0.28  # of a line of text and the room around it
LEAST_TICKS = 3  # a scale with fewer shows its ends
SCALE_WIDTH, SCALE_GAP, SCALE_ROOM = 0.1, 0.08, 0.75  # a colour scale, before it, in all


class Sheet:
    """A figure of a fixed size. All lengths are in inches."""

    def __init__(self, width: float, height: float, title: str = "") -> None:
        """Make an empty one; a title takes `TITLE_HEIGHT` of its top."""
        self._width, self._height = width, height
        self._figure = Figure((width, height))
        if title:
            self.write(title, MARGIN, 0.02, TEXT_PT + 1)

    def write(self, text: str, left: float, top: float, size_pt: float = TEXT_PT) -> None:
        """Write a line, its top left corner at a place."""
        place = left / self._width, 1 - (top + 0.06) / self._height
        self._figure.text(*place, text, fontsize=size_pt, va="top", ha="left")

    def add_axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return axes without ticks that take a box."""
        bottom = self._height - top - height
        box = (
            left / self._width,
            bottom / self._height,
            width / self._width,
            height / self._height,
        )
        axes = self._figure.add_axes(box)
        axes.set(xticks=[], yticks=[])
        axes.tick_params(length=0, labelsize=SMALL_TEXT_PT)
        return axes

    def add_scale(
        self, drawn: Any, left: float, top: float, height: float, label: str = ""
    ) -> Colorbar:
        """Add and return the colour scale of an image; its numbers stand on its right."""
        axes = self.add_axes(left + SCALE_GAP, top, SCALE_WIDTH, height)
        bar = self._figure.colorbar(drawn, cax=axes)
        most = min(int(height / 0.22), 6)
        if most < LEAST_TICKS:  # there is room for its ends only
            bar.set_ticks(drawn.get_clim(), labels=[f"{end:.2g}" for end in drawn.get_clim()])
        else:
            bar.locator = MaxNLocator(nbins=most)
            bar.update_ticks()
        bar.ax.tick_params(labelsize=SMALL_TEXT_PT, length=2)
        bar.ax.yaxis.get_offset_text().set_fontsize(SMALL_TEXT_PT)
        bar.outline.set_visible(False)
        if label:
            bar.set_label(label, fontsize=TEXT_PT)
        return bar

    def save(self, path: Path) -> None:
        """Write it as PNG."""
        buffer = io.BytesIO()
        self._figure.savefig(buffer, format="png", dpi=DPI)
        write_atomically(path, buffer.getvalue())
