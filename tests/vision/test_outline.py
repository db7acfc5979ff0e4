import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.vision.outline import find_outline

CORNERS = np.array([[160, 90], [700, 130], [660, 520], [120, 470]], np.float32)


def photograph(corners=CORNERS, desk=90, paper=230):
    """A sheet with a black frame printed on it, on a desk of 600x800 pixels."""
    page = np.full((300, 400), paper, np.uint8)
    cv2.rectangle(page, (30, 30), (370, 270), 0, 3)
    flat = np.array([[0, 0], [399, 0], [399, 299], [0, 299]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners)
    photo = np.full((600, 800), desk, np.uint8)
    return cv2.warpPerspective(page, matrix, (800, 600), photo, borderMode=cv2.BORDER_TRANSPARENT)


def test_corners_are_found_clockwise_from_the_left_upper_one():
    assert np.abs(find_outline(photograph()) - CORNERS).max() < 2


def test_corners_are_found_in_a_large_photograph():
    large = cv2.resize(photograph(), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert np.abs(find_outline(large) - 4 * CORNERS).max() < 8


def test_shadow_across_the_page_does_not_cut_it():
    photo = photograph(desk=70).astype(np.float32)
    photo[:, 400:] *= 0.65
    assert np.abs(find_outline(photo.astype(np.uint8)) - CORNERS).max() < 3


def test_finger_on_an_edge_does_not_matter():
    photo = photograph()
    cv2.ellipse(photo, (395, 500), (22, 40), 0, 0, 360, 120, -1)
    assert np.abs(find_outline(photo) - CORNERS).max() < 4


def test_frame_on_a_page_is_not_the_page():
    scan = np.full((600, 800), 240, np.uint8)
    cv2.rectangle(scan, (60, 60), (740, 540), 0, 3)
    assert find_outline(scan) is None


@pytest.mark.parametrize("margin", [1, 2, 4])
def test_page_that_nearly_fills_the_picture_has_nothing_around_it_to_tell_it_by(margin):
    scan = np.full((480, 640), 60, np.uint8)
    scan[margin:-margin, margin:-margin] = 220
    assert find_outline(scan) is None


@pytest.mark.parametrize(
    "photo",
    [
        np.full((600, 800), 200, np.uint8),
        cv2.circle(np.full((600, 800), 60, np.uint8), (400, 300), 250, 230, -1),
        photograph(CORNERS * 0.3),
        photograph(CORNERS + np.float32([300, 0])),
        np.full((1, 1), 7, np.uint8),
        np.tile(np.uint8([0, 255]), (1, 1500)),
        np.tile(np.uint8([[0], [255]]), (4500, 2)),
    ],
    ids=["nothing", "disc", "small", "cut off", "pixel", "wide", "high"],
)
def test_what_is_no_whole_page_is_not_taken_for_one(photo):
    assert find_outline(photo) is None
