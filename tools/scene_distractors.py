"""What else is on a page: words, printed text, lines, frames, stains, scribbles."""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from scene_writing import Coverage, Stroke, put_ink, take_pen

from edge_mnist.vision.frames import Picture

# Left, top, right and bottom, in pixels of the picture that is drawn on.
Area = tuple[float, float, float, float]

WORDS = (
    "Name", "Date", "Total", "Meter", "Room", "kWh", "Ref", "Amount", "Phone", "from", "Water",
    "May", "paid", "Nr", "west", "Anna", "copy", "shelf", "ok", "tested", "Sample", "and", "page",
)  # fmt: skip
PROSE = (
    "Please return this sheet to the front desk before the end of the week.",
    "Readings are taken once a month and kept with the other papers.",
    "All values in whole units; leave the field empty if unknown.",
    "The office is open on weekdays and closed on public holidays.",
    "Keep this part for your records. Thank you for your help.",
)
SCRIPT_FONTS = (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SIMPLEX)
PRINT_FONTS = (cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)
PRINT = Stroke(color=(48.0, 46.0, 46.0), width=0.1, opacity=0.9, grain=0.05)

# How often a free place is looked for before a distractor is left out.
TRIES = 40


class Room:
    """Which parts of a picture are taken."""

    def __init__(self, bounds: Area, numbers: list[Area], distance: float) -> None:
        """Take note of what is there.

        Args:
            bounds: Where there is room.
            numbers: What may not be covered.
            distance: How near to a number something may come.
        """
        self.bounds = bounds
        self.numbers = numbers
        self.taken = [
            (left - distance, top - distance, right + distance, bottom + distance)
            for left, top, right, bottom in numbers
        ]

    def place(self, width: float, height: float, rng: Generator) -> tuple[int, int] | None:
        """Return the left upper corner of a free place, which is taken then; None if none."""
        left, top, right, bottom = self.bounds
        if width > right - left or height > bottom - top:
            return None
        for _ in range(TRIES):
            x, y = rng.uniform(left, right - width), rng.uniform(top, bottom - height)
            if self.is_free((x, y, x + width, y + height)):
                self.taken.append((x, y, x + width, y + height))
                return round(x), round(y)
        return None

    def is_free(self, area: Area) -> bool:
        """Return whether an area touches nothing that is taken."""
        return not any(
            area[0] < right and left < area[2] and area[1] < bottom and top < area[3]
            for left, top, right, bottom in self.taken
        )


def draw_word(page: Picture, room: Room, height: float, stroke: Stroke, rng: Generator) -> bool:
    """Write a word by hand, with the pen of the numbers."""
    word = WORDS[rng.integers(len(WORDS))]
    font = SCRIPT_FONTS[rng.integers(len(SCRIPT_FONTS))]
    tall = height * rng.uniform(0.7, 1.2)
    text = _draw_text(word, font, tall, max(2.0, stroke.width * tall))
    return _put(page, room, _wobble(text, 0.05 * tall, rng), stroke, rng)


def draw_print(page: Picture, room: Room, height: float, stroke: Stroke, rng: Generator) -> bool:
    """Print one to three lines of text, smaller than the numbers."""
    font = PRINT_FONTS[rng.integers(len(PRINT_FONTS))]
    tall = max(14.0, height * rng.uniform(0.2, 0.45))
    lines = [
        _draw_text(PROSE[index][: rng.integers(18, 60)].strip(), font, tall, 0.11 * tall)
        for index in rng.choice(len(PROSE), rng.integers(1, 4), replace=False)
    ]
    gap = round(0.4 * tall)
    width = max(line.shape[1] for line in lines)
    block = np.concatenate([np.pad(line, ((0, gap), (0, width - line.shape[1]))) for line in lines])
    return _put(page, room, block, PRINT, rng)


