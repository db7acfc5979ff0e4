"""What was read, told: as plain values for JSON, and as text."""

from typing import Any

from edge_mnist.vision.field_reading import FieldReading, FormReading
from edge_mnist.vision.reading import Number, Reading
from edge_mnist.vision.tracking import StableNumber


def describe_reading(reading: Reading) -> dict[str, Any]:
    """Return the lines, digits and numbers of a frame as plain values."""
    digits = [
        {
            "digit": found.digit,
            "confidence": round(found.confidence, 4),
            "box": list(found.box),
        }
        for found in reading.digits
    ]
    numbers = [describe_number(number) for number in reading.numbers]
    return {"lines": reading.lines, "digits": digits, "numbers": numbers}


def describe_number(number: Number | StableNumber) -> dict[str, Any]:
    """Return a number with its confidence and place as plain values."""
    return {
        "text": number.text,
        "confidence": round(number.confidence, 4),
        "box": list(number.box),
    }


def describe_form(reading: FormReading) -> dict[str, Any]:
    """Return the page's corners and the fields of a form as plain values."""
    corners = reading.corners
    return {
        "corners": None if corners is None else [[round(x, 1), round(y, 1)] for x, y in corners],
        "fields": [describe_field(field) for field in reading.fields],
    }


def describe_field(field: FieldReading) -> dict[str, Any]:
    """Return all that is known of a field as plain values."""
    return {
        "name": field.name,
        "text": field.text,
        "confidence": None if field.confidence is None else round(field.confidence, 4),
        "digits": [
            {
                "digit": digit.digit,
                "confidence": round(digit.confidence, 4),
                "second": digit.second,
                "second_confidence": round(digit.second_confidence, 4),
            }
            for digit in field.digits
        ],
        "doubts": list(field.doubts),
    }


def render_lines(reading: Reading) -> list[str]:
    """Return each line of a frame: its numbers, and how sure each is."""
    return [
        ", ".join(f"{number.text} ({_percent(number.confidence)})" for number in row)
        for row in reading.rows
    ]


def render_fields(reading: FormReading) -> list[str]:
    """Return each field of a form in a line."""
    if reading.corners is None:
        return ["page not found"]
    return [render_field(field) for field in reading.fields]


def render_field(field: FieldReading) -> str:
    """Return a field in a line: its name and text, how sure that is, and what speaks against it."""
    confidence = "" if field.confidence is None else f" ({_percent(field.confidence)})"
    doubts = f"; doubtful: {', '.join(field.doubts)}" if field.doubts else ""
    return f"{field.name}: {field.text or 'empty'}{confidence}{doubts}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
