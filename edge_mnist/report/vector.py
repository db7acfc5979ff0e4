"""Charts as SVG that stands in a page: its colours follow the page, nothing is fetched."""

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Each is replaced by a colour of the page, which differs between light and dark.
INK, MUTED, LINE = "#010203", "#010204", "#010205"
FIRST, SECOND, PAPER = "#010206", "#010207", "#010208"
PAGE_COLORS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    FIRST: "var(--first)",
    SECOND: "var(--second)",
    PAPER: "var(--paper)",
}
TEXT_PT, SMALL_PT = 10, 9
# One inch is this many units of the drawing; on a phone a unit is about a pixel.
UNITS_AN_INCH = 72
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": TEXT_PT,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "axes.labelsize": SMALL_PT,
    "legend.fontsize": SMALL_PT,
    "legend.frameon": False,
}


styled = mpl.rc_context(STYLE)
"""Decorates what draws a chart: the settings are looked up when something is drawn."""


class Chart:
    """One chart: draw on `axes` in a function that is `styled`, then `render`.

    Attributes:
        figure: 320 units wide, that of a phone, unless told otherwise.
        axes: All of them, from the top.
    """

    def __init__(
        self, height: float, *, rows: Sequence[float] = (1,), width: float = 320.0
    ) -> None:
        """Make an empty one.

        Args:
            height: In units.
            rows: The heights of the axes, one below the other, in proportion; they share the
                horizontal one.
            width: In units.
        """
        size = (width / UNITS_AN_INCH, height / UNITS_AN_INCH)
        self.figure = Figure(figsize=size, layout="constrained")
        heights = list(rows)
        grid = self.figure.subplots(
            len(heights), 1, squeeze=False, sharex=True, height_ratios=heights
        )
        self.axes: list[Axes] = list(grid[:, 0])

    def render(self, title: str) -> Markup:
        """Return it as SVG for HTML; the same drawing gives the same text.

        Args:
            title: What it shows, for those who do not see it; no two of a page are the same.
        """
        buffer = io.StringIO()
        told_nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        # The title keeps the names of two drawings' parts apart.
        with mpl.rc_context({"svg.hashsalt": title}), warnings.catch_warnings():
            # A browser has more letters than the font that room is made for.
            warnings.filterwarnings("ignore", message="Glyph")
            self.figure.savefig(buffer, format="svg", metadata=told_nothing, transparent=True)
        drawing = buffer.getvalue()
        inner = drawing[drawing.index(">", drawing.index("<svg")) + 1 : drawing.rindex("</svg>")]
        for pattern, replacement in CLEANINGS:
            inner = pattern.sub(replacement, inner)
        for color, variable in PAGE_COLORS.items():
            inner = inner.replace(color, variable)
        width, height = (UNITS_AN_INCH * inches for inches in self.figure.get_size_inches())
        label = escape(title)
        return Markup(  # noqa: S704 - matplotlib has escaped its texts
            f'<svg class="chart" role="img" viewBox="0 0 {width:g} {height:g}" '
            f'aria-label="{label}"><title>{label}</title>{inner}</svg>'
        )


CLEANINGS = [
    (re.compile(pattern, re.DOTALL), replacement)
    for pattern, replacement in (
        (r"<!--.*?-->", ""),
        (r"<metadata>.*?</metadata>", ""),
        (r'<g id="[^"]*"', "<g"),
        (r"xlink:href=", "href="),
        # The page's own font.
        (r"font: (?:[\w-]+ )*?([\d.]+)px [^;\"]*", r"font-size: \1px"),
        (r"font-family: [^;\"]*;? ?", ""),
        (r"\s*\n\s*", "\n"),
    )
]
