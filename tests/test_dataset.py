import gzip
import hashlib
import shutil
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from edge_mnist import dataset, idx, mnist_files
from edge_mnist.bench.drawn_digits import draw_digit, enlarge
from edge_mnist.errors import DatasetError, InvalidInputError, MissingDependencyError
from edge_mnist.model_store import shipped_models
from edge_mnist.preprocessing import normalize_digit

NAMES = list(mnist_files.MNIST_SHA256)
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = NAMES


def make_idx(array):
    """Return an array of bytes as an IDX file."""
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + shape + array.astype(np.uint8).tobytes()


def draw_images(count):
    """Return images that carry their own number in their first two pixels."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(count) // 256, np.arange(count) % 256
    return images


def numbers_of(examples):
    return (examples.images[:, 0, 0].astype(int) * 256 + examples.images[:, 0, 1]).tolist()


def write_files(folder, contents, suffix=""):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        packed = gzip.compress(content) if suffix == ".gz" else content
        (folder / f"{name}{suffix}").write_bytes(packed)
    return folder


@pytest.fixture
def tiny_mnist(monkeypatch, tmp_path):
    """Put 60 and 12 images in MNIST's place, on no machine and no mirror; give the four files."""
    contents = {
        TRAIN_IMAGES: make_idx(draw_images(60)),
        TRAIN_LABELS: make_idx(np.arange(60) % 10),
        TEST_IMAGES: make_idx(draw_images(72)[60:]),
        TEST_LABELS: make_idx(np.arange(12) % 10),
    }
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(mnist_files, "MNIST_SHA256", hashes)
    monkeypatch.setattr(mnist_files, "cache_dir", lambda: tmp_path / "cache" / "mnist")
    monkeypatch.setattr(mnist_files, "MIRRORS", ())
    monkeypatch.delenv(mnist_files.DATA_ENV, raising=False)
    return contents


# IDX files


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (2, 1, 3, 2), (0, 28, 28)])
def test_idx_files_are_read_packed_or_not(tmp_path, shape, suffix):
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    folder = write_files(tmp_path, {"name": make_idx(array)}, suffix)
    read = idx.read_idx(folder / f"name{suffix}")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array, strict=True)


GOOD = make_idx(np.arange(24).reshape(2, 3, 4))
PACKED = gzip.compress(GOOD)
NOT_IDX = "is not an IDX file of bytes: expected a header that starts with 00 00 08, got "


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x", b"", f"{NOT_IDX}an empty file"),
        ("x", b"\0\0\x08", f"{NOT_IDX}00 00 08"),
        ("x", b"<html>", f"{NOT_IDX}3c 68 74 6d"),
        ("x", b"\0\0\x0d" + GOOD[3:], f"{NOT_IDX}00 00 0d 03"),
        ("x", PACKED, f"{NOT_IDX}1f 8b 08 00"),
        ("x", GOOD[:4], "is truncated or damaged: "),
        ("x", GOOD[:6], "is truncated or damaged: "),
        (
            "x",
            GOOD[:-1],
            "is truncated or damaged: expected [2, 3, 4] bytes after the header, got 23",
        ),
        (
            "x",
            GOOD + b"\0",
            "is truncated or damaged: expected [2, 3, 4] bytes after the header, got 25",
        ),
        ("x", b"\0\0\x08\x04" + b"\0\1\0\0" * 4, "is truncated or damaged: "),
        ("x", b"\0\0\x08\x46" + b"\0\0\0\1" * 70 + b"\0", "is truncated or damaged: "),
        ("x.gz", GOOD, "got Not a gzipped file"),
        ("x.gz", PACKED[:-9], "got Compressed file ended"),
        ("x.gz", PACKED[:-8] + b"\0" * 8, "got CRC check failed"),
        ("x.gz", PACKED[:10] + b"\xff" * 40, "got Error -3 while decompressing"),
    ],
    ids=[
        *("empty", "short", "html", "floats", "packed", "no shape", "half a shape", "short by 1"),
        *(
            "long by 1",
            "overflow",
            "70 axes",
            "not packed",
            "packed short",
            "bad sum",
            "bad stream",
        ),
    ],
)
def test_broken_idx_file_is_named(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DatasetError) as error:
        idx.read_idx(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert str(error.value).endswith(f"; delete {path} and get it again")


def test_missing_idx_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"^cannot read .*nothing: got .*No such file"):
        idx.read_idx(tmp_path / "nothing")


