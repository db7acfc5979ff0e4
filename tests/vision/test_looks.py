import numpy as np
import pytest

pytest.importorskip("cv2")

from edge_mnist.vision.looks import NARROW, WIDENED, look_wider
from edge_mnist.vision.reading import FoundDigit, Number


def number(text, width, height=100):
    return Number(
        tuple(
            FoundDigit(int(character), 0.9, (150 * place, 0, width, height), np.full(10, 0.1))
            for place, character in enumerate(text)
        )
    )


def test_narrow_hand_is_made_wider():
    look = look_wider(((number("4073", 40), number("58", 41)),))
    assert look.stretch == pytest.approx(WIDENED / 0.405, rel=0.02)
    picture = look.take(np.zeros((300, 500), np.uint8), 500)
    assert picture.shape == (300, round(500 * look.stretch))


@pytest.mark.parametrize(
    "numbers",
    [
        (),
        (number("4073", 100 * NARROW),),
        (number("4073", 76),),
        (number("407", 40),),
        (number("11117111111", 15),),
        (number("4073", 8),),
    ],
    ids=["nothing", "just wide enough", "usual", "too few", "ones", "bars"],
)
def test_what_is_no_narrow_hand_is_left_as_it_is(numbers):
    assert look_wider((numbers,)) is None


def test_digits_of_mnist_are_no_narrow_hand(clear_digits):
    aspects = []
    for image in clear_digits.images[clear_digits.labels != 1]:
        rows, columns = np.nonzero(image >= 128)
        aspects.append((np.ptp(columns) + 1) / (np.ptp(rows) + 1))
    assert 0.65 < np.median(aspects) < 0.85
