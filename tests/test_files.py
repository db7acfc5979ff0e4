import os
import re
import stat
import sys

import pytest

from edge_mnist.errors import InvalidInputError
from edge_mnist.files import spare, write_atomically


@pytest.mark.parametrize(("content", "written"), [(b"\0\xff", b"\0\xff"), ("±1\n", b"\xc2\xb11\n")])
def test_writes_bytes_and_utf8_into_new_folders(tmp_path, content, written):
    path = tmp_path / "new" / "folder" / "file"
    write_atomically(path, content)
    assert path.read_bytes() == written
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("step", ["replace", "chmod", "fdopen"])
@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_interrupted_write_keeps_the_old_file_and_leaves_nothing_else(
    tmp_path, monkeypatch, step, failure
):
    path = tmp_path / "file"
    write_atomically(path, "old")

    def fail(*args, **kwargs):
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(type(failure)):
            write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_failure_names_the_file_that_was_asked_for(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "file"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            write_atomically(path, "9" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_failure_to_begin_names_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / ("9" * 300)
    with pytest.raises(OSError, match="File name too long") as caught:
        write_atomically(path, "new")
    assert caught.value.filename == str(path)


def test_file_that_is_read_is_spared_whatever_it_is_called(tmp_path):
    read = tmp_path / "read.png"
    read.write_text("a picture")
    (tmp_path / "link").symlink_to(read)
    os.link(read, tmp_path / "twin")
    for name in ("read.png", "link", "twin"):
        told = f"--out: expected another file than those that are read, got {tmp_path / name}"
        with pytest.raises(InvalidInputError, match=f"^{re.escape(told)}$"):
            spare("--out", [tmp_path / "new", tmp_path / name], ["http://host/clip.mp4", read])
    spare("--out", [tmp_path / "new"], [read, tmp_path / "new"])  # nothing is there to be lost


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_file_is_as_public_as_any_other(tmp_path):
    write_atomically(tmp_path / "ours", "x")
    (tmp_path / "other").write_text("x")
    ours, other = (stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "other"))
    assert ours == other