def test_idx_file_with_another_hash_is_refused(tmp_path):
    path = write_files(tmp_path, {"x": GOOD}) / "x"
    other, own = (hashlib.sha256(content).hexdigest() for content in (b"other", GOOD))
    assert idx.read_idx(path, sha256=own).shape == (2, 3, 4)
    with pytest.raises(DatasetError) as error:
        idx.read_idx(path, sha256=other)
    assert str(error.value) == (
        f"{path} is not the file that its name says: expected SHA-256 {other[:12]}…, "
        f"got {own[:12]}…; delete {path} and get it again"
    )


# Where MNIST is looked for


@pytest.mark.skipif(sys.platform != "linux", reason="XDG is Linux's")
def test_cache_is_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert mnist_files.cache_dir() == tmp_path / "edge-mnist" / "mnist"


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("place", ["environment", "cache"])
def test_mnist_is_found_on_this_machine(tiny_mnist, monkeypatch, tmp_path, place, suffix):
    if place == "environment":
        folder = tmp_path / "mine"
        monkeypatch.setenv(mnist_files.DATA_ENV, str(folder))
    else:
        folder = mnist_files.cache_dir()
        monkeypatch.setenv(mnist_files.DATA_ENV, str(tmp_path))  # which holds none of the files
    write_files(folder, tiny_mnist, suffix)
    loaded = dataset.load("mnist")
    assert (len(loaded.train), len(loaded.validation), len(loaded.test)) == (55, 5, 12)
    for name in NAMES:
        assert mnist_files.locate_mnist(name) == folder / f"{name}{suffix}"


def test_environment_comes_before_the_cache(tiny_mnist, monkeypatch, tmp_path):
    monkeypatch.setenv(mnist_files.DATA_ENV, str(write_files(tmp_path / "mine", tiny_mnist)))
    write_files(mnist_files.cache_dir(), dict.fromkeys(NAMES, b"broken"))
    assert len(dataset.load("mnist").test) == 12


def test_broken_file_is_an_error_even_if_the_cache_has_a_good_one(
    tiny_mnist, monkeypatch, tmp_path
):
    folder = write_files(tmp_path / "mine", tiny_mnist)
    monkeypatch.setenv(mnist_files.DATA_ENV, str(folder))
    write_files(mnist_files.cache_dir(), tiny_mnist)
    write_files(folder, {TEST_IMAGES: tiny_mnist[TEST_IMAGES][:-1]})
    for use in (lambda: dataset.load("mnist"), lambda: mnist_files.locate_mnist(TEST_IMAGES)):
        with pytest.raises(DatasetError) as error:
            use()
        assert str(folder / TEST_IMAGES) in str(error.value)


def test_good_file_under_anothers_name_is_refused(mnist, monkeypatch, tmp_path):
    for name in NAMES:
        found = mnist_files.locate_mnist(name)
        shutil.copy(found, tmp_path / f"{name}{found.suffix}")
    monkeypatch.setenv(mnist_files.DATA_ENV, str(tmp_path))
    assert dataset.load("mnist").sha256 == mnist.sha256
    (labels,) = tmp_path.glob(f"{TRAIN_LABELS}*")
    (others,) = tmp_path.glob(f"{TEST_LABELS}*")
    shutil.copy(others, labels)
    with pytest.raises(DatasetError) as error:
        dataset.load("mnist")
    assert str(error.value).startswith(f"{labels} is not the file that its name says: ")


