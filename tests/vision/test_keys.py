"""A sheet of paper on a keyboard: bright letters on dark keys around dark digits on paper."""

import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

LETTERS = "QWERTZUIPASDFGHJKLYXCVNM"


def draw_keys(height, width, gray, pitch=60):
    """Keys with a letter each, uint8 [height, width]."""
    keys = np.full((height, width), gray, np.uint8)
    for row, top in enumerate(range(0, height, pitch)):
        for column, left in enumerate(range(0, width, pitch)):
            cv2.rectangle(keys, (left, top), (left + pitch, top + pitch), gray // 2, 2)
            letter = LETTERS[(7 * row + column) % len(LETTERS)]
            place = (left + pitch // 3, top + 2 * pitch // 3)
            cv2.putText(keys, letter, place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, 170, 1, cv2.LINE_AA)
    return keys


@pytest.mark.parametrize("gray", [60, 70, 90])
@pytest.mark.parametrize("share", [0.65, 0.7])
def test_digits_on_a_sheet_are_read_alone(gray, share, reader, make_paper, write):
    numbers = ["4073", "91582", "60", "371"]
    photo = draw_keys(1600, 1200, gray)
    height, width = (int(share * side) for side in photo.shape)
    sheet = make_paper(height, width, level=225)
    for row, number in enumerate(numbers):
        write(sheet, number, 50, 60 + 120 * row, height=64, hand=row)
    top, left = (1600 - height) // 2, (1200 - width) // 2
    photo[top : top + height, left : left + width] = sheet
    assert reader.read(photo).lines == numbers
