from pathlib import Path

import numpy as np
import pytest

from edge_mnist.errors import InvalidInputError, SourceError

cv2 = pytest.importorskip("cv2")

from edge_mnist.vision.framing import Framing  # noqa: E402 - needs cv2
from edge_mnist.vision.sources import open_source  # noqa: E402

IMAGES = "PNG, JPEG, BMP, TIFF, WebP, PGM"
VIDEOS = "MP4, MOV, AVI, MKV, WebM, GIF"
N_FRAMES = 20
FPS = 20


@pytest.fixture
def write_video(tmp_path):
    """Return a function that writes a video whose frames tell their number by their grey."""

    def write(name="clip.avi", codec="MJPG"):
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), FPS, (64, 48))
        assert writer.isOpened()
        grain = np.random.default_rng(7).integers(-15, 16, (48, 64, 1))
        for number in range(N_FRAMES):
            writer.write((10 * number + 20 + np.repeat(grain, 3, axis=2)).astype(np.uint8))
        writer.release()
        return path

    return write


@pytest.fixture
def write_picture(tmp_path):
    def write(name, shape=(6, 8)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(path), np.zeros(shape, np.uint8))
        return path

    return write


def numbers(frames):
    return [round((float(frame.picture.mean()) - 20) / 10) for frame in frames]


def read(source, **options):
    """Return the source after all was read, its frames, and what was told."""
    told = []
    opened = open_source(str(source), say=told.append, **options)
    return opened, list(opened), told


def break_frames(path, *numbers):
    """Fill frames of a motion JPEG with zeros."""
    content = bytearray(path.read_bytes())
    starts = [i for i in range(len(content)) if content.startswith(b"\xff\xd8\xff", i)]
    assert len(starts) == N_FRAMES
    for number in numbers:
        end = content.index(b"\xff\xd9", starts[number])
        content[starts[number] : end] = bytes(end - starts[number])
    path.write_bytes(content)


def test_picture_is_one_frame(write_picture):
    path = write_picture("page.png")
    source, frames, told = read(path)
    assert [(x.index, x.time_s, x.name, x.picture.shape) for x in frames] == [
        (0, 0, str(path), (6, 8, 3))
    ]
    assert (source.name, source.is_live, source.fps, source.failures) == (
        str(path),
        False,
        None,
        [],
    )
    assert told == []


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.MKV", "mp4v")]
)
def test_every_frame_of_a_video_is_read(write_video, name, codec):
    source, frames, told = read(write_video(name, codec))
    assert numbers(frames) == list(range(N_FRAMES))
    assert [x.index for x in frames] == list(range(N_FRAMES))
    assert [x.time_s for x in frames] == pytest.approx(np.arange(N_FRAMES) / FPS, abs=2e-3)
    assert source.fps == FPS
    assert told == source.failures == []


def test_framing_is_applied(write_video):
    _, frames, _ = read(write_video(), framing=Framing(width=32, rotate=90))
    assert {x.picture.shape for x in frames} == {(43, 32, 3)}


def test_reading_ends_when_closed(write_video):
    source = open_source(str(write_video()))
    frames = iter(source)
    assert next(frames).index == 0
    source.close()
    source.close()
    assert list(frames) == []


def test_folder_is_read_in_natural_order(write_picture, write_video, tmp_path):
    for name in ("page-10.png", "page-2.jpg", "page-1.PNG", "notes/page-3.png"):
        write_picture(name)
    write_video("page-3.avi")
    (tmp_path / "notes.txt").write_text("no picture")
    source, frames, told = read(tmp_path)
    names = [x.name.removeprefix(f"{tmp_path}/") for x in frames]
    assert names == ["page-1.PNG", "page-2.jpg", *["page-3.avi"] * N_FRAMES, "page-10.png"]
    assert [x.index for x in frames] == list(range(len(frames)))
    assert told == source.failures == []


def test_glob(write_picture, tmp_path):
    for name in ("a/page-2.png", "b/page-1.png", "b/scan.png", "page-3.png"):
        write_picture(name)
    _, frames, _ = read(tmp_path / "**" / "page-*.png")
    names = [x.name.removeprefix(f"{tmp_path}/") for x in frames]
    assert names == ["a/page-2.png", "b/page-1.png", "page-3.png"]


def test_file_whose_name_looks_like_a_glob(write_picture):
    _, frames, _ = read(write_picture("page[1].png"))
    assert len(frames) == 1


def test_one_unreadable_file_of_many_is_told_and_the_rest_is_read(write_picture, tmp_path):
    write_picture("1.png")
    (tmp_path / "2.png").write_bytes(b"")
    (tmp_path / "3.mp4").write_bytes(b"no video")
    write_picture("4.png")
    source, frames, told = read(tmp_path)
    assert [x.name for x in frames] == [str(tmp_path / "1.png"), str(tmp_path / "4.png")]
    assert [x.index for x in frames] == [0, 1]
    assert told == [
        f"cannot read {tmp_path / '2.png'}: expected an image ({IMAGES}), got an empty file",
        f"cannot read {tmp_path / '3.mp4'}: expected a video ({VIDEOS}), "
        "got something else or a damaged file",
    ]
    assert source.failures == told


