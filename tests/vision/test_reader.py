import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.reader import Reader


class CountingClassifier:
    """Counts the images that it is asked to read; none is a digit."""

    def __init__(self):
        self.images = 0

    def predict(self, image):
        self.images += 1
        raise AssertionError("there is nothing to classify")

    def predict_batch(self, images):
        self.images += len(images)
        raise AssertionError("there is nothing to classify")


@pytest.mark.parametrize("hand", range(3))
def test_row_of_digits_is_read_in_order(hand, reader, make_paper, write, overlaps):
    page = make_paper()
    boxes = write(page, "0522185937", 40, 200, hand=hand)
    reading = reader.read(page)
    assert reading.lines == ["0522185937"]
    assert min(overlaps(reading, boxes)) > 0.6
    assert all(0.5 <= found.confidence <= 1 for found in reading.digits)
    for found in reading.digits:
        assert found.probabilities.shape == (10,)
        assert found.probabilities.argmax() == found.digit
        assert found.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize("height", [16, 24, 80, 120])
def test_small_and_large_digits_are_read(height, reader, make_paper, write, overlaps):
    page = make_paper(width=800)
    boxes = write(page, "2740", 40, 180, height=height)
    reading = reader.read(page)
    assert reading.lines == ["2740"]
    assert min(overlaps(reading, boxes)) > 0.6


def test_picture_of_one_digit_is_read(reader, make_paper, write, overlaps):
    page = make_paper(120, 130)
    boxes = write(page, "4", 30, 25, height=70)
    reading = reader.read(page)
    assert reading.lines == ["4"]
    assert min(overlaps(reading, boxes)) > 0.6


def test_gray_and_color_frames_read_the_same(reader, make_paper, write):
    page = make_paper()
    write(page, "3185", 100, 200)
    in_color = cv2.cvtColor(page, cv2.COLOR_GRAY2BGR)
    assert reader.read(page).lines == ["3185"]
    assert reader.read(in_color) == reader.read(page)


@pytest.mark.parametrize("color", [(150, 40, 30), (40, 40, 190), (60, 130, 40)])
def test_colored_ink_is_read(color, reader, make_paper, write):
    page = make_paper()
    write(page, "3185", 100, 200, level=0)
    ink = 1 - page[..., None] / page.max()
    frame = np.rint(page.max() * (1 - ink) + np.array(color) * ink).astype(np.uint8)
    assert reader.read(frame).lines == ["3185"]


def test_reading_does_not_change_the_frame(reader, make_paper, write):
    page = make_paper()
    write(page, "3185", 100, 200)
    cv2.line(page, (0, 245), (639, 245), 120, 2)
    frame = cv2.cvtColor(page, cv2.COLOR_GRAY2BGR)
    for picture in (page, frame):
        before = picture.copy()
        reader.read(picture)
        assert np.array_equal(picture, before)


def test_frame_that_cannot_be_written_to_is_read(reader, make_paper, write):
    page = make_paper()
    write(page, "3185", 100, 200)
    page.flags.writeable = False
    assert reader.read(page).lines == ["3185"]


def test_part_of_a_larger_frame_reads_like_a_copy_of_it(reader, make_paper, write):
    page = make_paper()
    write(page, "3185", 200, 200)
    frame = cv2.cvtColor(page, cv2.COLOR_GRAY2BGR)
    for part in (
        page[100:400, 150:550],
        frame[100:400, 150:550],
        frame[::-1, ::-1][80:380, 90:490],
    ):
        assert not part.flags.c_contiguous
        assert reader.read(part) == reader.read(part.copy())
    assert reader.read(page[100:400, 150:550]).lines == ["3185"]


def test_same_reader_reads_frames_of_other_sizes(reader, make_paper, write):
    for height, width in ((480, 640), (240, 320), (720, 1280), (480, 640)):
        page = make_paper(height, width)
        write(page, "2047", 60, 100)
        assert reader.read(page).lines == ["2047"]


