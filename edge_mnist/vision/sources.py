"""Opening what the user names as the source of frames."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from edge_mnist.errors import InvalidInputError, SourceError
from edge_mnist.vision.camera import connect_camera, connect_stream
from edge_mnist.vision.file_search import find_files
from edge_mnist.vision.frames import Source
from edge_mnist.vision.framing import AS_IT_COMES, Framing
from edge_mnist.vision.image_file import IMAGE_FORMATS, IMAGE_SUFFIXES
from edge_mnist.vision.media_files import MediaFiles
from edge_mnist.vision.newest import NewestFrames
from edge_mnist.vision.video_file import VIDEO_FORMATS, VIDEO_SUFFIXES, hide_password, is_video

DEFAULT_TIMEOUT_S = 10.0
# FFmpeg and the system's clocks count no further than some weeks.
MAX_TIMEOUT_S = 86_400.0

_DEVICES = "/dev/"

_HTTP = ("http", "https")
_SCHEMES = ("rtsp", "rtsps", *_HTTP)


def open_source(
    source: str,
    *,
    framing: Framing = AS_IT_COMES,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    tell: Callable[[str], None] | None = None,
    say: Callable[[str], None] = lambda message: None,
) -> Source:
    """Open a source of frames.

    Args:
        source: A camera's index or /dev/video path, an image, a folder of images and videos, a
            glob, a video file, or the address of an rtsp:// or http(s):// stream or video.
        framing: What is done to every frame.
        timeout_s: How long a camera or stream may give no picture before it is given up.
        tell: Is told what cannot be read of files; None to tell it to `say`.
        say: Is told what is not read in full, and when a camera goes away and comes back; cameras
            call it from a thread of their own.

    Raises:
        SourceError: If it cannot be opened.
        InvalidInputError: If the timeout is none that can be waited.
    """
    if not 0 < timeout_s <= MAX_TIMEOUT_S:
        raise InvalidInputError(
            "timeout", expected=f"more than 0 s, at most {MAX_TIMEOUT_S:g} s", got=f"{timeout_s:g}"
        )
    files = partial(MediaFiles, framing=framing, tell=tell or say, say=say)
    live = partial(NewestFrames, framing=framing, timeout_s=timeout_s, say=say)
    if source.isdecimal():
        return live(f"camera {source}", partial(connect_camera, int(source), timeout_s))
    if source.startswith(_DEVICES):
        return live(f"camera {source}", partial(connect_camera, source, timeout_s))
    if "://" not in source:
        return files(source, _find_files(source, say))
    address = urlsplit(source)
    if address.scheme not in _SCHEMES:
        raise SourceError(
            f"cannot open {source}",
            expected=f"an address with one of {', '.join(_SCHEMES)}",
            got=address.scheme,
        )
    if address.scheme in _HTTP and is_video(address.path):
        return files(source, [source])
    name = hide_password(source)
    return live(name, partial(connect_stream, source, name, timeout_s))


def _find_files(source: str, say: Callable[[str], None]) -> list[str]:
    """Return the files that a path or glob stands for, in natural order."""
    kinds = f"images ({IMAGE_FORMATS}) or videos ({VIDEO_FORMATS})"
    found = find_files(source, IMAGE_SUFFIXES | VIDEO_SUFFIXES, kinds, say)
    if not found:
        raise SourceError(
            f"there is no {source}",
            expected="a camera's index, an image, a video, a folder, a glob or an address",
        )
    return found
