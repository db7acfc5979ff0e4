import numpy as np
import pytest

pytest.importorskip("cv2")

from edge_mnist.vision.components import find_components


def draw_mask(*pieces):
    mask = np.zeros((60, 80), np.uint8)
    for left, top, width, height in pieces:
        mask[top : top + height, left : left + width] = 1
    return mask


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [(30, 20, 5, 4)],
        [(30, 20, 5, 4), (40, 20, 3, 9), (33, 30, 2, 2)],
        [(0, 0, 4, 4), (76, 56, 4, 4)],
        [(0, 0, 80, 60)],
    ],
)
def test_every_piece_is_found_wherever_it_lies(pieces):
    labels, stats = find_components(draw_mask(*pieces))
    assert sorted(map(tuple, stats[1:, :4])) == sorted(pieces)
    assert stats[0, 4] == 60 * 80 - sum(width * height for *_, width, height in pieces)
    for label, (left, top, width, height, area) in enumerate(stats.tolist()[1:], start=1):
        assert (labels[top : top + height, left : left + width] == label).all()
        assert np.count_nonzero(labels == label) == area == width * height