@pytest.mark.parametrize("width", [1920, 3000, 4000])
def test_boxes_of_large_frames_are_in_their_own_pixels(width, reader, make_paper, write, overlaps):
    page = make_paper(width // 4, width)
    boxes = write(page, "2047 31", width // 3, 200, height=80)
    reading = reader.read(page)
    assert reading.lines == ["2047 31"]
    assert min(overlaps(reading, boxes)) > 0.6


def test_number_has_the_box_around_its_digits(reader, make_paper, write):
    page = make_paper()
    boxes = write(page, "2047", 100, 200)
    (number,) = reader.read(page).numbers
    right = boxes[-1][0] + boxes[-1][2]
    x, y, w, h = number.box
    assert np.abs(np.array([x, y, x + w, y + h]) - (boxes[0][0], 200, right, 240)).max() <= 3
    assert number.confidence == min(found.confidence for found in number.digits)


def test_time_is_told_by_stage(reader, make_paper, write):
    page = make_paper()
    write(page, "2047", 100, 200)
    ms = reader.read(page).ms
    assert list(ms) == ["segment", "classify"]
    assert min(ms.values()) > 0


@pytest.mark.parametrize("level", [0, 1, 60, 128, 254, 255])
@pytest.mark.parametrize("shape", [(480, 640), (480, 640, 3), (1, 1), (1, 1, 3), (1, 50), (50, 2)])
def test_blank_frame_holds_nothing_and_costs_no_classification(shape, level):
    classifier = CountingClassifier()
    reading = Reader(classifier).read(np.full(shape, level, np.uint8))
    assert (reading.lines, reading.digits, reading.numbers) == ([], [], [])
    assert classifier.images == 0
    assert reading.ms["classify"] == 0


@pytest.mark.parametrize("noise", [1, 4, 10, 25])
@pytest.mark.parametrize("level", [30, 128, 230])
def test_noise_holds_nothing_and_costs_no_classification(level, noise, make_paper):
    classifier = CountingClassifier()
    assert Reader(classifier).read(make_paper(level=level, noise=noise)).lines == []
    assert classifier.images == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1, 3), (2, 9000), (20_000, 1)])
def test_thin_pictures_hold_nothing(shape, reader):
    frame = np.random.default_rng(7).integers(0, 256, shape, np.uint8)
    assert reader.read(frame, careful=True).rows == ()
    assert len(reader.show_stages(frame)) == 4


def test_shading_alone_holds_nothing_and_costs_no_classification(make_paper):
    classifier = CountingClassifier()
    light = np.interp(np.arange(640), [0, 640], [0.35, 1.1])
    page = np.clip(make_paper() * light, 0, 255).astype(np.uint8)
    assert Reader(classifier).read(page).lines == []
    assert classifier.images == 0


@pytest.mark.parametrize("shape", [(480, 640), (3, 7), (40, 40, 3)])
def test_random_pixels_hold_nothing(shape, reader):
    frame = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert reader.read(frame).lines == []


