"""Three printed forms, drawn empty, with their fields and what people write into them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist.check_digits import has_valid_check
from edge_mnist.vision.fields import Field, Find, FormFields

Fill = Callable[[Generator], str]

PAPER, PRINT, FRAME = 248, 40, 110
PLATE, WINDOW = 205, 35
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Layout:
    """A form.

    Attributes:
        name: Of its files.
        find: How its page is found in a photograph.
        blank: uint8 [height, width], the empty page.
        fields: Its fields.
        fills: What draws the content of each field, in the order of `fields`.
        light_ink: Whether digits are white on dark windows.
    """

    name: str
    find: Find
    blank: NDArray[np.uint8]
    fields: tuple[Field, ...]
    fills: tuple[Fill, ...]
    light_ink: bool = False

    @property
    def form(self) -> FormFields:
        """What its FIELDS.toml says; the reference picture stands beside it."""
        height, width = self.blank.shape
        reference = Path(f"{self.name}.png") if self.find == "reference" else None
        return FormFields(self.fields, self.find, width / height, reference)


def make_layouts() -> tuple[Layout, ...]:
    """Return the registration form, the score sheet and the meter."""
    return make_registration(), make_score_sheet(), make_meter()


def make_registration() -> Layout:
    """A4 with comb fields, found by its outline."""
    width, height = 1240, 1754
    page = np.full((height, width), PAPER, np.uint8)
    print_text(page, "REGISTRATION 2024", (90, 150), 2.0, 4)
    print_text(page, "Please use one box for each digit. Form 47-B, page 1 of 1", (90, 215), 0.8)
    date = r"(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])(19|20)[0-9]{2}"
    rows: list[tuple[str, str, tuple[int, int], dict[str, object], Fill]] = [
        ("member", "1. Member number", (8, 8), {"check": "luhn"}, numbers(8, check="luhn")),
        ("birth_date", "2. Date of birth (DDMMYYYY)", (8, 8), {"pattern": date}, write_date),
        ("postcode", "3. Postcode", (5, 5), {}, numbers(5)),
        ("phone", "4. Telephone, 7 to 11 digits", (7, 11), {}, numbers(7, 11)),
        (
            "account",
            "5. Account",
            (10, 10),
            {"check": "iso7064-mod97-10"},
            numbers(10, check="iso7064-mod97-10"),
        ),
        ("guests", "6. Guests (0 to 40)", (1, 2), {"range": (0, 40)}, below(41)),
        ("office", "7. For office use, leave empty", (0, 3), {}, numbers(0)),
    ]
    fields, fills = [], []
    for row, (name, caption, digits, rules, fill) in enumerate(rows):
        top, cell = 330 + row * 190, (84, 96)
        print_text(page, caption, (90, top - 18), 0.85)
        for index in range(digits[1]):
            draw_frame(page, (90 + index * cell[0], top, *cell), FRAME, 2)
        box = (90, top, digits[1] * cell[0], cell[1])
        fields.append(Field(name, to_fractions(box, page), digits, cells=True, **rules))  # type: ignore[arg-type]
        fills.append(fill)
    print_text(page, "Signature:", (90, 1690), 0.85)
    cv2.line(page, (260, 1692), (900, 1692), PRINT, 2)
    return Layout("registration", "outline", page, tuple(fields), tuple(fills))


def make_score_sheet() -> Layout:
    """A table of numbers that are written as one likes, found by its outline."""
    width, height = 1400, 1000
    page = np.full((height, width), PAPER, np.uint8)
    print_text(page, "Score sheet, 3rd league", (80, 100), 1.7, 3)
    left, top, cell = 80, 150, (248, 95)
    columns = ("Player", "Round 1", "Round 2", "Round 3", "Total")
    fields, fills = [], []
    for row in range(8):
        for column, title in enumerate(columns):
            box = (left + column * cell[0], top + row * cell[1], *cell)
            draw_frame(page, box, FRAME, 2)
            if row == 0:
                print_text(page, title, (box[0] + 20, box[1] + 60), 1.1, 2)
            elif column == 0:
                print_text(page, f"No. {row}", (box[0] + 20, box[1] + 60), 1.1, 2)
            else:
                limit = 1000 if title == "Total" else 181
                name = f"{title.lower().replace(' ', '')}_{row}"
                where = to_fractions(box, page)
                fields.append(Field(name, where, (0, 3), range=(0, limit - 1)))
                fills.append(below(limit))
    print_text(page, "Referee:", (80, 965), 0.9)
    return Layout("score_sheet", "outline", page, tuple(fields), tuple(fills))


def make_meter() -> Layout:
    """A counter's face: white digits in dark windows, found by a reference picture."""
    width, height = 1200, 760
    page = np.full((height, width), PLATE, np.uint8)
    print_text(page, "AQUA 2000", (60, 95), 1.8, 4)
    print_text(page, "Q3 4 m3/h   PN16   T30   No. 83-115", (560, 90), 0.9, 2)
    print_text(page, "m3", (1010, 270), 1.6, 3)
    print_text(page, "kWh", (1010, 530), 1.6, 3)
    print_text(page, "EN 14154  class 2  made 2019", (60, 710), 0.9, 2)
    cv2.circle(page, (1080, 650), 52, PRINT, 3)
    for angle in range(0, 360, 36):
        place = 40 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        cv2.circle(page, (int(1080 + place[0]), int(650 + place[1])), 4, PRINT, -1)
    fields, fills = [], []
    for name, top, count in (("volume", 180, 7), ("energy", 440, 6)):
        pitch = 125
        for index in range(count):
            x = 60 + index * pitch
            cv2.rectangle(page, (x + 8, top), (x + pitch - 8, top + 150), WINDOW, -1)
        box = (60, top, count * pitch, 150)
        fields.append(Field(name, to_fractions(box, page), (count, count), cells=True))
        fills.append(numbers(count))
    return Layout("meter", "reference", page, tuple(fields), tuple(fills), light_ink=True)


def print_text(
    page: NDArray[np.uint8], text: str, start: tuple[int, int], scale: float, stroke: int = 2
) -> None:
    """Print text from its left lower corner on."""
    cv2.putText(page, text, start, FONT, scale, PRINT, stroke, cv2.LINE_AA)


def draw_frame(
    page: NDArray[np.uint8], box: tuple[int, int, int, int], level: int, stroke: int
) -> None:
    """Draw the outline of a box of x, y, width and height."""
    x, y, width, height = box
    cv2.rectangle(page, (x, y), (x + width, y + height), level, stroke)


def to_fractions(
    box: tuple[int, int, int, int], page: NDArray[np.uint8]
) -> tuple[float, float, float, float]:
    """Return a box in pixels as fractions of the page."""
    height, width = page.shape
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def numbers(fewest: int, most: int | None = None, check: str | None = None) -> Fill:
    """Return what writes a number of so many digits, which keeps to a check-digit rule."""

    def write(rng: Generator) -> str:
        count = int(rng.integers(fewest, (most or fewest) + 1))
        while True:
            text = "".join(map(str, rng.integers(0, 10, count)))
            if check is None or has_valid_check(text, check):
                return text

    return write


def below(limit: int) -> Fill:
    """Return what writes a number from 0 to below a limit."""
    return lambda rng: str(rng.integers(0, limit))


def write_date(rng: Generator) -> str:
    """Write a date as DDMMYYYY."""
    day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(1930, 2021)
    return f"{day:02}{month:02}{year}"
