import errno
import itertools
import shutil
import stat
import sys
from types import SimpleNamespace

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
Image = pytest.importorskip("PIL.Image")

from edge_mnist.errors import InvalidInputError  # noqa: E402 - needs cv2
from edge_mnist.vision import recording  # noqa: E402
from edge_mnist.vision.recording import Recording  # noqa: E402

FORMATS = ["clip.mp4", "clip.gif"]


def paint(index, size=(120, 160)):
    """A frame that tells its number by the place of a white square on coloured paper."""
    picture = np.full((*size, 3), (90, 140, 30), np.uint8)
    left = 10 * (index % 12)
    picture[40:80, left : left + 40] = 255
    return picture


def save(path, times_s, fps=None, paint=paint):
    recorded = Recording(path, fps)
    for index, time_s in enumerate(times_s):
        recorded.write(paint(index), time_s)
    recorded.close()
    return recorded


def write_all(recorded, pictures):
    for index, picture in enumerate(pictures):
        recorded.write(picture, index / 10)


def play(path):
    """Return the frames of a video, blue, green, red."""
    if path.suffix == ".gif":
        return [frame for frame, _ in play_gif(path)]
    video = cv2.VideoCapture(str(path))
    reads = iter(video.read, None)
    return [frame for _, frame in itertools.takewhile(lambda read: read[0], reads)]


def play_gif(path):
    """Return the frames and how long each is shown, in seconds."""
    frames = []
    with Image.open(path) as gif:
        for index in range(gif.n_frames):
            gif.seek(index)
            pixels = np.asarray(gif.convert("RGB"))[..., ::-1]
            frames.append((pixels, gif.info["duration"] / 1000))
    return frames


def fill_disk(monkeypatch, after):
    """Make GIFs' files and MP4s' disk full after so many frames."""
    calls = itertools.count(1)

    def usage(path):
        return SimpleNamespace(free=0 if next(calls) > after else 1 << 40)

    monkeypatch.setattr(recording.shutil, "disk_usage", usage)


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_saved_is_what_was_shown(tmp_path, name):
    path = tmp_path / "new" / name
    save(path, [i / 10 for i in range(24)], fps=10)
    frames = play(path)
    assert len(frames) == 24
    for index, frame in enumerate(frames):
        assert np.abs(frame.astype(int) - paint(index)).mean() < 6
    assert [x.name for x in path.parent.iterdir()] == [name]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("frames", [1, 2, 9, 10, 11])
def test_few_frames_are_saved_too(tmp_path, name, frames):
    path = tmp_path / name
    assert save(path, [i / 10 for i in range(frames)]).is_saved
    assert len(play(path)) == frames


@pytest.mark.parametrize("name", FORMATS)
def test_without_a_frame_nothing_is_left_and_nothing_lost(tmp_path, name):
    path = tmp_path / name
    path.write_text("what was there before")
    assert not save(path, []).is_saved
    assert path.read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", FORMATS)
def test_old_video_stays_until_the_new_one_is_whole(tmp_path, name):
    path = tmp_path / name
    path.write_text("what was there before")
    recorded = Recording(path, 10)
    recorded.write(paint(0), 0)
    assert path.read_text() == "what was there before"
    recorded.close()
    recorded.close()
    assert len(play(path)) == 1
    if sys.platform != "win32":
        assert path.stat().st_mode & stat.S_IROTH


@pytest.mark.parametrize("name", FORMATS)
def test_other_sizes_are_fitted_into_the_first(tmp_path, name):
    path = tmp_path / name
    sizes = [(120, 160), (60, 80), (500, 100), (121, 161)]
    save(path, [0, 1, 2, 3], fps=1, paint=lambda index: paint(index, sizes[index]))
    assert [frame.shape for frame in play(path)] == [(120, 160, 3)] * 4


def test_mp4_of_a_file_has_its_rate(tmp_path):
    save(tmp_path / "clip.mp4", [i / 24 for i in range(30)], fps=24)
    video = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(24)
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 30


def test_mp4_of_a_camera_has_the_rate_that_is_measured(tmp_path):
    save(tmp_path / "clip.mp4", [5 + i / 12.5 for i in range(30)])
    video = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(12.5, rel=0.01)


def test_mp4_of_a_camera_that_slows_down_takes_as_long_as_it_took(tmp_path):
    times_s = [i / 20 for i in range(20)] + [1 + i / 5 for i in range(20)]
    save(tmp_path / "clip.mp4", times_s)
    video = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    fps, frames = video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)
    assert frames / fps == pytest.approx(times_s[-1], abs=0.2)


def test_long_breaks_are_cut_to_a_second(tmp_path):
    save(tmp_path / "clip.mp4", [0, 0.1, 0.2, 60, 60.1], fps=10)
    assert len(play(tmp_path / "clip.mp4")) == pytest.approx(14, abs=1)


def test_gif_keeps_the_time_and_leaves_out_what_is_too_fast(tmp_path):
    save(tmp_path / "clip.gif", [i / 30 for i in range(60)])
    durations = [duration for _, duration in play_gif(tmp_path / "clip.gif")]
    assert len(durations) == 20
    assert sum(durations[:-1]) == pytest.approx(1.9, abs=0.02)


