"""Pictures that hold no digit, to measure whether a model turns them down.

All is drawn or cut by a seed. What a crop pipeline would find as ink on paper, letters, shapes and
halves of digits, goes through `normalize_digit` as a digit would; crops without a stroke go in as
they are. Left out is what a person would read as a digit once size and place are normalised away:

- letters: O o Q D as 0, G b as 6, a g q as 9, I i l j as 1, Z z as 2, S s as 5, B as 8, y Y as an
  open 4; in the script fonts, where loops and swashes make digits of many more (E a 3, L a 2, f a
  1, c a 6), all but `SCRIPT_LETTERS`;
- shapes: circles, ellipses and polygons near them as 0, straight lines and upright arrows as 1,
  zigzags of less than four strokes as 2, 3 or 7, spirals of less than two and a half turns as 6
  or 9, and upright diamonds as 0;
- halves: all of 1, 3, 6, 7, 8 and 9, which leave a 0, 1, 3, 6 or 7 (those of a 1 are a 1), the
  top of a 2 (a 7), the bottom of a 4 (a 1 or a 7), and all left and right halves: most leave a bar,
  a narrow digit of the same kind or a 6. `HALVES` are the others.
"""

import math
import string
from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist.dataset import Examples
from edge_mnist.errors import InvalidInputError
from edge_mnist.preprocessing import IMAGE_SIZE, GrayImage, normalize_digit
from edge_mnist.vision.shapes import SHAPES

DEFAULT_COUNT = 400
DEFAULT_SEED = 0

# Pixels that a drawing spans on a canvas with room around it: four to a pixel of the result.
DRAWING_SIZE = 80
CANVAS_SIZE = 180
# A stroke's width on it, the end excluded: two to four pixels of the result, as in MNIST.
STROKE_WIDTHS_PX = (7, 16)
SLANT = 0.25  # the largest shear, to either side
TILT_DEG = 8.0  # the largest rotation, to either side

# OpenCV takes coordinates as integers with this many bits of fraction.
FRACTION_BITS = 4
INK = (255.0,)

READS_AS_DIGIT = set("OoQDGabgqIiljZzSsByY")
LETTERS = sorted(set(string.ascii_letters) - READS_AS_DIGIT)
SCRIPT_LETTERS = list("AHKMNRUVWXkmnwx")
SCRIPT_FONTS = (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    *SCRIPT_FONTS,
)

# The digits whose half is none itself.
HALVES = {"top": (0, 4, 5), "bottom": (0, 2, 5)}

# Returns None if nothing came of it, to be drawn again.
Draw = Callable[[Generator], GrayImage | None]


def make_non_digits(
    digits: Examples, count: int = DEFAULT_COUNT, seed: int = DEFAULT_SEED
) -> dict[str, NDArray[np.uint8]]:
    """Make pictures of what is no digit.

    Args:
        digits: What halves are cut from; at least one of a digit in `HALVES`.
        count: Images of each kind, at least 1.
        seed: The same seed, count and digits give the same images.

    Returns:
        By kind (letters, shapes, halves, blank, noise, textures), uint8 [count, 28, 28]: 0 is
        paper and 255 is ink.

    Raises:
        InvalidInputError: If `count` is below 1, or `digits` has none that can be halved.
    """
    if count < 1:
        raise InvalidInputError("non-digits", expected="at least 1 of a kind", got=str(count))
    draws: dict[str, Draw] = {
        "letters": _draw_letter,
        "shapes": _draw_shape,
        "halves": _half_cutter(digits),
        "blank": _make_blank,
        "noise": _make_noise,
        "textures": _make_texture,
    }
    made = {}
    for index, (kind, draw) in enumerate(draws.items()):
        rng = np.random.default_rng([seed, index])
        images: list[GrayImage] = []
        while len(images) < count:
            image = draw(rng)
            if image is not None:
                images.append(image)
        made[kind] = np.stack(images)
    return made