def test_region_that_one_file_lacks(write_picture, tmp_path):
    write_picture("large.png", (60, 80))
    write_picture("small.png")
    source, frames, told = read(tmp_path, framing=Framing(roi=(10, 10, 5, 5)))
    assert [x.picture.shape for x in frames] == [(5, 5, 3)]
    assert source.failures == told
    assert told == [
        f"{tmp_path / 'small.png'}: "
        "region to read: expected a part of the frame of 8x6 px, got 10,10,5,5"
    ]


def test_folder_without_a_readable_file(tmp_path):
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(b"no picture")
    source = open_source(str(tmp_path))
    with pytest.raises(SourceError) as error:
        list(source)
    assert str(error.value) == f"none of the 2 files of {tmp_path} can be read"
    assert len(source.failures) == 2


def test_broken_frame_is_told_once_and_the_rest_is_read(write_video, capfd):
    path = write_video()
    break_frames(path, 7, 8)
    source, frames, told = read(path)
    assert numbers(frames) == [x for x in range(N_FRAMES) if x not in (7, 8)]
    assert told == source.failures == [f"{path}: 2 of its frames cannot be read and are left out"]
    assert capfd.readouterr().err == ""  # of the decoder's notes none gets through


def test_truncated_video(write_video):
    path = write_video()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    source, frames, told = read(path)
    assert 5 < len(frames) < 15
    assert numbers(frames) == list(range(len(frames)))
    assert (
        told
        == source.failures
        == [f"{path} ends early: expected {N_FRAMES} frames, got {len(frames)}"]
    )


@pytest.mark.parametrize(
    ("content", "got"),
    [(b"", "an empty file"), (b"no video" * 99, "something else or a damaged file")],
    ids=["empty", "text"],
)
def test_file_that_is_no_video(tmp_path, content, got, capfd):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError) as error:
        open_source(str(path))
    assert str(error.value) == f"cannot read {path}: expected a video ({VIDEOS}), got {got}"
    assert capfd.readouterr().err == ""


def test_video_that_was_cut_off_before_its_index(write_video, tmp_path):
    path = write_video("clip.mp4", "mp4v")
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(SourceError) as error:
        open_source(str(path))
    assert str(error.value) == (
        f"cannot read {path}: expected a video ({VIDEOS}), got something else or a damaged file"
    )


def test_file_that_is_no_picture(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    with pytest.raises(InvalidInputError) as error:
        list(open_source(str(path)))
    assert str(error.value) == (
        f"cannot read {path}: expected an image ({IMAGES}), got something else or a damaged file"
    )


def test_missing_file(tmp_path):
    with pytest.raises(SourceError) as error:
        open_source(str(tmp_path / "none.png"))
    assert str(error.value) == (
        f"there is no {tmp_path / 'none.png'}: "
        "expected a camera's index, an image, a video, a folder, a glob or an address"
    )


def test_glob_without_matches(tmp_path):
    with pytest.raises(SourceError) as error:
        open_source(str(tmp_path / "*.png"))
    assert str(error.value) == f"no file matches {tmp_path / '*.png'}"


ELSEWHERE = "for what lies in sub-folders: 'scans/**/*.jpg'"


def test_pictures_in_formats_that_are_not_read_are_counted(write_picture, tmp_path):
    write_picture("page.png")
    for name in ("1.HEIC", "2.heic", "scan.pdf", "notes.txt"):
        (tmp_path / name).touch()
    source, frames, told = read(tmp_path)
    assert [x.name for x in frames] == [str(tmp_path / "page.png")]
    assert told == [f"{tmp_path}: left out 3 files (.heic, .pdf); convert to JPEG or PNG first"]
    assert source.failures == []


@pytest.mark.parametrize(
    ("files", "got"),
    [
        ([], "an empty folder"),
        (["a.txt"], "other files"),
        (["a.txt", "1.heic"], "1 file (.heic); convert to JPEG or PNG first"),
        (["1/a.jpg", "2/a.jpg"], f"sub-folders only; {ELSEWHERE}"),
        (["1/a.jpg", "a.txt"], f"other files and sub-folders; {ELSEWHERE}"),
    ],
)
def test_folder_with_nothing_to_read(tmp_path, monkeypatch, files, got):
    monkeypatch.chdir(tmp_path)
    for path in (Path("scans"), *(Path("scans", name).parent for name in files)):
        path.mkdir(exist_ok=True)
    for name in files:
        Path("scans", name).touch()
    with pytest.raises(SourceError) as error:
        open_source("scans")
    assert str(error.value) == (
        f"nothing to read in scans: expected images ({IMAGES}) or videos ({VIDEOS}), got {got}"
    )