@pytest.mark.parametrize(
    ("frame", "got"),
    [
        (np.zeros((480, 640), np.float32), r"float32 \[480, 640\]"),
        (np.zeros((480, 640, 3), np.uint16), r"uint16 \[480, 640, 3\]"),
        (np.zeros((480, 640, 4), np.uint8), r"uint8 \[480, 640, 4\]"),
        (np.zeros((480, 640, 1), np.uint8), r"uint8 \[480, 640, 1\]"),
        (np.zeros((2, 480, 640, 3), np.uint8), r"uint8 \[2, 480, 640, 3\]"),
        (np.zeros(640, np.uint8), r"uint8 \[640\]"),
        (np.zeros((0, 640), np.uint8), r"uint8 \[0, 640\]"),
        (np.zeros((480, 0, 3), np.uint8), r"uint8 \[480, 0, 3\]"),
        ([[0, 255]], "list"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_frame_is_refused(frame, got):
    expected = r"uint8 \[height, width, 3\] or \[height, width\], at least one pixel"
    with pytest.raises(
        InvalidInputError, match=rf"^cannot read the frame: expected {expected}, got {got}$"
    ):
        Reader(CountingClassifier()).read(frame)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_confidence_that_is_no_share_is_refused(share):
    with pytest.raises(
        InvalidInputError, match=rf"^minimum confidence: expected 0 to 1, got {share}$"
    ):
        Reader(CountingClassifier(), min_confidence=share)


def test_digits_of_which_the_model_is_less_sure_are_left_out(classifier, make_paper, write):
    page = make_paper()
    write(page, "204735", 60, 200)
    digits = Reader(classifier, min_confidence=0).read(page).digits
    limit = sorted(found.confidence for found in digits)[2]
    kept = Reader(classifier, min_confidence=limit).read(page).digits
    assert kept == [found for found in digits if found.confidence >= limit]
    assert 0 < len(kept) < len(digits)


@pytest.mark.parametrize("gap", [-0.1, -0.15])
def test_digits_that_run_into_one_another_are_read_as_a_whole(
    gap, reader, make_paper, write, monkeypatch
):
    """No cut gives each what is its own: where none is read as a whole, fewer are right."""

    def count_right():
        right = 0
        for hand in range(12):
            page = make_paper()
            text = ("35826", "40937", "28365", "90463")[hand % 4]
            write(page, text, 100, 200, hand=hand, gap=gap)
            right += reader.read(page).lines == [text]
        return right

    with_wholes = count_right()
    monkeypatch.setattr("edge_mnist.vision.ink_reader.choose_text", lambda *_: (None, 1.0))
    assert with_wholes >= max(7, count_right() + 2)


def test_number_is_no_surer_than_it_is_as_a_whole(reader, make_paper, write, monkeypatch):
    page = make_paper()
    write(page, "204735", 60, 200)
    monkeypatch.setattr("edge_mnist.vision.ink_reader.is_unsure", lambda *_: True)
    monkeypatch.setattr("edge_mnist.vision.ink_reader.choose_text", lambda *_: (None, 0.3))
    (number,) = reader.read(page).numbers
    assert number.confidence == 0.3
    assert min(found.confidence for found in number.digits) >= 0.5


def test_number_that_leaves_no_doubt_is_as_sure_as_its_digits(reader, make_paper, write):
    page = make_paper()
    write(page, "204735", 60, 200)
    (number,) = reader.read(page).numbers
    assert number.confidence == min(found.confidence for found in number.digits)


@pytest.mark.parametrize("height", [80, 110])
def test_faint_digits_are_read_in_low_light(height, reader, make_paper, write):
    """Which is the limit of what can be read: of four hands one may be too faint."""
    lines = []
    for hand in range(4):
        page = make_paper(level=85, noise=0)
        write(page, "4825", 60, 150, height=height, level=72, hand=hand)
        noise = np.random.default_rng(hand).normal(0, 7, page.shape)
        dim = np.clip(np.rint(cv2.GaussianBlur(page, (0, 0), 3) + noise), 0, 255).astype(np.uint8)
        lines += reader.read(dim).lines
    assert lines.count("4825") >= 3
    assert len(lines) == 4


@pytest.mark.parametrize("hand", [1, 2])
@pytest.mark.parametrize("height", [36, 48, 60, 72])
def test_digits_that_thin_bright_lines_cross_are_read(height, hand, reader, make_paper, write):
    page = make_paper()
    write(page, "4825", 100, 200, height=height, hand=hand)
    for row in range(190, 290, 20):
        page[row : row + 2] = 215
    assert reader.read(page).lines == ["4825"]


@pytest.mark.parametrize("hand", range(3))
def test_clean_page_is_looked_at_once(hand, classifier, make_paper, write):
    batches = []

    class Counting:
        def predict_batch(self, images):
            batches.append(len(images))
            return classifier.predict_batch(images)

    page = make_paper()
    write(page, "0522185937", 40, 200, hand=hand)
    assert Reader(Counting()).read(page).lines == ["0522185937"]
    # Others hold parts of what may be two digits that touch.
    assert batches.count(10) == 1
