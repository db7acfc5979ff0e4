from dataclasses import replace

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")

from edge_mnist.errors import InvalidInputError  # noqa: E402 - needs cv2
from edge_mnist.vision.collecting import (  # noqa: E402
    MAX_DUPLICATE_BITS,
    Collector,
    hash_crop,
    name_source,
)
from edge_mnist.vision.frames import Frame  # noqa: E402
from edge_mnist.vision.image_file import read_image  # noqa: E402
from edge_mnist.vision.live_collecting import LiveCollector  # noqa: E402
from edge_mnist.vision.live_numbers import LiveNumberReader  # noqa: E402
from edge_mnist.vision.reader import Reader  # noqa: E402
from edge_mnist.vision.webcam import WebcamConfig  # noqa: E402


def count_crops(folder):
    return {
        path.name: len(list(path.glob("*.png"))) for path in folder.iterdir() if path.name != "seen"
    }


@pytest.fixture
def page(make_paper, write):
    page = make_paper()
    return page, write(page, "3074", 100, 150, height=60)


@pytest.fixture
def collect(classifier, tmp_path):
    """Return a function that reads a page and collects what is read."""

    def collect(picture, name="page"):
        collector = Collector(tmp_path / "own")
        reading = Reader(collector.watch(classifier)).read(picture)
        collector.take(picture, name, reading.numbers)
        return collector

    return collect


def test_each_digit_goes_into_the_folder_of_what_was_read(page, collect, tmp_path):
    picture, boxes = page
    collector = collect(picture)
    assert (collector.saved, collector.skipped) == (4, 0)
    assert count_crops(tmp_path / "own") == {"0": 1, "3": 1, "4": 1, "7": 1}
    file = next((tmp_path / "own" / "3").iterdir())
    stem, left, top = file.stem.split("-")
    assert stem == "page"
    assert abs(int(left[1:]) - boxes[0][0]) <= 2
    assert abs(int(top[1:]) - boxes[0][1]) <= 2


def test_crop_is_what_the_model_read(page, collect, classifier, tmp_path):
    collect(page[0])
    for path in (tmp_path / "own").glob("[0-9]/*.png"):
        crop = read_image(path)
        assert crop.shape == (28, 28)
        assert crop[0].max() == 0  # paper is black
        prediction = classifier.predict(crop)
        assert prediction.digit == int(path.parent.name)
        assert prediction.confidence > 0.9


def test_what_it_looked_like_stands_beside(page, collect, tmp_path):
    collect(page[0])
    for path in (tmp_path / "own").glob("[0-9]/*.png"):
        seen = read_image(tmp_path / "own" / "seen" / path.name)
        height, width = seen.shape
        assert height > 100  # the digit is 60 high
        _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(page[0], seen, cv2.TM_SQDIFF))
        assert np.array_equal(page[0][y : y + height, x : x + width], seen)


def test_same_page_again_adds_nothing(page, collect, tmp_path):
    collect(page[0])
    again = collect(page[0], name="copy")
    assert (again.saved, again.skipped) == (0, 4)
    assert again.summarize().endswith("own, 4 like others left out")


def test_what_was_moved_where_it_belongs_is_known_there(page, collect, tmp_path):
    collect(page[0])
    folder = tmp_path / "own"
    moved = next((folder / "7").iterdir())
    (folder / "1").mkdir()
    moved.rename(folder / "1" / moved.name)
    assert collect(page[0]).saved == 0


def test_same_name_with_another_digit_gets_a_number(make_paper, write, collect, tmp_path):
    for hand in (0, 3):
        page = make_paper()
        write(page, "88888", 100, 150, height=60, hand=hand)
        collect(page)
    names = sorted(path.name for path in (tmp_path / "own" / "8").iterdir())
    assert len(names) == len(set(names)) >= 6


def test_hash_changes_little_with_noise_and_much_with_the_digit(clear_digits):
    rng = np.random.default_rng(0)
    images = clear_digits.images[:50]
    noisy = np.clip(images + rng.normal(0, 2, images.shape), 0, 255).astype(np.uint8)
    near = [(hash_crop(a) ^ hash_crop(b)).bit_count() for a, b in zip(images, noisy, strict=True)]
    zero, one = (images[clear_digits.labels[:50] == digit][0] for digit in (0, 1))
    assert np.median(near) <= MAX_DUPLICATE_BITS
    assert (hash_crop(zero) ^ hash_crop(one)).bit_count() > 3 * MAX_DUPLICATE_BITS


@pytest.mark.parametrize(
    ("name", "frame", "expected"),
    [
        ("scans/page 1.jpg", None, "page-1"),
        ("clip.mp4", 12, "clip-000012"),
        ("camera 0", 3, "camera-0-000003"),
        ("rtsp://cam.local/live?token=secret", None, "live"),
        ("???", None, "digit"),
    ],
)
def test_names_say_where_a_digit_is_from(name, frame, expected):
    assert name_source(name, frame) == expected


def test_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "own").write_text("")
    with pytest.raises(InvalidInputError, match=r"--collect .*own: expected a folder, got File"):
        Collector(tmp_path / "own")


def test_fields_are_not_collected(tmp_path):
    with pytest.raises(InvalidInputError, match="--collect: expected no --fields beside it"):
        WebcamConfig(form=object(), collect=tmp_path)


@pytest.fixture
def live(classifier, tmp_path):
    """Return a function that takes pictures as frames, and the collector and what it said."""

    def see(pictures, is_still=False):
        said = []
        collector = LiveCollector(tmp_path / "own", said.append)
        reader = LiveNumberReader("micro", 0.5, lambda name: collector.watch(classifier))
        for index, picture in enumerate(pictures):
            read = reader.read(picture, is_still=is_still)
            collector.see(Frame(picture, index, index / 10, "clip.mp4"), read, is_still=is_still)
        collector.say_summary()
        return collector, said

    return see


def test_number_that_holds_is_collected_once(page, live, tmp_path):
    collector, said = live([page[0]] * 12)
    assert count_crops(tmp_path / "own") == {"0": 1, "3": 1, "4": 1, "7": 1}
    assert said == [f"collected 4 digits in {tmp_path / 'own'}"]
    assert collector.was_complete


def test_number_that_flashes_by_is_not(page, make_paper, live, tmp_path):
    live([page[0], *[make_paper()] * 11])
    assert count_crops(tmp_path / "own") == {}


def test_still_picture_holds_at_once(page, live, tmp_path):
    live([page[0]], is_still=True)
    assert sum(count_crops(tmp_path / "own").values()) == 4


def test_full_disk_is_told_once_and_all_else_goes_on(page, live, tmp_path, monkeypatch):
    def fail(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge_mnist.vision.collecting.write_atomically", fail)
    collector, said = live([page[0]] * 12)
    assert not collector.was_complete
    assert len(said) == 2
    assert said[0].endswith("got No space left on device; no more digits are collected")


def test_boxes_at_the_edge_are_cut_where_the_picture_ends(page, collect, classifier, tmp_path):
    picture, _ = page
    collector = Collector(tmp_path / "edge")
    found = Reader(collector.watch(classifier)).read(picture).digits[0]
    at_edge = replace(found, box=(0, 0, 30, 40))
    collector.add(picture, "edge", at_edge, np.zeros((28, 28), np.uint8))
    assert read_image(tmp_path / "edge" / "seen" / "edge-x0-y0.png").shape == (60, 50)
