import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.preprocessing import normalize_digit
from edge_mnist.vision.cells import cut_cells, lift_writing

BOX = (40, 50, 320, 90)  # four cells of 80x90 pixels


def draw_comb(noise=0.0):
    """An empty comb on a page of 200x400 pixels."""
    page = np.full((200, 400), 225, np.uint8)
    for index in range(4):
        cv2.rectangle(page, (40 + 80 * index, 50), (120 + 80 * index, 140), 110, 2)
    grain = np.random.default_rng(0).normal(0, noise, page.shape)
    return np.clip(page + grain, 0, 255).astype(np.uint8)


def draw_windows():
    """Four dark windows in a light plate."""
    page = np.full((200, 400), 200, np.uint8)
    for index in range(4):
        cv2.rectangle(page, (46 + 80 * index, 50), (114 + 80 * index, 140), 35, -1)
    return page


def write(page, stroke, level, width=7):
    cv2.polylines(page, [np.array(stroke, np.int32)], False, level, width, cv2.LINE_AA)


def seven(cell, shift=(0, 0)):
    x, y = 40 + 80 * cell + shift[0], 50 + shift[1]
    return [(x + 20, y + 20), (x + 58, y + 20), (x + 35, y + 70)]


def expected_image(stroke):
    """The stroke as it comes out without any frame around it."""
    page = np.full((300, 500), 225, np.uint8)
    write(page, np.array(stroke) + 40, 60)
    return normalize_digit(page).image


@pytest.mark.parametrize("noise", [0, 6])
def test_empty_comb_holds_nothing(noise):
    assert cut_cells(draw_comb(noise), BOX, 4) == [None] * 4


def test_empty_windows_hold_nothing():
    assert cut_cells(draw_windows(), BOX, 4) == [None] * 4


@pytest.mark.parametrize(
    ("draw", "level"), [(draw_comb, 60), (draw_comb, 140), (draw_windows, 230)]
)
def test_digits_come_out_as_without_a_frame(draw, level):
    page = draw()
    write(page, seven(1), level)
    cells = cut_cells(page, BOX, 4)
    assert [cell is not None for cell in cells] == [False, True, False, False]
    difference = np.abs(cells[1].image.astype(int) - expected_image(seven(1)))
    assert difference.mean() < 6
    assert np.abs(np.array(cells[1].box) - (136, 66, 47, 58)).max() <= 3


@pytest.mark.parametrize("shift", [(24, 0), (-22, 0), (0, 24), (0, -20), (23, 22)])
def test_digit_that_crosses_the_frame_stays_whole(shift):
    page = draw_comb()
    write(page, seven(1, shift), 60)
    cells = cut_cells(page, BOX, 4)
    assert [cell is not None for cell in cells] == [False, True, False, False]
    assert np.abs(np.array(cells[1].box) - (136 + shift[0], 66 + shift[1], 47, 58)).max() <= 3
    assert np.abs(cells[1].image.astype(int) - expected_image(seven(1))).mean() < 16


def test_upright_stroke_beside_the_frame_is_no_line_of_it():
    page = draw_comb()
    write(page, [(130, 65), (130, 125)], 60)
    cells = cut_cells(page, BOX, 4)
    assert [cell is not None for cell in cells] == [False, True, False, False]
    assert cells[1].box[3] >= 60


def test_digits_that_touch_are_parted_at_the_border():
    page = draw_comb()
    write(page, seven(1), 60)
    write(page, seven(2), 60)
    write(page, [(170, 95), (240, 95)], 60)
    assert [cell is not None for cell in cut_cells(page, BOX, 4)] == [False, True, True, False]


def test_frame_that_lies_a_little_off_is_still_no_ink():
    page = draw_comb()
    write(page, seven(0), 60)
    turned = cv2.getRotationMatrix2D((200, 100), 1.0, 1.0)
    page = cv2.warpAffine(page, turned, (400, 200), borderValue=(225,))
    for shift in (-4, 0, 4):
        cells = cut_cells(page, (40 + shift, 50 - shift, 320, 90), 4)
        assert [cell is not None for cell in cells] == [True, False, False, False]


def test_caption_above_and_specks_are_left_out():
    page = draw_comb()
    cv2.putText(page, "4. Telephone 1234", (40, 44), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 40, 2)
    cv2.circle(page, (160, 95), 3, 60, -1)
    assert cut_cells(page, BOX, 4) == [None] * 4


def test_dash_is_marked_as_no_digit():
    page = draw_comb()
    write(page, [(62, 95), (98, 95)], 60)
    assert cut_cells(page, BOX, 4)[0].is_mark


def test_shadow_in_a_field_is_no_ink():
    page = draw_comb().astype(np.float32)
    page *= np.interp(np.arange(400), [190, 215], [1, 0.6])
    page = page.astype(np.uint8)
    assert cut_cells(page, BOX, 4) == [None] * 4
    write(page, seven(3), 30)
    assert [cell is not None for cell in cut_cells(page, BOX, 4)] == [False, False, False, True]


def test_field_at_the_pages_edge_is_read():
    page = draw_comb()[50:141, 40:361]
    write(page, np.array(seven(3)) - (40, 50), 60)
    cells = cut_cells(np.ascontiguousarray(page), (0, 0, 321, 91), 4)
    assert [cell is not None for cell in cells] == [False, False, False, True]


def test_writing_in_some_fields_is_all_that_is_left_of_a_page():
    page = draw_comb()
    write(page, seven(0), 60)
    write(page, seven(2), 60)
    writing = lift_writing(page, [(40, 50, 80, 90), (120, 50, 80, 90)])
    assert writing.shape == page.shape
    assert writing[66:124, 56:103].min() < 30
    assert (writing[:, 120:] == 255).all()
