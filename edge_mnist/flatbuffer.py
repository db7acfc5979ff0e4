"""Reading FlatBuffers, the container of .tflite files, with a count of what each byte is for.

The layout is that of flatbuffers.dev, "Internals": a table starts with the distance back to its
vtable, which holds the place of each field in the table; texts, vectors and tables are referred to
by their distance ahead. Every reference is held against the file's end before it is followed, so
that a damaged file is an error and never a crash.
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import ModelError

UINT16, INT32, UINT32 = struct.Struct("<H"), struct.Struct("<i"), struct.Struct("<I")
# A table takes at least the distance to its vtable. More tables than would fit are a file whose
# references run in a circle, or one made to be read for ever.
MIN_TABLE_BYTES = 4
# Little is shared in a file. One that is read over and over is made to take memory and time.
MAX_TIMES_READ = 8
UNREAD = 0


class FlatBuffer:
    """A file, and what each of its bytes has been read for.

    Attributes:
        content: The file's bytes.
    """

    def __init__(self, content: bytes, parts: Sequence[str]) -> None:
        """Take a file.

        Args:
            content: Its bytes.
            parts: What bytes can be for. The first is for those that nothing refers to: padding,
                and what the reader passes over.
        """
        self.content = content
        self._parts = list(parts)
        self._purposes = np.full(len(content), UNREAD, np.uint8)
        self._claimed: set[tuple[int, int]] = set()
        self._tables = self._read_bytes = 0

    def open_root(self, part: str) -> "Table":
        """Return the table that all others hang on; the file's first 8 bytes go with it."""
        self.claim(0, 8, part)
        return Table(self, self.follow(0), part)

    def count_bytes(self) -> dict[str, int]:
        """Return the bytes of each part; together they are the file."""
        counts = np.bincount(self._purposes, minlength=len(self._parts))
        return {part: int(count) for part, count in zip(self._parts, counts, strict=True)}

    def claim(self, start: int, stop: int, part: str) -> None:
        """Note what some bytes are for. What is shared counts for whoever came first.

        Raises:
            ModelError: If they are not inside the file, or all of it is read again and again.
        """
        self._read_bytes += stop - start
        if self._read_bytes > MAX_TIMES_READ * len(self.content):
            raise self.refuse("the same bytes without end")
        if not 0 <= start <= stop <= len(self.content):
            raise self.refuse(f"bytes {start} to {stop}")
        if (start, stop) not in self._claimed:
            self._claimed.add((start, stop))
            purposes = self._purposes[start:stop]
            purposes[purposes == UNREAD] = self._parts.index(part)

    def unpack(self, layout: struct.Struct, place: int) -> Any:
        """Return the one number that stands somewhere.

        Raises:
            ModelError: If that is not inside the file.
        """
        if not 0 <= place <= len(self.content) - layout.size:
            raise self.refuse(f"a number at {place}")
        return layout.unpack_from(self.content, place)[0]

    def follow(self, place: int) -> int:
        """Return where the reference at a place leads."""
        return place + int(self.unpack(UINT32, place))

    def count_table(self) -> None:
        """Note that a table is read.

        Raises:
            ModelError: If those are more than the file can hold.
        """
        self._tables += 1
        if self._tables * MIN_TABLE_BYTES > len(self.content):
            raise self.refuse("tables without end")

    def refuse(self, got: str) -> ModelError:
        """Return the error of a file that refers to what it does not hold."""
        expected = f"parts inside {len(self.content)} bytes"
        return ModelError("it is damaged", expected=expected, got=got)


class Table:
    """A table of a file. A field is named by its number in the schema; absent ones have defaults.

    Every method raises a ModelError if it is led out of the file.
    """

    def __init__(self, flat: FlatBuffer, start: int, part: str) -> None:
        """Open it.

        Args:
            flat: The file.
            start: Where it starts.
            part: What it is for, and the references in vectors of tables too.
        """
        flat.count_table()
        self._flat, self._start, self._part = flat, start, part
        self._vtable = start - flat.unpack(INT32, start)
        self._vtable_bytes = flat.unpack(UINT16, self._vtable)
        flat.claim(self._vtable, self._vtable + self._vtable_bytes, part)
        flat.claim(start, start + flat.unpack(UINT16, self._vtable + 2), part)

    def read_number(self, field: int, layout: str = "<i", default: int = 0) -> int:
        """Return a whole number of a layout that `struct` knows."""
        place = self._find(field)
        return default if place is None else int(self._flat.unpack(struct.Struct(layout), place))

    def read_text(self, field: int, part: str | None = None) -> str:
        """Return a text; an absent one is empty."""
        values = self.read_numbers(field, "u1", part, is_text=True)
        return "" if values is None else values.tobytes().decode(errors="replace")

    def read_numbers(
        self, field: int, dtype: str, part: str | None = None, *, is_text: bool = False
    ) -> NDArray[Any] | None:
        """Return a vector of numbers, [N] of a little-endian type; None if it is absent."""
        place = self._find(field)
        if place is None:
            return None
        start = self._flat.follow(place)
        count, kind = int(self._flat.unpack(UINT32, start)), np.dtype(dtype).newbyteorder("<")
        # A text has a zero byte behind it.
        stop = start + UINT32.size + count * kind.itemsize
        self._flat.claim(start, stop + is_text, part or self._part)
        return np.frombuffer(self._flat.content, kind, count, start + UINT32.size)

    def open_table(self, field: int, part: str | None = None) -> "Table | None":
        """Return a table that this one refers to."""
        place = self._find(field)
        if place is None:
            return None
        return Table(self._flat, self._flat.follow(place), part or self._part)

    def open_tables(self, field: int, part: str | None = None) -> "list[Table]":
        """Return the tables of a vector; an absent one has none."""
        place = self._find(field)
        if place is None:
            return []
        start = self._flat.follow(place)
        first, count = start + UINT32.size, int(self._flat.unpack(UINT32, start))
        self._flat.claim(start, first + count * UINT32.size, part or self._part)
        places = (self._flat.follow(first + i * UINT32.size) for i in range(count))
        return [Table(self._flat, there, part or self._part) for there in places]

    def _find(self, field: int) -> int | None:
        """Return where a field stands; None if the table does without it."""
        entry = 4 + 2 * field
        if entry + 2 > self._vtable_bytes:
            return None
        distance = self._flat.unpack(UINT16, self._vtable + entry)
        return self._start + distance if distance else None
