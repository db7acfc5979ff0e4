"""Writing files so that a failure never costs what was there before."""

import os
from collections.abc import Iterable
from pathlib import Path

from edge_mnist.errors import InvalidInputError


def spare(option: str, outputs: Iterable[Path], inputs: Iterable[Path | str]) -> None:
    """Refuse to write over what is read.

    Args:
        option: What the user named the outputs with.
        outputs: Paths that will be written.
        inputs: Paths that are read. What is no file, such as an address, cannot be lost.

    Raises:
        InvalidInputError: If one of the outputs is one of the inputs, whatever its name.
    """
    read = {_identify(Path(path)) for path in inputs} - {None}
    for path in outputs:
        if _identify(path) in read:
            raise InvalidInputError(
                option, expected="another file than those that are read", got=str(path)
            )


def expect_folder(option: str, path: Path | None) -> None:
    """Refuse what cannot become a folder, before the work whose results it is to hold.

    Args:
        option: What the user named it with.
        path: It; None if nothing is to be written.

    Raises:
        InvalidInputError: If a file has this name.
    """
    if path is not None and path.exists() and not path.is_dir():
        raise InvalidInputError(
            option, expected="a folder, or a name that is free", got=f"the file {path}"
        )


def expect_file(option: str, path: Path | None) -> None:
    """Refuse what cannot become a file; see `expect_folder`.

    Raises:
        InvalidInputError: If a folder has this name.
    """
    if path is not None and path.is_dir():
        raise InvalidInputError(
            option, expected="a file, or a name that is free", got=f"the folder {path}"
        )


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all: under another name first, then renamed.

    Missing parent folders are made.

    Args:
        path: Where the content shall stand; what stood there is replaced.
        content: Bytes, or text that is written as UTF-8.

    Raises:
        OSError: If it cannot be written; its `filename` is the path, or the folder that cannot be
            made.
    """
    handle, temporary = _open_beside(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        put_in_place(temporary, path)
    except BaseException as exc:
        temporary.unlink(missing_ok=True)
        if isinstance(exc, OSError):
            exc.filename = str(path)  # a full disk does not tell what it had no room for
        raise


def make_beside(path: Path) -> Path:
    """Make an empty hidden file beside a path and of its suffix, for what takes long to write.

    Missing parent folders are made.

    Returns:
        The file, which `put_in_place` gives its name once it is whole.
    """
    handle, temporary = _open_beside(path)
    os.close(handle)
    return temporary


def put_in_place(temporary: Path, path: Path) -> None:
    """Give a file from `make_beside` its name; what stood there is replaced."""
    # mkstemp makes files private; these are as public as any other.
    os.chmod(temporary, 0o666 & ~_umask())
    os.replace(temporary, path)


def _open_beside(path: Path) -> tuple[int, Path]:
    import tempfile  # costs 2 ms, with what it brings in; who only reads shall not wait for it

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, temporary = tempfile.mkstemp(path.suffix, f".{path.name}.", path.parent)
    except OSError as exc:
        exc.filename = str(path)  # nobody has asked for the temporary one
        raise
    return handle, Path(temporary)


def _identify(path: Path) -> tuple[int, int] | None:
    """Return what a file has in common with all of its names; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
