"""Pictures saved with what was read drawn into them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from edge_mnist.errors import InvalidInputError
from edge_mnist.files import spare, write_atomically
from edge_mnist.vision.frames import Picture
from edge_mnist.vision.image_file import IMAGE_SUFFIXES

SUFFIX = ".png"


class AnnotatedFiles:
    """A PNG for each of several pictures, as far as they are wanted."""

    def __init__(
        self, out: Path | None, pictures: Sequence[str], inputs: Sequence[Path] = ()
    ) -> None:
        """Choose the files.

        Args:
            out: A name that ends in .png, for one picture, or a folder, for a NAME.png each; None
                for no files.
            pictures: The paths of the pictures.
            inputs: What else is read.

        Raises:
            InvalidInputError: If a file would stand for two pictures, or in the place of one or of
                what else is read.
        """
        self._places = {} if out is None else _place(out, pictures)
        spare("--annotate", self._places.values(), [*pictures, *inputs])

    def save(self, picture: str, draw: Callable[[], Picture]) -> None:
        """Save what is drawn into a picture, whole or not at all.

        Args:
            picture: Its path.
            draw: Returns it drawn, uint8 [height, width, 3], blue, green, red.

        Raises:
            InvalidInputError: If it cannot be written.
        """
        if picture not in self._places:
            return
        place = self._places[picture]
        try:
            write_atomically(place, cv2.imencode(SUFFIX, draw())[1].tobytes())
        except OSError as exc:
            raise InvalidInputError(f"cannot write {place}", got=exc.strerror or str(exc)) from exc


def _place(out: Path, pictures: Sequence[str]) -> dict[str, Path]:
    """Return the file of each picture."""
    suffix, sources = out.suffix.lower(), list(dict.fromkeys(pictures))
    is_file = suffix == SUFFIX and not out.is_dir()
    if suffix in IMAGE_SUFFIXES - {SUFFIX}:
        _refuse(out, f"a name that ends in {SUFFIX}, or a folder", suffix)
    if is_file and len(sources) > 1:
        _refuse(out, f"a folder for {len(sources)} pictures", "the name of one file")
    places: dict[str, Path] = {}
    taken: dict[Path, str] = {}
    for source in sources:
        place = out if is_file else out / f"{Path(source).stem}{SUFFIX}"
        if place in taken:
            _refuse(out, "pictures of different names", f"{taken[place]} and {source}")
        places[source], taken[place] = place, source
    return places


def _refuse(out: Path, expected: str, got: str) -> None:
    raise InvalidInputError(f"--annotate {out}", expected=expected, got=got)
