"""Many small maps as one picture."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Maps are enlarged to at least so many pixels a side, so that the gaps between them are thin.
LEAST_CELL_PX = 24
GAP_PX = 2


@dataclass(frozen=True)
class Mosaic:
    """Maps in rows, from the top left on.

    Attributes:
        picture: float32 [height, width]; NaN between the maps and where there is none.
        rows: Of maps.
        columns: Likewise.
        cell_shape: Height and width of each map, before it was enlarged.
        cell_px: And after.
    """

    picture: NDArray[np.float32]
    rows: int
    columns: int
    cell_shape: tuple[int, int]
    cell_px: tuple[int, int]

    def middle(self, row: int, column: int) -> tuple[float, float]:
        """Return y and x of the middle of a map, in the picture's pixels."""
        height, width = self.cell_px
        return (
            row * (height + GAP_PX) + (height - 1) / 2,
            column * (width + GAP_PX) + (width - 1) / 2,
        )


def lay_out(maps: NDArray[np.float32], columns: int) -> Mosaic:
    """Put maps side by side.

    Args:
        maps: float32 [N, height, width], N at least 1.
        columns: How many in a row, at least 1.
    """
    count, height, width = maps.shape
    times = max(1, math.ceil(LEAST_CELL_PX / max(height, width)))
    enlarged = maps.repeat(times, axis=1).repeat(times, axis=2)
    rows = math.ceil(count / columns)
    cell_height, cell_width = enlarged.shape[1:]
    gapped = np.full(
        (rows * columns, cell_height + GAP_PX, cell_width + GAP_PX), np.nan, np.float32
    )
    gapped[:count, :cell_height, :cell_width] = enlarged
    table = gapped.reshape(rows, columns, *gapped.shape[1:]).swapaxes(1, 2)
    picture = table.reshape(rows * gapped.shape[1], columns * gapped.shape[2])
    # No gap behind the last ones.
    picture = picture[:-GAP_PX, :-GAP_PX]
    return Mosaic(picture, rows, columns, (height, width), (cell_height, cell_width))
