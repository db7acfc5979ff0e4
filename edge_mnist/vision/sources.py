"""Opening what the user names as the source of frames."""

import glob
import re
from collections.abc import Callable
from pathlib import Path

from edge_mnist.errors import SourceError
from edge_mnist.vision.frames import Source
from edge_mnist.vision.framing import AS_IT_COMES, Framing
from edge_mnist.vision.image_file import IMAGE_FORMATS, IMAGE_SUFFIXES
from edge_mnist.vision.media_files import MediaFiles
from edge_mnist.vision.video_file import VIDEO_FORMATS, VIDEO_SUFFIXES

DEFAULT_TIMEOUT_S = 10.0


def open_source(
    source: str,
    *,
    framing: Framing = AS_IT_COMES,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    say: Callable[[str], None] = lambda message: None,
) -> Source:
    """Open a source of frames.

    Args:
        source: A camera's index or /dev/video path, an image, a folder of images and videos, a
            glob, a video file, or the address of an rtsp:// or http(s):// stream.
        framing: What is done to every frame.
        timeout_s: How long a camera or stream may give no picture before it is given up.
        say: Is told what cannot be read, and when a camera goes away and comes back.

    Raises:
        SourceError: If it cannot be opened.
    """
    return MediaFiles(source, _find_files(source), framing, say)


def _find_files(source: str) -> list[str]:
    """Return the files that a path or glob stands for, in natural order."""
    path = Path(source).expanduser()
    if path.is_dir():
        suffixes = IMAGE_SUFFIXES | VIDEO_SUFFIXES
        found = [x for x in path.iterdir() if x.suffix.lower() in suffixes and x.is_file()]
        if not found:
            raise SourceError(
                f"nothing to read in {source}",
                expected=f"images ({IMAGE_FORMATS}) or videos ({VIDEO_FORMATS})",
                got="none" if any(path.iterdir()) else "an empty folder",
            )
    elif path.exists():
        found = [path]
    else:
        matches = glob.glob(str(path), recursive=True)
        found = [x for x in map(Path, matches) if x.is_file()]
        if not found:
            raise _names_nothing(source)
    return sorted(map(str, found), key=_natural_order)


def _names_nothing(source: str) -> SourceError:
    if glob.has_magic(source):
        return SourceError(f"no file matches {source}")
    return SourceError(
        f"no such source: {source}",
        expected="a camera's index, an image, a video, a folder, a glob or a stream's address",
    )


def _natural_order(name: str) -> list[tuple[int, str]]:
    """Order page-2 before page-10: digits by their value, the rest as text."""
    return [(int(x), "") if x.isdecimal() else (-1, x) for x in re.split(r"(\d+)", name)]
