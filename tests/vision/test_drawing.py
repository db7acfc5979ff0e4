import numpy as np
import pytest

pytest.importorskip("cv2")

from edge_mnist.vision.drawing import (
    STABLE_COLOR,
    UNSTABLE_COLOR,
    annotate,
)
from edge_mnist.vision.lettering import LIGHT, MIN_LETTER_PX, wrap, write_panel
from edge_mnist.vision.reading import FoundDigit, Number, Reading
from edge_mnist.vision.tracking import StableNumber

EVEN = np.full(10, 0.1)
SIZES = [(90, 120), (240, 320), (480, 640), (2160, 3840)]


def read(text, left=100, top=100, size=40):
    """A reading of one number whose digits stand side by side."""
    digits = (
        FoundDigit(int(digit), 0.9, (left + i * (size + 10), top, size, size), EVEN)
        for i, digit in enumerate(text)
    )
    return Reading(((Number(tuple(digits)),),))


def hold(reading):
    return [StableNumber(x.text, x.confidence, x.box, i) for i, x in enumerate(reading.numbers)]


def count(picture, color):
    return int((picture == color).all(axis=2).sum())


@pytest.fixture
def frame():
    return np.full((480, 640, 3), 200, np.uint8)


def test_frame_itself_stays_as_it_is(frame):
    drawn = annotate(frame, read("42"), hold(read("42")), status=["9 frames/s"])
    assert drawn.shape == frame.shape
    assert drawn.dtype == np.uint8
    assert (frame == 200).all()
    assert (drawn != 200).any()


def test_nothing_read_is_nothing_drawn(frame):
    assert np.array_equal(annotate(frame, Reading()), frame)


def test_gray_frame_becomes_colored(frame):
    drawn = annotate(frame[..., 0], read("42"))
    assert np.array_equal(drawn, annotate(frame, read("42")))


@pytest.mark.parametrize("background", [0, 128, 255])
def test_box_is_drawn_where_the_digit_is(background):
    drawn = annotate(np.full((480, 640, 3), background, np.uint8), read("7"))
    for y, x in [(100, 102), (139, 102), (120, 100), (120, 139)]:
        assert tuple(drawn[y, x]) == UNSTABLE_COLOR
    # Whoever sees no colours sees the box, or its outline.
    brightness = drawn[120, 90:110].mean(axis=1)
    assert np.abs(brightness - background).max() > 80


def test_stable_numbers_look_different(frame):
    unstable, reading = annotate(frame, read("42")), read("42")
    stable = annotate(frame, reading, hold(reading))
    assert count(unstable, UNSTABLE_COLOR) > 0 == count(unstable, STABLE_COLOR)
    assert count(stable, STABLE_COLOR) > 0 == count(stable, UNSTABLE_COLOR)
    # Not by their colour alone: there are a second frame and a plate.
    assert count(stable, STABLE_COLOR) > 3 * count(unstable, UNSTABLE_COLOR)


def test_only_what_is_stable_looks_so(frame):
    first, second = read("42"), read("7", top=300)
    both = Reading(first.rows + second.rows)
    drawn = annotate(frame, both, hold(first))
    assert count(drawn[:200], STABLE_COLOR) > 0 == count(drawn[:200], UNSTABLE_COLOR)
    assert count(drawn[200:], UNSTABLE_COLOR) > 0 == count(drawn[200:], STABLE_COLOR)


def test_ink_of_stable_numbers_is_not_covered(frame):
    reading = read("42")
    drawn = annotate(frame, reading, hold(reading))
    for found in reading.digits:
        x, y, width, height = found.box
        assert (drawn[y + 4 : y + height - 4, x + 4 : x + width - 4] == 200).all()


def test_stable_text_is_shown_where_this_frame_is_read_otherwise(frame):
    held = [StableNumber("421", 0.9, read("42").numbers[0].box, 0)]
    shown = [annotate(frame, Reading(), held), annotate(frame, read("42"), held)]
    plates = [picture[60:97, 100:190] for picture in shown]
    assert np.array_equal(*plates)
    assert count(plates[0], LIGHT) > 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", [(0, 0), (1, 1), (-30, -30)])
def test_numbers_at_the_border_can_be_drawn(size, place):
    x, y = (at if at >= 0 else length + at for at, length in zip(place, size[::-1], strict=True))
    reading = read("12345", x, y, size=20)
    drawn = annotate(np.zeros((*size, 3), np.uint8), reading, hold(reading))
    assert count(drawn, STABLE_COLOR) > 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("background", ["dark", "light", "noise"])
def test_text_stands_out_at_any_size_and_on_any_background(size, background):
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    frame = {"dark": noise // 16, "light": 255 - noise // 16, "noise": noise}[background]
    scale = size[0] // SIZES[0][0]
    write_panel(frame, ["0123456789"], MIN_LETTER_PX * scale)
    plate = frame[: 16 * scale, : 40 * scale].mean(axis=2)
    assert (plate > 200).mean() > 0.03, "no letters"
    assert np.median(plate) < 70, "no plate behind them"


def test_letters_grow_with_the_frame():
    heights = []
    for size in SIZES[1:]:
        drawn = annotate(np.full((*size, 3), 200, np.uint8), Reading(), status=["1 frame/s"])
        heights.append(int((drawn != 200).any(axis=(1, 2)).sum()))
    assert heights[0] >= MIN_LETTER_PX
    assert heights == sorted(heights)
    assert heights[2] == pytest.approx(heights[1] * 2160 / 480, rel=0.1)


@pytest.mark.parametrize("lines", [1, 5, 100])
@pytest.mark.parametrize("size", SIZES)
def test_text_never_takes_more_than_its_part_of_the_frame(lines, size):
    frame = np.full((*size, 3), 200, np.uint8)
    write_panel(frame, ["0123456789"] * lines, 20, is_bottom=True)
    is_covered = (frame != 200).any(axis=(1, 2))
    assert is_covered[-5]
    assert not is_covered[: size[0] // 2].any()


def test_corners_are_where_they_are_said_to_be(frame):
    write_panel(frame, ["q quit"], 14, is_right=True, is_bottom=True)
    is_covered = (frame != 200).any(axis=2)
    assert is_covered[440:, 560:].any()
    assert not is_covered[:400].any()
    assert not is_covered[:, :400].any()


def test_status_is_wrapped_where_the_frame_is_narrow():
    parts = ["29.9 frames/s", "capture 1.0 ms", "segment 2.0 ms"]
    assert wrap(parts, 10, 4000) == ["   ".join(parts)]
    assert wrap(parts, 10, 10) == parts
    assert wrap([], 10, 10) == []
