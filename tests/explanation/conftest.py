import os

import numpy as np
import pytest

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture
def four_corners():
    """An image with a square of ink in each corner: uint8 [28, 28]."""
    image = np.zeros((28, 28), np.uint8)
    for rows in (slice(2, 8), slice(20, 26)):
        for columns in (slice(2, 8), slice(20, 26)):
            image[rows, columns] = 255
    return image