def test_file_that_is_nowhere_is_not_located(tiny_mnist):
    assert mnist_files.locate_mnist(TRAIN_IMAGES) is None


# Downloads


class Mirrors(ThreadingHTTPServer):
    """A server whose first path segment says how it misbehaves."""

    daemon_threads = True

    def __init__(self, contents):
        super().__init__(("127.0.0.1", 0), MirrorHandler)
        self.contents, self.requests = contents, []

    def url(self, manner):
        return f"http://127.0.0.1:{self.server_port}/{manner}/"


class MirrorHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        _, manner, name = self.path.split("/")
        self.server.requests.append((manner, name))
        content = self.server.contents[name.removesuffix(".gz")]
        packed = gzip.compress(content, compresslevel=1, mtime=1)
        self.close_connection = True
        if manner == "missing":
            self.send_error(404)
        elif manner == "failing":
            self.send_error(503)
        elif manner == "not-http":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        elif manner == "portal":
            self.answer(b"<html>Please log in to this network</html>")
        elif manner == "short":
            self.answer(packed[:-20])
        elif manner == "interrupted":
            self.answer(packed[:-20], length=len(packed))
        elif manner == "interrupted-chunk":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"ffff\r\n" + packed[:20])
        elif manner == "swapped":
            self.answer(
                gzip.compress(next(c for c in self.server.contents.values() if c != content))
            )
        elif manner == "unsized":
            self.answer(packed, length=None)
        else:
            self.answer(packed)

    def answer(self, body, length=0):
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def mirrors(tiny_mnist, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    with Mirrors(tiny_mnist) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def cached_files():
    return sorted(p.name for p in mnist_files.cache_dir().rglob("*"))


BROKEN = [
    *("missing", "failing", "not-http", "portal", "short"),
    *("interrupted", "interrupted-chunk", "swapped"),
]


@pytest.mark.parametrize("manner", BROKEN)
def test_second_mirror_is_used_when_the_first_is_broken(mirrors, monkeypatch, manner):
    monkeypatch.setattr(mnist_files, "MIRRORS", (mirrors.url(manner), mirrors.url("good")))
    loaded = dataset.load("mnist")
    assert numbers_of(loaded.test) == list(range(60, 72))
    assert mirrors.requests == [(m, f"{name}.gz") for name in NAMES for m in (manner, "good")]
    assert cached_files() == sorted(f"{name}.gz" for name in NAMES)


def test_download_happens_once(mirrors, monkeypatch):
    monkeypatch.setattr(mnist_files, "MIRRORS", (mirrors.url("good"), mirrors.url("missing")))
    first = dataset.load("mnist")
    assert mirrors.requests == [("good", f"{name}.gz") for name in NAMES]
    assert dataset.load("mnist").sha256 == first.sha256
    assert len(mirrors.requests) == 4


@pytest.mark.parametrize("manner", [*BROKEN, "unreachable"])
def test_failed_download_tells_the_ways_out_and_leaves_nothing(mirrors, monkeypatch, manner):
    urls = (mirrors.url(manner), mirrors.url("missing"))
    if manner == "unreachable":
        urls = ("http://127.0.0.1:9/", urls[1])
    monkeypatch.setattr(mnist_files, "MIRRORS", urls)
    with pytest.raises(DatasetError) as error:
        dataset.load("mnist")
    message = str(error.value)
    assert message.startswith(f"cannot download MNIST's {TRAIN_IMAGES}: got {urls[0]}")
    assert f" and {urls[1]}{TRAIN_IMAGES}.gz: Not Found; three ways out: " in message
    assert "connect to the network" in message
    assert "set EDGE_MNIST_DATA to it" in message
    assert "--data optdigits" in message
    assert cached_files() == []


def test_interrupted_write_leaves_nothing_in_the_cache(mirrors, monkeypatch):
    monkeypatch.setattr(mnist_files, "MIRRORS", (mirrors.url("good"),))

    def interrupt(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr("edge_mnist.files.os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        dataset.load("mnist")
    assert cached_files() == []


def test_cache_that_cannot_be_written_is_named(mirrors, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(mnist_files, "cache_dir", lambda: tmp_path / "file" / "mnist")
    monkeypatch.setattr(mnist_files, "MIRRORS", (mirrors.url("good"),))
    with pytest.raises(DatasetError) as error:
        dataset.load("mnist")
    assert str(tmp_path / "file" / "mnist") in str(error.value)
    assert mnist_files.DATA_ENV in str(error.value)


@pytest.mark.parametrize("manner", ["good", "unsized"])
def test_progress_is_told(mirrors, monkeypatch, manner):
    monkeypatch.setattr(mnist_files, "MIRRORS", (mirrors.url(manner),))
    monkeypatch.setattr(mnist_files, "DOWNLOAD_CHUNK_BYTES", 50)
    told = []
    dataset.load("mnist", progress=lambda *step: told.append(step))
    for name in NAMES:
        size = (mnist_files.cache_dir() / f"{name}.gz").stat().st_size
        steps = [(done, total) for what, done, total in told if what == name]
        assert [done for done, _ in steps] == [*range(50, size, 50), size]
        assert {total for _, total in steps} == {size if manner == "good" else None}


# Splits


def test_mnist_is_split_in_three_that_make_up_the_whole(mnist):
    assert (len(mnist.train), len(mnist.validation), len(mnist.test)) == (55_000, 5_000, 10_000)
    arrays = {name: idx.read_idx(mnist_files.locate_mnist(name)) for name in NAMES}
    assert np.array_equal(mnist.test.images, arrays[TEST_IMAGES])
    assert np.array_equal(mnist.test.labels, arrays[TEST_LABELS])
    # The documented seed, drawn anew.
    held_out = np.zeros(60_000, bool)
    held_out[np.random.default_rng(20_201).permutation(60_000)[:5_000]] = True
    for part, indices in ((mnist.validation, held_out), (mnist.train, ~held_out)):
        assert np.array_equal(part.images, arrays[TRAIN_IMAGES][indices])
        assert np.array_equal(part.labels, arrays[TRAIN_LABELS][indices])


def test_mnists_hash_is_that_of_its_pixels_and_labels(mnist):
    whole = hashlib.sha256()
    for name in NAMES:
        whole.update(idx.read_idx(mnist_files.locate_mnist(name)).tobytes())
    assert mnist.sha256 == whole.hexdigest()
    for model in shipped_models():
        assert model.card.data == {"name": "mnist", "sha256": mnist.sha256}


@pytest.mark.parametrize(("share", "count"), [(1 / 12, 5), (0.25, 15), (0.5, 30), (0.99, 59)])
def test_validation_split_is_taken_from_the_training_images_alone(tiny_mnist, share, count):
    write_files(mnist_files.cache_dir(), tiny_mnist)
    loaded = dataset.load("mnist", validation_split=share)
    train, validation = numbers_of(loaded.train), numbers_of(loaded.validation)
    assert len(validation) == count
    assert not set(train) & set(validation)
    assert sorted(train + validation) == list(range(60))
    assert numbers_of(loaded.test) == list(range(60, 72))
    for part in (loaded.train, loaded.validation, loaded.test):
        assert np.array_equal(part.labels, np.array(numbers_of(part)) % 60 % 10)


def test_splits_are_the_same_on_every_load(tiny_mnist):
    write_files(mnist_files.cache_dir(), tiny_mnist)
    first = dataset.load("mnist")
    np.random.seed(3)  # noqa: NPY002 - what another library may have done
    second = dataset.load("mnist")
    assert numbers_of(second.validation) == numbers_of(first.validation)
    assert numbers_of(second.train) == numbers_of(first.train)
    assert numbers_of(first.validation) != sorted(range(60))[:5]


def test_split_depends_on_nothing_but_the_number_of_images(tiny_mnist, tmp_path):
    write_files(mnist_files.cache_dir(), tiny_mnist)
    folder = write_files(tmp_path / "folder", {TRAIN_IMAGES: tiny_mnist[TRAIN_IMAGES]})
    write_files(folder, {TRAIN_LABELS: make_idx(np.zeros(60))})
    of_mnist, of_folder = dataset.load("mnist"), dataset.load(str(folder))
    assert numbers_of(of_mnist.validation) == numbers_of(of_folder.validation)


def test_dataset_without_test_and_everything(tiny_mnist):
    write_files(mnist_files.cache_dir(), tiny_mnist)
    loaded = dataset.load("mnist")
    blind = loaded.without_test()
    assert blind.test is None
    assert (blind.train, blind.validation) == (loaded.train, loaded.validation)
    assert sorted(numbers_of(loaded.everything())) == list(range(72))
    assert sorted(numbers_of(blind.everything())) == list(range(60))
    whole = loaded.everything()
    assert np.array_equal(whole.labels, np.array(numbers_of(whole)) % 60 % 10)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_validation_split_out_of_range_is_refused(share):
    with pytest.raises(InvalidInputError) as error:
        dataset.load("mnist", validation_split=share)
    assert str(error.value) == f"validation split: expected above 0 and below 1, got {share}"


# optdigits


def test_optdigits_are_the_1797_that_scikit_learn_carries():
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    loaded, again = dataset.load("optdigits"), dataset.load("optdigits", validation_split=0.5)
    # A fifth is the test set, whatever is asked for as validation.
    assert len(loaded.test) == 359
    assert np.array_equal(loaded.test.images, again.test.images)
    assert (len(loaded.train), len(loaded.validation)) == (1438 - 120, 120)
    assert (len(again.train), len(again.validation)) == (719, 719)
    whole = loaded.everything()
    assert whole.images.shape == (1797, 28, 28)
    counts = np.bincount(sklearn_datasets.load_digits().target)
    assert np.array_equal(np.bincount(whole.labels), counts)
    assert (whole.images.max(axis=(1, 2)) == 255).all()


def test_optdigits_without_scikit_learn_tells_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingDependencyError) as error:
        dataset.load("optdigits")
    assert str(error.value) == (
        "--data optdigits needs scikit-learn; pip install 'edge-mnist[train]'"
    )


# Folders


@pytest.mark.parametrize("spelling", ["-idx", ".idx"])
@pytest.mark.parametrize("has_test", [True, False])
def test_folder_of_idx_files(tiny_mnist, tmp_path, spelling, has_test):
    contents = {
        name.replace("-idx", spelling): content
        for name, content in tiny_mnist.items()
        if has_test or name.startswith("train")
    }
    loaded = dataset.load(str(write_files(tmp_path / "mine", contents, ".gz")))
    assert loaded.name == str(tmp_path / "mine")
    assert sorted(numbers_of(loaded.train) + numbers_of(loaded.validation)) == list(range(60))
    if has_test:
        assert numbers_of(loaded.test) == list(range(60, 72))
    else:
        assert loaded.test is None


@pytest.fixture
def image_folder(tmp_path):
    """Make a folder of 40 images, which are text files that tell what to draw."""
    for number in range(40):
        path = tmp_path / "images" / str(number % 10) / f"{number}.PNG"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
    (tmp_path / "images" / "0" / "notes.txt").write_text("no image")
    (tmp_path / "images" / "other").mkdir()
    return tmp_path / "images"


def draw_bar(path):
    """Read an image of `image_folder`: a bar as high as its number, 5 px wide."""
    picture = np.zeros((60, 60), np.uint8)
    picture[: int(path.read_text()) + 10, 20:25] = 255
    return picture


def test_folder_of_images(image_folder):
    loaded = dataset.load(str(image_folder), validation_split=0.25, read_image=draw_bar)
    assert (len(loaded.train), len(loaded.validation), len(loaded.test)) == (24, 8, 8)
    assert np.bincount(loaded.everything().labels).tolist() == [4] * 10
    heights = [image.any(axis=1).sum() for image in loaded.everything().images]
    assert set(heights) == {20}
    again = dataset.load(str(image_folder), validation_split=0.5, read_image=draw_bar)
    assert np.array_equal(again.test.images, loaded.test.images)
    assert np.array_equal(again.test.labels, loaded.test.labels)


def test_collected_digits_are_measured_on_as_they_are(image_folder):
    digit = normalize_digit(enlarge(draw_digit(2))).image
    loaded = dataset.load(str(image_folder), read_image=lambda path: digit)
    assert (loaded.everything().images == digit).all()


def test_folder_of_images_needs_a_reader(image_folder):
    with pytest.raises(InvalidInputError, match=r"expected an image reader, got none$"):
        dataset.load(str(image_folder))


def test_blank_image_is_named(image_folder):
    blank = image_folder / "3" / "13.PNG"
    with pytest.raises(DatasetError) as error:
        dataset.load(
            str(image_folder),
            read_image=lambda path: draw_bar(path) * np.uint8(path != blank),
        )
    assert str(error.value) == f"no digit in {blank}: expected ink on paper, got a blank picture"


def test_folder_without_image_files(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "seven.txt").touch()
    with pytest.raises(DatasetError, match=r"^no images in .* in sub-folders 0 to 9, got none$"):
        dataset.load(str(tmp_path), read_image=draw_bar)


@pytest.mark.parametrize(
    ("name", "got"),
    [
        ("nothing", "got nothing of that name"),
        ("file", "got a file"),
        ("empty", "expected train-images-idx3-ubyte and train-labels-idx1-ubyte"),
        ("empty", "got an empty folder"),
        ("texts", "got a.txt, b.txt"),
    ],
)
def test_folder_without_digits_is_named(tmp_path, name, got):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    write_files(tmp_path / "texts", {"a.txt": b"", "b.txt": b""})
    with pytest.raises(DatasetError) as error:
        dataset.load(str(tmp_path / name))
    assert str(tmp_path / name) in str(error.value)
    assert got in str(error.value)


@pytest.mark.parametrize(
    ("images", "labels", "named", "message"),
    [
        ((9, 32, 32), np.zeros(9), TRAIN_IMAGES, "expected [N, 28, 28], got "),
        ((9, 784), np.zeros(9), TRAIN_IMAGES, "expected [N, 28, 28], got "),
        ((9, 28, 28), np.zeros(8), TRAIN_LABELS, "expected 9 labels, at least one, got [8]"),
        ((0, 28, 28), np.zeros(0), TRAIN_LABELS, "expected 0 labels, at least one, got [0]"),
        ((9, 28, 28), np.full(9, 10), TRAIN_LABELS, "expected 0 to 9, got up to 10"),
    ],
)
def test_idx_files_that_hold_something_else_are_named(tmp_path, images, labels, named, message):
    contents = {TRAIN_IMAGES: make_idx(np.zeros(images)), TRAIN_LABELS: make_idx(labels)}
    with pytest.raises(DatasetError) as error:
        dataset.load(str(write_files(tmp_path, contents)))
    assert str(error.value).startswith(str(Path(tmp_path) / named))
    assert message in str(error.value)


def test_too_few_images_to_split(tmp_path):
    contents = {TRAIN_IMAGES: make_idx(np.zeros((3, 28, 28))), TRAIN_LABELS: make_idx(np.zeros(3))}
    with pytest.raises(DatasetError) as error:
        dataset.load(str(write_files(tmp_path, contents)), validation_split=0.1)
    assert str(error.value) == (
        "too few images to split: expected enough for a training, a validation and a test image, "
        "got 3 with a share of 0.1 set aside"
    )
