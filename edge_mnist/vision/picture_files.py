"""The pictures in files that the user names."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edge_mnist.errors import InvalidInputError, SourceError
from edge_mnist.vision.file_search import find_files
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.image_file import IMAGE_FORMATS, IMAGE_SUFFIXES, read_picture


class PictureFiles:
    """Pictures, one after another; what cannot be read is told and left out.

    Attributes:
        paths: Of all files that were found.
        failed: Whether anything was told so far.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        tell: Callable[[str], None],
        say: Callable[[str], None] = lambda message: None,
    ) -> None:
        """Find the files.

        Args:
            names: Pictures, folders and globs. A folder's pictures come in natural order.
            tell: Is told what cannot be found or read.
            say: Is told if a picture is not read in full, or left out of a folder for its format.
        """
        self.paths: list[str] = []
        self.failed = False
        self._tell_user, self._say = tell, say
        for name in names:
            try:
                kinds = f"images ({IMAGE_FORMATS})"
                self.paths += find_files(name, IMAGE_SUFFIXES, kinds, say) or [name]
            except SourceError as exc:
                self.tell(str(exc))

    def __iter__(self) -> Iterator[tuple[str, Picture]]:
        """Give each path with its picture, uint8 [height, width, 3] in blue, green, red."""
        for path in self.paths:
            try:
                picture = read_picture(Path(path), self._say)
            except InvalidInputError as exc:
                self.tell(str(exc))
                continue
            yield path, picture

    def tell(self, failure: str) -> None:
        """Tell what went wrong with one of the pictures."""
        self.failed = True
        self._tell_user(failure)
