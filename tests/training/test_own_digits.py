import numpy as np
import pytest

from edge_mnist import dataset
from edge_mnist.dataset import Dataset, Examples
from edge_mnist.errors import DatasetError, TrainingError
from edge_mnist.preprocessing import normalize_digit
from edge_mnist.training.mixing import EPOCH_IMAGES, mix, save_mix
from edge_mnist.training.own_digits import OwnDigits, check_digits, load_own_digits

pytestmark = pytest.mark.train


@pytest.fixture
def collected(tmp_path, optdigits):
    """A folder with six images of each digit, and what reads it."""
    folder, pictures = tmp_path / "own", {}
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
        same = optdigits.train.images[optdigits.train.labels == digit]
        for index in range(6):
            path = folder / str(digit) / f"{index}.png"
            path.touch()
            pictures[path] = same[index]
    return folder, pictures


def load(folder, pictures):
    return load_own_digits(str(folder), pictures.__getitem__, dataset.load)


def test_folder_gives_each_image_with_its_file(collected):
    folder, pictures = collected
    own = load(folder, pictures)
    assert own.names[6] == str(folder / "1" / "0.png")
    assert own.examples.labels.tolist() == sorted(list(range(10)) * 6)


def test_what_was_collected_is_taken_as_it_is(collected):
    folder, pictures = collected
    own = load(folder, pictures)
    for name, image in zip(own.names, own.examples.images, strict=True):
        assert np.array_equal(image, pictures[type(folder)(name)])


def test_any_other_picture_is_normalized(collected):
    folder, pictures = collected
    page = np.full((90, 80), 230, np.uint8)
    page[20:70, 35:45] = 20
    pictures[folder / "1" / "0.png"] = page
    own = load(folder, pictures)
    assert np.array_equal(own.examples.images[6], normalize_digit(page).image)


def test_too_few_of_a_digit_are_named_with_counts(collected):
    folder, pictures = collected
    for index in (2, 3, 4, 5):
        (folder / "3" / f"{index}.png").unlink()
    for path in (folder / "8").iterdir():
        path.unlink()
    with pytest.raises(DatasetError) as caught:
        load(folder, pictures)
    assert str(caught.value) == (
        f"too few images in {folder}: expected at least 5 of each digit, got 2 of digit 3, "
        "0 of digit 8; collect more with edge-mnist predict --collect"
    )


def test_folders_that_name_no_digit_are_named_with_counts(collected):
    folder, pictures = collected
    (folder / "seen").mkdir()
    (folder / "seen" / "a.png").touch()  # what collecting puts there
    (folder / "notes").mkdir()
    for name, count in (("seven", 3), ("10", 1)):
        (folder / name).mkdir()
        for index in range(count):
            (folder / name / f"{index}.jpg").touch()
    (folder / "loose.png").touch()
    with pytest.raises(DatasetError) as caught:
        load(folder, pictures)
    assert str(caught.value) == (
        f"images in {folder} stand in folders that name no digit: expected sub-folders 0 to 9, "
        "got '10' (1), 'seven' (3), none (1); "
        "move them into the folders of what they are, or take them out"
    )


def test_blank_images_are_named_with_counts(collected):
    folder, pictures = collected
    for index in range(2):
        pictures[folder / "4" / f"{index}.png"] = np.full((50, 50), 200 * index, np.uint8)
    with pytest.raises(DatasetError) as caught:
        load(folder, pictures)
    names = f"{folder / '4' / '0.png'}, {folder / '4' / '1.png'}"
    assert str(caught.value) == (
        f"2 of 60 images in {folder} are blank: expected ink on paper, got {names}; take them out"
    )


def test_rejected_images_are_named_with_counts():
    names = tuple(f"5/{index}.png" for index in range(9))
    examples = Examples(np.zeros((9, 28, 28), np.uint8), np.full(9, 5, np.uint8))
    own = OwnDigits("own", names, examples)
    check_digits(own, np.zeros(9, bool))
    with pytest.raises(DatasetError) as caught:
        check_digits(own, np.arange(9) >= 2)
    assert str(caught.value) == (
        "7 of 9 images in own look like no digit: expected digits, got 5/2.png, 5/3.png, 5/4.png, "
        "5/5.png, 5/6.png and 2 more; "
        "take out those that are none, and keep the rest with --keep-rejected"
    )


def test_each_split_has_each_digit(collected):
    parts = load(*collected).split()
    assert [len(part) for part in parts] == [40, 10, 10]
    for part in parts:
        assert set(part.labels.tolist()) == set(range(10))
    images = {image.tobytes() for part in parts for image in part.images}
    assert len(images) == 60


@pytest.fixture
def old():
    """Images that tell which split they are of."""

    def make(count, level):
        return Examples(np.full((count, 28, 28), level, np.uint8), np.zeros(count, np.uint8))

    return Dataset("old", make(50_000, 1), make(100, 2), make(100, 3), "")


@pytest.mark.parametrize("replay", [0, 0.5, 0.9])
def test_share_of_old_images_is_what_was_asked_for(collected, old, replay):
    own = load(*collected)
    mixed = mix(own, old, replay, seed=0)
    is_old = (mixed.train.images == 1).all(axis=(1, 2))
    assert len(mixed.train) == EPOCH_IMAGES
    assert is_old.mean() == pytest.approx(replay, abs=1e-4)
    assert len(mixed.validation) == 110
    assert len(mixed.test) == 10
    train, _, test = own.split()
    seen = {image.tobytes() for image in mixed.train.images[~is_old]}
    assert seen == {image.tobytes() for image in train.images}
    assert not seen & {image.tobytes() for image in test.images}


@pytest.mark.parametrize("replay", [-0.1, 1.0])
def test_share_out_of_its_range_is_refused(collected, old, replay):
    with pytest.raises(TrainingError, match="replay: expected 0 up to below 1, got"):
        mix(load(*collected), old, replay, seed=0)


def test_kept_mix_loads_with_the_same_splits(collected, mnist, tmp_path):
    mixed = mix(load(*collected), mnist, 0.9, seed=3)
    split = save_mix(mixed, tmp_path / "data")
    loaded = dataset.load(str(tmp_path / "data"), validation_split=split)

    def pairs(examples):
        rows = zip(examples.images, examples.labels, strict=True)
        return sorted((image.tobytes(), int(label)) for image, label in rows)

    for name in ("train", "validation", "test"):
        assert pairs(getattr(loaded, name)) == pairs(getattr(mixed, name))
