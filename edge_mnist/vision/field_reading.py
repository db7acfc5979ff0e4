"""What was read in the fields of a form, and tables of it."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_mnist.errors import InvalidInputError
from edge_mnist.files import write_atomically
from edge_mnist.vision.fields import FormFields

# What stands in a text for a cell whose ink is no digit, and for an empty cell between others.
NO_DIGIT = "?"
GAP = " "


@dataclass(frozen=True)
class FieldDigit:
    """One digit of a field.

    Attributes:
        digit: 0 to 9.
        confidence: Its probability, 0 to 1.
        second: The second most probable digit.
        second_confidence: Its probability.
    """

    digit: int
    confidence: float
    second: int
    second_confidence: float


@dataclass(frozen=True)
class FieldReading:
    """What was read in a field.

    Attributes:
        name: The field's.
        text: Its digits; "?" for a cell with something else in it, a space for an empty cell
            between others, and "" if nothing is written there.
        confidence: That of the digit which is least sure, or of the whole number if that is less
            sure, 0 to 1; None without digits.
        digits: Those of the text, from left to right.
        doubts: Why a person should look at it; nothing if it seems right.
    """

    name: str
    text: str
    confidence: float | None
    digits: tuple[FieldDigit, ...]
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class FormReading:
    """What was read on a page.

    Attributes:
        corners: Where the page's corners lie in the photograph: x and y in pixels, clockwise from
            the left upper one. None if the page was not found: all fields are empty then.
        fields: What was read, in the order of the form's fields.
    """

    corners: tuple[tuple[float, float], ...] | None
    fields: tuple[FieldReading, ...]

    @property
    def doubtful(self) -> list[FieldReading]:
        """The fields that a person should look at."""
        return [field for field in self.fields if field.doubts]


def render_csv(form: FormFields, readings: Iterable[tuple[str, FormReading]]) -> str:
    """Return readings as a table: a row a page, a column a field, and one for what is doubtful.

    Args:
        form: What was read.
        readings: The name of each page's file, and what was read on it.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["file", *(field.name for field in form.fields), "doubtful"])
    for name, reading in readings:
        doubtful = [f"{field.name} ({', '.join(field.doubts)})" for field in reading.doubtful]
        texts = (field.text for field in reading.fields)
        writer.writerow([name, *texts, "; ".join(doubtful)])
    return table.getvalue()


def write_csv(path: Path, form: FormFields, readings: Iterable[tuple[str, FormReading]]) -> None:
    """Write the table of `render_csv` to a file, whole or not at all.

    Raises:
        InvalidInputError: If it cannot be written.
    """
    try:
        write_atomically(path, render_csv(form, readings))
    except OSError as exc:
        raise InvalidInputError(f"cannot write {path}", got=exc.strerror or str(exc)) from exc
