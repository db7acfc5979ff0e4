"""Finding the files that the user names."""

import glob
import re
from collections.abc import Callable, Collection
from pathlib import Path

from edge_mnist.errors import SourceError
from edge_mnist.vision.unread_formats import REMEDY, UNREAD_SUFFIXES


def find_files(
    name: str,
    suffixes: Collection[str],
    kinds: str,
    say: Callable[[str], None] = lambda message: None,
) -> list[str]:
    """Return the files that a path, folder or glob stands for: page-2 before page-10.

    Args:
        name: What the user wrote. Of a folder, sub-folders are left out.
        suffixes: Those of the files to take from a folder, in lower case.
        kinds: What these files are, in words.
        say: Is told of pictures in a folder that are left out for their format.

    Returns:
        Paths; none if there is nothing of this name and it is no glob.

    Raises:
        SourceError: If no file matches a glob, or a folder holds none of these files.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        files = [x for x in path.iterdir() if x.is_file()]
        found = [x for x in files if x.suffix.lower() in suffixes]
        unread = [x.suffix.lower() for x in files if x.suffix.lower() in UNREAD_SUFFIXES]
        if not found:
            raise _holds_nothing(path, name, kinds, unread)
        if unread:
            say(f"{name}: left out {_count(unread)}; {REMEDY}")
    elif path.exists():
        found = [path]
    else:
        found = [x for x in map(Path, glob.glob(str(path), recursive=True)) if x.is_file()]
        if not found and glob.has_magic(name):
            raise SourceError(f"no file matches {name}")
    return sorted(map(str, found), key=_natural_order)


def _holds_nothing(path: Path, name: str, kinds: str, unread: list[str]) -> SourceError:
    """Return the error of a folder without files that are read, but these suffixes of others."""
    is_folder = [x.is_dir() for x in path.iterdir()]
    got, remedy = "other files" if is_folder else "an empty folder", None
    if unread:
        got, remedy = _count(unread), REMEDY
    elif any(is_folder):
        got = "sub-folders only" if all(is_folder) else "other files and sub-folders"
        pattern = Path(glob.escape(name), "**", "*.jpg")
        remedy = f"for what lies in sub-folders: '{pattern}'"
    return SourceError(f"nothing to read in {name}", expected=kinds, got=got, remedy=remedy)


def _count(suffixes: list[str]) -> str:
    """Return how many files have these suffixes, in words."""
    files = "1 file" if len(suffixes) == 1 else f"{len(suffixes)} files"
    return f"{files} ({', '.join(sorted(set(suffixes)))})"


def _natural_order(name: str) -> list[tuple[int, str]]:
    """Order page-2 before page-10: digits by their value, the rest as text."""
    return [(int(x), "") if x.isdecimal() else (-1, x) for x in re.split(r"(\d+)", name)]
