"""Finding the files that the user names."""

import glob
import re
from collections.abc import Collection
from pathlib import Path

from edge_mnist.errors import SourceError


def find_files(name: str, suffixes: Collection[str], kinds: str) -> list[str]:
    """Return the files that a path, folder or glob stands for: page-2 before page-10.

    Args:
        name: What the user wrote. Of a folder, sub-folders are left out.
        suffixes: Those of the files to take from a folder, in lower case.
        kinds: What these files are, in words.

    Returns:
        Paths; none if there is nothing of this name and it is no glob.

    Raises:
        SourceError: If no file matches a glob, or a folder holds none of these files.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        found = [x for x in path.iterdir() if x.suffix.lower() in suffixes and x.is_file()]
        if not found:
            raise SourceError(
                f"nothing to read in {name}",
                expected=kinds,
                got="other files" if any(path.iterdir()) else "an empty folder",
            )
    elif path.exists():
        found = [path]
    else:
        found = [x for x in map(Path, glob.glob(str(path), recursive=True)) if x.is_file()]
        if not found and glob.has_magic(name):
            raise SourceError(f"no file matches {name}")
    return sorted(map(str, found), key=_natural_order)


def _natural_order(name: str) -> list[tuple[int, str]]:
    """Order page-2 before page-10: digits by their value, the rest as text."""
    return [(int(x), "") if x.isdecimal() else (-1, x) for x in re.split(r"(\d+)", name)]
