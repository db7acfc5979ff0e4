"""FIELDS.toml: a form in a file. docs/fields.md describes it."""

import json
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from edge_mnist.check_digits import Check, WeightedSum
from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.fields import Field, FormFields

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


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
        return replace(_parse_form(table, path.parent), path=path)
    except InvalidInputError as exc:
        raise InvalidInputError(f"cannot use {path}: {exc}") from exc


def render_fields(form: FormFields) -> str:
    """Return a form as the text of a FIELDS.toml; `load_fields` reads it back."""
    page = ["[page]", f'find = "{form.find}"']
    if form.aspect is not None:
        page.append(f"aspect = {form.aspect:.5g}")
    if form.reference is not None:
        page.append(f"reference = {_quote(form.reference.as_posix())}")
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
        (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
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
