"""What was read, frame by frame, as lines of JSON."""

import json
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.frames import Frame

STDOUT = "-"


def describe_frame(frame: Frame, read: dict[str, Any], ms: dict[str, float]) -> dict[str, Any]:
    """Return what is to be told of a frame.

    Args:
        frame: The frame.
        read: What was read in it, as plain values.
        ms: What each stage took, in milliseconds.
    """
    return {
        "frame": frame.index,
        "time_s": round(frame.time_s, 3),
        **read,
        "ms": {stage: round(took, 3) for stage, took in ms.items()},
    }


class FrameLog:
    """Lines of JSON in a file or on stdout, each there as soon as it is written.

    Attributes:
        target: The file's name, or "-".
    """

    def __init__(self, target: str) -> None:
        """Open a file anew, or stdout for "-".

        Raises:
            InvalidInputError: If the file cannot be written.
        """
        self.target = target
        self._file: FileIO | None = None
        if target != STDOUT:
            try:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                self._file = FileIO(target, "w")
            except OSError as exc:
                raise InvalidInputError(f"cannot write {target}", got=exc.strerror) from exc

    def write(self, description: dict[str, Any]) -> None:
        """Write a line; raises OSError if the disk is full or the reader has gone."""
        line = json.dumps(description)
        if self._file is None:
            print(line, flush=True)
            return
        content = f"{line}\n".encode()
        written = 0
        try:
            while written < len(content):
                written += self._file.write(content[written:])
        except OSError:
            with suppress(OSError):  # a pipe or a device: there is nothing to cut off
                self._file.truncate(self._file.tell() - written)
            raise

    def close(self) -> None:
        """Close the file; twice does no harm."""
        if self._file is not None:
            self._file.close()
