"""Dataclasses from JSON that others wrote: every value has the type that its field says."""

import dataclasses
import json
import math
from types import UnionType
from typing import Any, NoReturn, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

# What JSON calls the types of Python's that it becomes.
NAMES = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a whole number",
}
NAMES |= {float: "a number", type(None): "null"}


def parse_json(text: str | bytes) -> Any:
    """Return what JSON holds.

    Raises:
        ValueError: If it is no JSON, has numbers in it that JSON does not know, or is nested too
            deeply to be read.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_typed(kind: type[T], value: Any, place: str = "") -> T:
    """Return a value of JSON as what a type says.

    Args:
        kind: A dataclass, or one of the types that its fields may have: str, bool, int, float,
            lists, dictionaries by text, tuples of a fixed length, and any of these or None.
        value: What `parse_json` returned, or a part of it.
        place: Where that stood, for errors.

    Raises:
        ValueError: If a value has another type or is no finite number, a field is missing, or one
            is unknown.
    """
    return cast(T, _read(kind, value, place))


def _read(kind: Any, value: Any, place: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _read_fields(kind, value, place)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else _read(parts[0], value, place)
    if origin is dict:
        fields = _expect(dict, value, place).items()
        return {name: _read(parts[1], field, _join(place, name)) for name, field in fields}
    if origin is list:
        found = _expect(list, value, place)
        return [_read(parts[0], item, f"{place}[{number}]") for number, item in enumerate(found)]
    if origin is tuple:
        found = _expect(list, value, place)
        if len(found) != len(parts):
            raise ValueError(f"{place} holds {len(found)} values, not {len(parts)}")
        pairs = enumerate(zip(parts, found, strict=True))
        return tuple(_read(part, item, f"{place}[{number}]") for number, (part, item) in pairs)
    return _read_plain(kind, value, place)


def _read_fields(kind: Any, value: Any, place: str) -> Any:
    given, hints = _expect(dict, value, place), get_type_hints(kind)
    unknown = [name for name in given if name not in hints]
    if unknown:
        raise ValueError(f"there is no {_join(place, unknown[0])}")
    needed = (
        field.name
        for field in dataclasses.fields(kind)
        if field.default is field.default_factory is dataclasses.MISSING
    )
    missing = [name for name in needed if name not in given]
    if missing:
        raise ValueError(f"{_join(place, missing[0])} is missing")
    return kind(**{name: _read(hints[name], given[name], _join(place, name)) for name in given})


def _read_plain(kind: Any, value: Any, place: str) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is float and is_number:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f"{place} is too large")
        return number
    return _expect(kind, value, place)


def _expect(kind: Any, value: Any, place: str) -> Any:
    if type(value) is not kind:  # to Python, true is a whole number as well
        raise ValueError(f"{place or 'it'} is {NAMES[type(value)]}, not {NAMES[kind]}")
    return value


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
