import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.prediction import Prediction
from edge_mnist.vision.blobs import Blob
from edge_mnist.vision.candidates import Candidate
from edge_mnist.vision.edges import leave_edges_out
from edge_mnist.vision.ink import map_ink
from edge_mnist.vision.segmentation import segment


@pytest.fixture
def lay_on_desk(make_paper):
    """Return a function that lays a page, uint8 [height, width], slanted onto a dark desk."""

    def lay(page, angle, desk_level):
        height, width = page.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 0.8)
        flags = cv2.INTER_AREA
        cover = cv2.warpAffine(np.full_like(page, 255), turn, (width, height), flags=flags)
        share = cv2.GaussianBlur(cover, (5, 5), 0) / 255
        turned = cv2.warpAffine(page, turn, (width, height), flags=flags, borderValue=215)
        desk = make_paper(height, width, level=desk_level)
        return np.rint(share * turned + (1 - share) * desk).astype(np.uint8)

    return lay


@pytest.mark.parametrize("desk_level", [40, 100])
@pytest.mark.parametrize("angle", [-10, -4, 2, 5, 8, 12])
def test_corners_of_a_page_on_a_desk_are_no_digits(
    angle, desk_level, reader, make_paper, lay_on_desk
):
    assert reader.read(lay_on_desk(make_paper(), angle, desk_level)).lines == []


@pytest.mark.parametrize("angle", [-8, 8])
def test_ones_on_a_page_that_lies_on_a_desk_are_read(angle, reader, make_paper, write, lay_on_desk):
    page = make_paper()
    write(page, "1171", 200, 200, height=60)
    assert reader.read(lay_on_desk(page, angle, 60)).lines == ["1171"]


@pytest.mark.parametrize("edge", [200, 215, 230, 245, 260])
def test_ones_across_the_edge_of_a_shadow_are_read(edge, reader, make_paper, write):
    page = make_paper()
    write(page, "1411", 200, 200, height=60)
    light = np.where(np.arange(480) < edge, 1, 0.6)[:, None]
    shaded = np.rint(page * cv2.GaussianBlur(light, (1, 9), 0)).astype(np.uint8)
    assert reader.read(shaded).lines == ["1411"]


@pytest.mark.parametrize("turn", [-6, 0, 6])
@pytest.mark.parametrize("thickness", [3, 4, 6])
@pytest.mark.parametrize("slant", [12, 24, 32])
def test_slanted_sides_of_a_frame_are_no_digits(slant, thickness, turn, reader, make_paper, write):
    page = make_paper()
    write(page, "4825", 150, 195, height=50)
    corners = np.array([(110, 170), (430, 170), (430 - slant, 270), (110 - slant, 270)], float)
    across = cv2.getRotationMatrix2D((270, 220), turn, 1)
    frame = np.rint(cv2.transform(corners[None], across)).astype(np.int32)
    cv2.polylines(page, [frame], True, 60, thickness, cv2.LINE_AA)
    assert reader.read(page).lines == ["4825"]


def read_as(digit, blob):
    prediction = Prediction(digit, 0.99, 0.0, False, np.eye(10)[digit].tolist(), 1.0)
    return Candidate(blob, prediction)


@pytest.mark.parametrize("hand", range(3))
def test_piece_of_a_page_beside_a_desk_is_told_from_digits(hand, make_paper, write):
    page = make_paper()
    write(page, "20473185", 220, 200, hand=hand)
    page[:, :180] = make_paper(width=180, level=40)
    found = segment(next(map_ink(page)))
    digits = [read_as(8, blob) for row in found.rows for blob in row if blob.left > 200]
    assert len(digits) >= 8
    assert all(leave_edges_out([digit], page, found) == [digit] for digit in digits)
    piece = Blob((174, 200, 12, 40), np.ones((40, 12), bool), 200.0)
    assert leave_edges_out([read_as(1, piece)], page, found) == []


@pytest.mark.parametrize(("height", "is_digit"), [(22, False), (40, True), (55, False)])
@pytest.mark.parametrize("is_last", [False, True])
def test_stroke_that_ends_at_a_line_is_a_one_if_it_is_as_high_as_the_others(
    is_last, height, is_digit, make_paper, write
):
    page = make_paper()
    write(page, "2473", 220, 200, height=40)
    left = 420 if is_last else 190
    cv2.rectangle(page, (left, 240 - height), (left + 4, 239), 60, cv2.FILLED)
    cv2.rectangle(page, (180, 240), (430, 243), 60, cv2.FILLED)
    found = segment(next(map_ink(page)))
    # The line is taken away, as it is when a number is underlined or framed.
    blobs = [blob for row in found.rows for blob in row if 210 < blob.left < 410]
    stroke = read_as(1, Blob((left, 240 - height, 5, height), np.ones((height, 5), bool), 180.0))
    number = [read_as(8, blob) for blob in blobs]
    number.insert(len(number) if is_last else 0, stroke)
    assert (stroke in leave_edges_out(number, page, found)) == is_digit