def draw_line(page: Picture, room: Room, height: float, stroke: Stroke, rng: Generator) -> bool:
    """Draw a line by hand, level or upright."""
    left, top, right, bottom = room.bounds
    is_level = rng.random() < 0.7
    length = rng.uniform(0.2, 0.9) * (right - left if is_level else bottom - top)
    thickness = max(2.0, stroke.width * height)
    wobble = 0.02 * length
    long, short = round(length), round(2 * wobble + 2 * thickness)
    coverage = np.zeros((short, long), np.float32)
    places = np.linspace(thickness, long - thickness, 20)
    middle = short / 2 + rng.normal(0, 0.3) * wobble * np.linspace(-1, 1, 20)
    bend = rng.normal(0, 0.2) * wobble * np.sin(np.linspace(0, math.pi, 20))
    path = np.stack([places, middle + bend], axis=1)
    _draw_path(coverage, path, thickness)
    return _put(page, room, coverage if is_level else coverage.T.copy(), stroke, rng)


def draw_underline(
    page: Picture, room: Room, height: float, stroke: Stroke, rng: Generator
) -> bool:
    """Underline a number, as one does with a sum."""
    left, _, right, bottom = room.numbers[rng.integers(len(room.numbers))]
    top = bottom + rng.uniform(0.12, 0.28) * height
    ends = rng.uniform(-0.1, 0.4, 2) * height
    rise = rng.normal(0, 0.03, 2) * height
    _draw_on(
        page,
        [(left - ends[0], top + rise[0]), (right + ends[1], top + rise[1])],
        height,
        stroke,
        rng,
    )
    return True


def draw_frame(page: Picture, room: Room, height: float, stroke: Stroke, rng: Generator) -> bool:
    """Draw a frame around a number."""
    left, top, right, bottom = room.numbers[rng.integers(len(room.numbers))]
    x, y = rng.uniform(0.3, 0.6) * height, rng.uniform(0.16, 0.3) * height
    corners = np.array(
        [(left - x, top - y), (right + x, top - y), (right + x, bottom + y), (left - x, bottom + y)]
    )
    corners += rng.normal(0, 0.03 * height, (4, 2))
    _draw_on(page, [*corners, corners[0]], height, stroke, rng)
    return True


def draw_stain(page: Picture, room: Room, height: float, stroke: Stroke, rng: Generator) -> bool:
    """Leave a ring of coffee, a splash or a smudge."""
    size = round(height * rng.uniform(1.0, 3.5))
    y, x = np.ogrid[-1.2 : 1.2 : size * 1j, -1.2 : 1.2 : size * 1j]
    turn = np.arctan2(y, x)
    edge = 1 + sum(rng.normal(0, 0.04) * np.cos(k * turn + rng.uniform(0, 6)) for k in range(2, 7))
    distance = np.hypot(x, y) / edge
    sort = rng.integers(3)
    if sort == 0:  # a cup's ring, with gaps
        coverage = np.exp(-(((distance - 0.85) / 0.06) ** 2)) * np.clip(
            0.7 + 0.5 * np.cos(turn + rng.uniform(0, 6)), 0, 1
        )
    elif sort == 1:  # a drop, darker at its edge
        coverage = (distance < 0.9) * (0.45 + 0.5 * np.clip(distance, 0, 1) ** 6)
    else:
        coverage = np.exp(-((distance / 0.45) ** 2))
    color = ((40, 70, 105), (70, 80, 90), (60, 95, 150))[rng.integers(3)]
    ink = Stroke(tuple(map(float, color)), 0.0, rng.uniform(0.15, 0.4), 0.1)
    return _put(page, room, cv2.GaussianBlur(coverage.astype(np.float32), (0, 0), 1.5), ink, rng)


def draw_scribble(page: Picture, room: Room, height: float, stroke: Stroke, rng: Generator) -> bool:
    """Scrawl something, as a signature or what has been crossed out."""
    width, tall = round(height * rng.uniform(1.5, 4)), round(height * rng.uniform(0.8, 1.3))
    t = np.linspace(0, rng.uniform(3, 7) * 2 * math.pi, 200)
    drift = t / t[-1]
    path = np.stack(
        [
            width * (0.12 + 0.76 * drift + 0.08 * np.cos(t)),
            tall * (0.5 + 0.36 * np.sin(t + rng.uniform(0, 6)) * np.cos(t * rng.uniform(0.2, 0.4))),
        ],
        axis=1,
    )
    coverage = np.zeros((tall, width), np.float32)
    _draw_path(coverage, path, max(2.0, stroke.width * height))
    return _put(page, room, coverage, stroke, rng)