def _draw_letter(rng: Generator) -> GrayImage | None:
    font = int(rng.choice(FONTS))
    is_script = font in SCRIPT_FONTS
    letter = str(rng.choice(SCRIPT_LETTERS if is_script else LETTERS))
    if not is_script and rng.random() < 0.25:
        font |= cv2.FONT_ITALIC
    # The fonts differ in height: the letter's own box decides its scale.
    size, _ = cv2.getTextSize(letter, font, 1.0, 1)
    scale = DRAWING_SIZE / max(size)
    (width, height), _ = cv2.getTextSize(letter, font, scale, 1)
    start = ((CANVAS_SIZE - width) // 2, (CANVAS_SIZE + height) // 2)
    # Script has narrow loops, which a thick pen fills.
    stroke = int(rng.integers(*STROKE_WIDTHS_PX) * (0.6 if is_script else 1))
    canvas = np.zeros((CANVAS_SIZE, CANVAS_SIZE), np.uint8)
    cv2.putText(canvas, letter, start, font, scale, INK, stroke, cv2.LINE_AA)
    return _normalize_slanted(canvas, rng)


def _draw_shape(rng: Generator) -> GrayImage | None:
    name = str(rng.choice(list(SHAPES)))
    lines, is_closed = SHAPES[name](rng)
    # The turns of a spiral lie close together.
    stroke = STROKE_WIDTHS_PX[0] if name == "spiral" else int(rng.integers(*STROKE_WIDTHS_PX))
    is_filled = is_closed and rng.random() < 0.3
    canvas = np.zeros((CANVAS_SIZE, CANVAS_SIZE), np.uint8)
    for line in lines:
        # No hand draws straight lines' ends where they belong; curves have many points.
        jitter = rng.normal(0, 0.02, line.shape) if len(line) < 12 else np.zeros(line.shape)
        places = (line + jitter) * (DRAWING_SIZE / 2) + CANVAS_SIZE / 2
        points = np.rint(places * 2**FRACTION_BITS).astype(np.int32)
        if is_filled:
            cv2.fillPoly(canvas, [points], INK, cv2.LINE_AA, FRACTION_BITS)
        else:
            cv2.polylines(canvas, [points], is_closed, INK, stroke, cv2.LINE_AA, FRACTION_BITS)
    return _normalize_slanted(canvas, rng)


def _normalize_slanted(canvas: GrayImage, rng: Generator) -> GrayImage | None:
    """Slant and tilt a drawing, bright on dark, as a hand would; return it as a model's input."""
    angle = math.radians(rng.uniform(-TILT_DEG, TILT_DEG))
    shear = rng.uniform(-SLANT, SLANT)
    cos, sin = math.cos(angle), math.sin(angle)
    linear = np.array([[cos, cos * shear - sin], [sin, sin * shear + cos]])
    middle = np.full(2, (CANVAS_SIZE - 1) / 2)
    matrix = np.column_stack([linear, middle - linear @ middle])
    slanted = cv2.warpAffine(canvas, matrix, (CANVAS_SIZE, CANVAS_SIZE)).astype(np.uint8)
    return _normalize(slanted)


def _normalize(picture: GrayImage) -> GrayImage | None:
    digit = normalize_digit(picture)
    return None if digit is None else digit.image


def _half_cutter(digits: Examples) -> Draw:
    """Return what cuts a digit of `HALVES` along the middle of its ink."""
    has_rows = (digits.images > 127).any(axis=2).sum(axis=1) >= 2
    found = [
        (side, np.flatnonzero((digits.labels == digit) & has_rows))
        for side in HALVES
        for digit in HALVES[side]
    ]
    choices = [(side, indices) for side, indices in found if len(indices)]
    if not choices:
        raise InvalidInputError(
            "cannot cut halves of digits", expected="an image of a 0, 2, 4 or 5", got="none"
        )

    def cut(rng: Generator) -> GrayImage | None:
        side, indices = choices[rng.integers(len(choices))]
        image = digits.images[rng.choice(indices)]
        rows = np.flatnonzero((image > 127).any(axis=1))
        middle = int(rows[0] + rows[-1] + 1) // 2
        half = image.copy()
        if side == "top":
            half[middle:] = 0
        else:
            half[:middle] = 0
        return _normalize(half)

    return cut


def _make_blank(rng: Generator) -> GrayImage:
    """Make an even crop, or one with a shadow, with a sensor's noise of up to three levels."""
    y, x = _coordinates()
    angle = rng.uniform(0, 2 * math.pi)
    slope = rng.choice([0.0, rng.uniform(0, 60)])
    surface = rng.uniform(0, 255) + slope * (x * math.cos(angle) + y * math.sin(angle))
    return _as_image(surface + rng.normal(0, rng.uniform(0, 3), surface.shape))


def _make_noise(rng: Generator) -> GrayImage:
    """Make noise of one of four sorts: normal, even, specks, or blots of some pixels' size."""
    size = (IMAGE_SIZE, IMAGE_SIZE)
    sort = rng.integers(4)
    if sort == 0:
        return _as_image(rng.normal(rng.uniform(0, 200), rng.uniform(20, 100), size))
    if sort == 1:
        return _as_image(rng.uniform(0, rng.uniform(60, 255), size))
    if sort == 2:
        return _as_image((rng.random(size) < rng.uniform(0.02, 0.3)) * rng.uniform(120, 255, size))
    blots = cv2.GaussianBlur(rng.normal(0, 1, size), (0, 0), rng.uniform(0.7, 1.6))
    return _as_image(255 * (0.5 + rng.uniform(0.2, 0.6) * blots / blots.std()))


def _make_texture(rng: Generator) -> GrayImage:
    """Make stripes, checks, dots, crosshatch or ripples: at least three periods in the crop."""
    y, x = _coordinates()
    angle = rng.uniform(0, math.pi)
    periods = rng.uniform(3, 7)
    u = (x * math.cos(angle) + y * math.sin(angle)) * periods * 2 * math.pi + rng.uniform(0, 6)
    v = (y * math.cos(angle) - x * math.sin(angle)) * periods * 2 * math.pi + rng.uniform(0, 6)
    patterns = [
        np.sin(u),
        np.sin(u) * np.sin(v),
        np.maximum(np.sin(u), np.sin(v)),
        np.cos(u) + np.cos(v) - 1,
        np.sin(u + 2 * np.sin(v / 2)),
    ]
    pattern = patterns[rng.integers(len(patterns))]
    sharp = 1 / (1 + np.exp(-pattern * rng.uniform(1, 8)))
    low, high = sorted(rng.uniform(0, 255, 2))
    contrast = max(high - low, 80.0)
    texture = min(low, 255 - contrast) + contrast * sharp
    return _as_image(texture + rng.normal(0, rng.uniform(0, 8), texture.shape))


def _coordinates() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each pixel's row and column, float64 [28, 28], from -1/2 to 1/2."""
    places = np.linspace(-0.5, 0.5, IMAGE_SIZE)
    y, x = np.meshgrid(places, places, indexing="ij")
    return y, x


def _as_image(levels: NDArray[np.float64]) -> GrayImage:
    image: GrayImage = np.rint(np.clip(levels, 0, 255)).astype(np.uint8)
    return image
