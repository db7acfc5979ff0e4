"""The named fields of a form: where they stand on the page, and what belongs in them.

A FIELDS.toml holds them; docs/fields.md describes it.
"""

import json
import re
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from edge_mnist.check_digits import Check, WeightedSum, has_valid_check, require_rule
from edge_mnist.errors import InvalidInputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

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
    """

    fields: tuple[Field, ...]
    find: Find = "outline"
    aspect: float | None = None
    reference: Path | None = None

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
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


def load_fields(path: Path) -> FormFields:
    """Load a FIELDS.toml.

    Args:
        path: The file; a reference picture that it names is looked for beside it.

    Raises:
        InvalidInputError: If it cannot be read, is no TOML, or says what cannot be.
    """
    try:
        table = tomllib.loads(path.read_bytes().decode())
    except OSError as exc:
        raise InvalidInputError(f"cannot read {path}", got=exc.strerror or str(exc)) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"cannot read {path}", expected="TOML", got=str(exc)) from exc
    try:
        return _parse_form(table, path.parent)
    except InvalidInputError as exc:
        raise InvalidInputError(f"cannot use {path}: {exc}") from exc


def render_fields(form: FormFields) -> str:
    """Return a form as the text of a FIELDS.toml; `load_fields` reads it back."""
    page = ["[page]", f'find = "{form.find}"']
    if form.aspect is not None:
        page.append(f"aspect = {form.aspect:.5g}")
    if form.reference is not None:
        page.append(f"reference = {_quote(str(form.reference))}")
    return "\n\n".join(["\n".join(page), *map(_render_field, form.fields)]) + "\n"


def _render_field(field: Field) -> str:
    fewest, most = field.digits
    lines = [
        "[[field]]",
        f"name = {_quote(field.name)}",
        f"box = [{', '.join(f'{side:.5f}' for side in field.box)}]",
        f"digits = {most if fewest == most else [fewest, most]}",
    ]
    if field.cells:
        lines.append("cells = true")
    if field.range is not None:
        lines.append(f"range = {list(field.range)}")
    if field.pattern is not None:
        lines.append(f"pattern = {_quote(field.pattern)}")
    if isinstance(field.check, WeightedSum):
        weights = list(field.check.weights)
        lines.append(f"check = {{ weights = {weights}, modulus = {field.check.modulus} }}")
    elif field.check is not None:
        lines.append(f"check = {_quote(field.check)}")
    return "\n".join(lines)


def _quote(text: str) -> str:
    # Strings of JSON, without DEL, are strings of TOML.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _parse_form(table: dict[str, Any], folder: Path) -> FormFields:
    _check_keys(table, {"page", "field"}, "the file")
    page, entries = table.get("page", {}), table.get("field", [])
    if not isinstance(page, dict) or not isinstance(entries, list):
        raise InvalidInputError("the file", expected="one [page] and [[field]] entries")
    _check_keys(page, {"find", "aspect", "reference"}, "page")
    reference = page.get("reference")
    if reference is not None:
        _require(isinstance(reference, str), "page: reference", "a file name", reference)
        reference = folder / reference
    aspect = page.get("aspect")
    _require(aspect is None or _is_number(aspect), "page: aspect", "a number", aspect)
    return FormFields(
        tuple(_parse_field(entry, number) for number, entry in enumerate(entries, 1)),
        page.get("find", "outline" if reference is None else "reference"),
        aspect,
        reference,
    )


def _parse_field(entry: Any, number: int) -> Field:
    _require(isinstance(entry, dict), f"field {number}", "a table", entry)
    name = entry.get("name")
    _require(isinstance(name, str) and name, f"field {number}: name", "a text", name)
    where = f"field {name!r}"
    _check_keys(entry, {field.name for field in fields(Field)}, where)
    box, digits = entry.get("box"), entry.get("digits")
    _require(
        isinstance(box, list) and len(box) == 4 and all(map(_is_number, box)),
        f"{where}: box",
        "[x, y, width, height] in fractions of the page",
        box,
    )
    digits = [digits, digits] if _is_whole(digits) else digits
    _require(_is_pair(digits), f"{where}: digits", "a number, or [fewest, most]", digits)
    cells, limits = entry.get("cells", False), entry.get("range")
    _require(isinstance(cells, bool), f"{where}: cells", "true or false", cells)
    _require(limits is None or _is_pair(limits), f"{where}: range", "[lowest, highest]", limits)
    pattern = entry.get("pattern")
    _require(pattern is None or isinstance(pattern, str), f"{where}: pattern", "a text", pattern)
    return Field(
        name,
        tuple(map(float, box)),
        tuple(digits),
        cells,
        None if limits is None else tuple(limits),
        pattern,
        _parse_check(entry.get("check"), where),
    )


def _parse_check(check: Any, where: str) -> Check | None:
    if check is None or isinstance(check, str):
        return check
    expected = "a rule's name, or { weights = [...], modulus = ... }"
    _require(isinstance(check, dict), f"{where}: check", expected, check)
    _check_keys(check, {"weights", "modulus"}, f"{where}: check")
    weights, modulus = check.get("weights"), check.get("modulus")
    _require(
        isinstance(weights, list) and all(map(_is_whole, weights)) and _is_whole(modulus),
        f"{where}: check",
        expected,
        check,
    )
    return WeightedSum(tuple(weights), modulus)


def _check_keys(table: dict[str, Any], known: set[str], where: str) -> None:
    for key in table:
        _require(key in known, f"{where}: unknown key", ", ".join(sorted(known)), key)


def _require(is_right: object, what: str, expected: str, got: object) -> None:
    if not is_right:
        raise InvalidInputError(what, expected=expected, got="none" if got is None else str(got))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value))