def test_gif_of_a_still_scene_with_noise_stays_small(tmp_path):
    rng = np.random.default_rng(0)
    paper = rng.integers(100, 200, (240, 320, 1), np.uint8).repeat(3, axis=2)

    def shoot(index):
        return paper + rng.integers(0, 8, paper.shape, np.uint8)

    save(tmp_path / "one.gif", [0], paint=shoot)
    save(tmp_path / "many.gif", [i / 10 for i in range(30)], paint=shoot)
    assert (tmp_path / "many.gif").stat().st_size < 1.2 * (tmp_path / "one.gif").stat().st_size


def test_gif_is_whole_after_every_frame(tmp_path):
    recorded = Recording(tmp_path / "clip.gif", None)
    for index in range(5):
        recorded.write(paint(index), index / 10)
        (unfinished,) = tmp_path.iterdir()
        if index > 0:
            assert len(play_gif(unfinished)) == index
            assert unfinished.read_bytes().endswith(b";")
    recorded.close()


@pytest.mark.parametrize("after", [12, 25])
def test_mp4_on_a_full_disk_plays_as_far_as_it_got(tmp_path, monkeypatch, after):
    fill_disk(monkeypatch, after)
    recorded = Recording(tmp_path / "clip.mp4", 10)
    with pytest.raises(OSError, match="No space left on device"):
        write_all(recorded, map(paint, range(40)))
    recorded.close()
    assert recorded.is_saved
    assert len(play(tmp_path / "clip.mp4")) == recorded.frames == after


def test_gif_on_a_full_disk_plays_as_far_as_it_got(tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    noise = np.random.default_rng(0).integers(0, 256, (20, 120, 160, 3), np.uint8)
    recorded = Recording(tmp_path / "clip.gif", None)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        with pytest.raises(OSError, match="File too large"):
            write_all(recorded, noise)
        recorded.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert recorded.is_saved
    frames = play_gif(tmp_path / "clip.gif")
    assert 2 <= len(frames) < 20
    for (shown, _), picture in zip(frames, noise, strict=False):
        assert np.abs(shown.astype(int) - picture).mean() < 30


@pytest.mark.parametrize("name", FORMATS)
def test_disk_that_is_full_from_the_start_leaves_what_was_there(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_text("what was there before")
    fill_disk(monkeypatch, after=0)
    recorded = Recording(path, 10)
    if name == "clip.gif":
        recorded._encoder._file.close()
        recorded._encoder._file = FullFile()
    with pytest.raises(OSError, match="No space left on device"):
        write_all(recorded, map(paint, range(3)))
    recorded.close()
    assert not recorded.is_saved
    assert path.read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("free", "told"), [(0, "No space left on device"), (1 << 40, "cannot write MP4; save a .gif")]
)
def test_why_an_mp4_cannot_be_begun_is_told(tmp_path, monkeypatch, free, told):
    """FFmpeg opens no file where there is no room, nor one that it has no encoder for."""
    monkeypatch.setattr(recording.cv2.VideoWriter, "isOpened", lambda self: False)
    monkeypatch.setattr(recording.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    recorded = Recording(tmp_path / "clip.mp4", 10)
    with pytest.raises(OSError, match=told):
        recorded.write(paint(0), 0)


class FullFile:
    """A file that has no room for more than a byte."""

    def seek(self, position):
        assert position == 0

    def write(self, content):
        if len(content) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(content)

    def truncate(self, size):
        assert size == 1

    def close(self):
        pass


def test_encoder_that_fails_unseen_is_found_out_in_the_end(tmp_path, monkeypatch):
    class Writer:
        fourcc = cv2.VideoWriter.fourcc

        def __init__(self, *arguments):
            pass

        def isOpened(self):  # noqa: N802 - OpenCV's name
            return True

        def write(self, picture):
            pass

        def release(self):
            pass

    monkeypatch.setattr(recording.cv2, "VideoWriter", Writer)
    recorded = Recording(tmp_path / "clip.mp4", 10)
    recorded.write(paint(0), 0)
    with pytest.raises(OSError, match="the encoder could not write all of it"):
        recorded.close()
    assert not recorded.is_saved
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("clip.avi", r"cannot save .*clip.avi: expected a name that ends in .mp4 or .gif"),
        ("clip", r"cannot save .*clip: expected a name that ends in .mp4 or .gif"),
        ("folder.mp4", "cannot save .*folder.mp4: expected a file, got a folder"),
        ("occupied/clip.mp4", "cannot save .*occupied/clip.mp4: got "),
    ],
)
def test_what_cannot_be_saved_is_told_at_once(tmp_path, name, told):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "occupied").write_text("a file")
    with pytest.raises(InvalidInputError, match=told):
        Recording(tmp_path / name, 10)


def test_suffix_may_be_written_in_capitals(tmp_path):
    assert save(tmp_path / "CLIP.GIF", [0, 1]).is_saved
    assert shutil.disk_usage(tmp_path).free > 0
