"""Pictures and videos in files, one after another."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edge_mnist.errors import InvalidInputError, SourceError
from edge_mnist.vision.frames import Frame, Picture
from edge_mnist.vision.framing import Framing
from edge_mnist.vision.image_file import read_picture
from edge_mnist.vision.video_file import is_video, read_fps, read_video


class MediaFiles:
    """The frames of pictures and videos, in order; see `Source` for the attributes.

    A file that cannot be read is told and left out where there are others.
    """

    is_live = False

    def __init__(
        self,
        name: str,
        files: Sequence[str],
        framing: Framing,
        *,
        tell: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        """Take the files; only a single video is opened here.

        Args:
            name: What the user named.
            files: Paths, or the addresses of videos; at least one.
            framing: What is done to every frame.
            tell: Is told what cannot be read.
            say: Is told if a picture is not read in full.

        Raises:
            SourceError: If the only file is a video that cannot be opened.
        """
        self.name = name
        self.fps = read_fps(files[0]) if len(files) == 1 and is_video(files[0]) else None
        self.failures: list[str] = []
        self.files = files
        self._framing = framing
        self._tell_user, self._say = tell, say
        self._is_closed = False

    def __iter__(self) -> Iterator[Frame]:
        """Give every frame, none left out.

        Raises:
            SourceError: If none can be read, or the only one is a video and cannot.
            InvalidInputError: If the only one is a picture that cannot be read, or the region to
                read lies outside of it.
        """
        index = 0
        for file in self.files:
            try:
                for picture, time_s in self._read(file):
                    if self._is_closed:
                        return
                    yield Frame(self._frame(picture, file), index, time_s, file)
                    index += 1
            except (InvalidInputError, SourceError) as exc:
                if len(self.files) == 1:
                    raise
                self._tell(str(exc))
        if index == 0:
            raise SourceError(f"none of the {len(self.files)} files of {self.name} can be read")

    def close(self) -> None:
        """End the reading; twice does no harm."""
        self._is_closed = True

    def _read(self, file: str) -> Iterator[tuple[Picture, float]]:
        """Give each picture of a file with its time in seconds."""
        if is_video(file):
            yield from read_video(file, self._tell)
        else:
            yield read_picture(Path(file), self._say), 0.0

    def _frame(self, picture: Picture, file: str) -> Picture:
        try:
            return self._framing.apply(picture)
        except InvalidInputError as exc:
            raise InvalidInputError(f"{file}: {exc}") from exc

    def _tell(self, failure: str) -> None:
        self.failures.append(failure)
        self._tell_user(failure)