def draw_doodle(page: Picture, room: Room, height: float, stroke: Stroke, rng: Generator) -> bool:
    """Draw an arrow, a tick or a star, now and then with a red pen."""
    size = height * rng.uniform(0.9, 1.8)
    shapes = (
        [[(0.1, 0.5), (0.9, 0.5)], [(0.65, 0.3), (0.9, 0.5), (0.65, 0.7)]],
        [[(0.15, 0.55), (0.4, 0.85), (0.9, 0.15)]],
        [[(0.5, 0.1), (0.5, 0.9)], [(0.15, 0.3), (0.85, 0.7)], [(0.15, 0.7), (0.85, 0.3)]],
    )
    coverage = np.zeros((round(size), round(size)), np.float32)
    pen = take_pen("red pen", rng) if rng.random() < 0.4 else stroke
    for line in shapes[rng.integers(len(shapes))]:
        path = np.array(line) * size + rng.normal(0, 0.02 * size, (len(line), 2))
        _draw_path(coverage, path, max(2.0, pen.width * height))
    return _put(page, room, coverage, pen, rng)


def _draw_text(text: str, font: int, height: float, thickness: float) -> Coverage:
    """Return a line of text whose capitals are `height` pixels high."""
    (_, unit), _ = cv2.getTextSize("H", font, 4.0, 1)
    scale = 4.0 * height / unit
    weight = max(1, round(thickness))
    (width, above), below = cv2.getTextSize(text, font, scale, weight)
    room = weight + 2
    image = np.zeros((above + below + 2 * room, width + 2 * room), np.uint8)
    cv2.putText(image, text, (room, above + room), font, scale, 255, weight, cv2.LINE_AA)
    return image.astype(np.float32) / 255


def _wobble(coverage: Coverage, amount: float, rng: Generator) -> Coverage:
    """Move strokes about as a hand would not quite follow a pattern."""
    reach = math.ceil(3 * amount)
    padded = np.pad(coverage, reach)
    height, width = padded.shape
    cell = max(4.0, 6 * amount)
    coarse = (2, math.ceil(height / cell) + 2, math.ceil(width / cell) + 2)
    shift = [
        cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
        for field in amount * rng.standard_normal(coarse, np.float32)
    ]
    y, x = np.indices((height, width), np.float32)
    moved: Coverage = cv2.remap(padded, x + shift[0], y + shift[1], cv2.INTER_LINEAR)
    return moved


def _draw_path(coverage: Coverage, path: NDArray[np.float64], thickness: float) -> None:
    points = np.rint(path * 16).astype(np.int32)
    drawn = np.zeros(coverage.shape, np.uint8)
    cv2.polylines(drawn, [points], False, 255, max(1, round(thickness)), cv2.LINE_AA, 4)
    np.maximum(coverage, drawn.astype(np.float32) / 255, out=coverage)


def _draw_on(
    page: Picture, path: Sequence[ArrayLike], height: float, stroke: Stroke, rng: Generator
) -> None:
    """Draw a path right onto a page, past its numbers."""
    points = np.array(path)
    room = math.ceil(0.2 * height)
    left, top = np.floor(points.min(axis=0)).astype(int) - room
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + room
    coverage = np.zeros((bottom - top, right - left), np.float32)
    _draw_path(coverage, points - (left, top), max(2.0, stroke.width * height))
    put_ink(page, coverage, left, top, stroke, rng)


def _put(page: Picture, room: Room, coverage: Coverage, stroke: Stroke, rng: Generator) -> bool:
    """Draw ink at a free place; return whether there was one."""
    place = room.place(coverage.shape[1], coverage.shape[0], rng)
    if place is None:
        return False
    put_ink(page, coverage, *place, stroke, rng)
    return True


# By name: draws onto a page with its room, the digits' height and the pen.
ON_PAPER: dict[str, Callable[[Picture, Room, float, Stroke, Generator], bool]] = {
    "word": draw_word,
    "printed text": draw_print,
    "line": draw_line,
    "underline": draw_underline,
    "frame": draw_frame,
    "stain": draw_stain,
    "scribble": draw_scribble,
    "doodle": draw_doodle,
}
