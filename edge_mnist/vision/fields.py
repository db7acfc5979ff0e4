"""The named fields of a form: where they stand on the page, and what belongs in them.

A FIELDS.toml holds them; fields_file.py reads and writes it.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from edge_mnist.check_digits import Check, WeightedSum, has_valid_check, require_rule
from edge_mnist.errors import InvalidInputError

# More cells than any form has in one field, and a guard against a slip of the pen.
MAX_DIGITS = 64

# A box may reach this far past the page's edge, which roundings do.
EDGE_TOLERANCE = 0.001

Find = Literal["outline", "reference", "whole"]


@dataclass(frozen=True)
class Field:
    """One place on the page where a number stands.

    Attributes:
        name: What it is called in the results.
        box: x, y, width and height in fractions of the page's width and height.
        digits: The fewest and the most digits that may stand there. A field that may be empty has
            0 as its fewest.
        cells: Whether it is a comb: as many cells of the same width as its most digits.
        range: The lowest and the highest number; None for any.
        pattern: The regular expression that the whole text matches; None for any.
        check: The check-digit rule; None for none.
    """

    name: str
    box: tuple[float, float, float, float]
    digits: tuple[int, int]
    cells: bool = False
    range: tuple[int, int] | None = None
    pattern: str | None = None
    check: Check | None = None

    def __post_init__(self) -> None:
        x, y, width, height = self.box
        far = 1 + EDGE_TOLERANCE
        if not (x >= 0 and y >= 0 and 0 < width <= far - x and 0 < height <= far - y):
            self._refuse(
                "box", "[x, y, width, height] in fractions of the page, within it", list(self.box)
            )
        fewest, most = self.digits
        if not (0 <= fewest <= most and 1 <= most <= MAX_DIGITS):
            self._refuse(
                "digits", f"a number from 1 to {MAX_DIGITS}, or [fewest, most]", list(self.digits)
            )
        if self.range is not None and self.range[0] > self.range[1]:
            self._refuse("range", "[lowest, highest]", list(self.range))
        try:
            re.compile(self.pattern or "")
        except re.error as exc:
            self._refuse("pattern", "a regular expression", f"{self.pattern} ({exc})")
        if isinstance(self.check, str):
            try:
                require_rule(self.check)
            except InvalidInputError as exc:
                raise InvalidInputError(f"field {self.name!r}: {exc}") from exc

    def find_broken_rules(self, text: str) -> list[str]:
        """Return what is wrong with a text in this field, in words; nothing if it may be right.

        Args:
            text: What was read. An empty one breaks no rule where the field may be empty.
        """
        fewest, most = self.digits
        if not text and fewest == 0:
            return []
        broken = []
        if not fewest <= len(text) <= most:
            expected = f"{most}" if fewest == most else f"{fewest} to {most}"
            broken.append(f"length: expected {expected} digits, got {len(text)}")
        if not text.isdigit():
            return broken
        if self.range is not None and not self.range[0] <= int(text) <= self.range[1]:
            broken.append(f"range: expected {self.range[0]} to {self.range[1]}")
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            broken.append(f"pattern: expected {self.pattern}")
        if self.check is not None and not has_valid_check(text, self.check):
            name = "weighted sum" if isinstance(self.check, WeightedSum) else self.check
            broken.append(f"check digit: wrong by {name}")
        return broken

    def _refuse(self, key: str, expected: str, got: object) -> None:
        raise InvalidInputError(f"field {self.name!r}: {key}", expected=expected, got=str(got))


@dataclass(frozen=True)
class FormFields:
    """A form: how its page is found, and its fields.

    Attributes:
        fields: At least one; no two have the same name.
        find: How the page is found: by its outline, by the features of a reference picture, or as
            the whole picture (a scan).
        aspect: The page's width divided by its height; None to take it from the picture.
        reference: A picture of the empty page, from edge to edge; None without.
        path: The file that it was loaded from, if it was.
    """

    fields: tuple[Field, ...]
    find: Find = "outline"
    aspect: float | None = None
    reference: Path | None = None
    path: Path | None = field(default=None, compare=False)

    @property
    def files(self) -> list[Path]:
        """All that is read to know it."""
        return [path for path in (self.path, self.reference) if path is not None]

    def __post_init__(self) -> None:
        names = [one.name for one in self.fields]
        if not names:
            raise InvalidInputError("a form", expected="at least one [[field]]", got="none")
        for name in names:
            if names.count(name) > 1:
                raise InvalidInputError(
                    "a form", expected="a name for each field", got=f"{name!r} more than once"
                )
        if self.find not in get_args(Find):
            raise InvalidInputError("page: find", expected=", ".join(get_args(Find)), got=self.find)
        if (self.find == "reference") != (self.reference is not None):
            raise InvalidInputError(
                "page: reference",
                expected="a picture of the empty page if, and only if, find is reference",
                got=str(self.reference or "none"),
            )
        if self.aspect is not None and not 0.05 <= self.aspect <= 20:
            raise InvalidInputError(
                "page: aspect", expected="width divided by height", got=str(self.aspect)
            )
