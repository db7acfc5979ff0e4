"""Scenes with numbers: photographs of handwriting that are made, not taken."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scene_border import AT_BORDER, cover_border
from scene_camera import Lens, Pose, Sensor, expose, meter, see, take_pose
from scene_degrees import BOARDS, DEGREES, FRAME_SIZES, Degree
from scene_distractors import ON_PAPER, Area, Room
from scene_light import HARD_EDGE, SOFT_EDGE, Light, cast_shadow, make_light
from scene_page import SCALE, Layout, find_areas, lay_out, write
from scene_paper import crease, make_desk, make_paper, rule
from scene_truth import Scene, TrueNumber, Truth, WrittenNumber, project, project_points
from scene_writing import Stroke, take_pen

from edge_mnist.dataset import Examples
from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.frames import Picture

# Free room along the frame's sides, as a share of them.
BORDER = 0.03

# Chooses numbers and their places, from what `lay_out` takes.
Plan = Callable[[Examples, Area, Degree, Stroke, Generator], Layout]


@dataclass(frozen=True)
class Sheet:
    """A written page before a camera.

    Attributes:
        page: uint8 [height, width, 3], `SCALE` pixels to a unit.
        desk: uint8 [height, width, 3] of the frame: what is around it.
        pose: Where the camera stands.
        numbers: What is written.
        digit_height: In pixels of the frame.
        truth: What is known by now.
    """

    page: Picture
    desk: Picture
    pose: Pose
    numbers: tuple[WrittenNumber, ...]
    digit_height: float
    truth: Truth


def make_scene(
    index: int,
    difficulty: int,
    digits: Examples,
    seed: int = 0,
    size: tuple[int, int] | None = None,
) -> Scene:
    """Make a scene; the same arguments give the same one.

    Args:
        index: Which one.
        difficulty: 0 to 4, as described in scene_degrees.py.
        digits: What numbers are made of.
        seed: For another set of scenes.
        size: Width and height of the frame in pixels; None for one that cameras have.

    Raises:
        InvalidInputError: If there is no such difficulty.
    """
    if not 0 <= difficulty < len(DEGREES):
        raise InvalidInputError("difficulty", expected="0 to 4", got=str(difficulty))
    rng = np.random.default_rng([seed, index, difficulty])
    degree = DEGREES[difficulty]
    if size is None:
        sizes = list(FRAME_SIZES)
        size = sizes[rng.choice(len(sizes), p=list(FRAME_SIZES.values()))]
    return photograph(prepare_sheet(index, difficulty, digits, size, rng), degree, rng)


def photograph(sheet: Sheet, degree: Degree, rng: Generator) -> Scene:
    """Take a picture of a written page, in the light and with the troubles of a degree."""
    view = see(sheet.page, sheet.desk, sheet.pose, SCALE)
    at_border = _cover_borders(view, sheet.truth.numbers, degree, rng)
    light, shadows = _light(sheet.truth.size, degree, rng)
    exposure = meter(view, light, rng.uniform(175, 235)) if degree.shading else 1.0
    lens, sensor, troubles = _take_camera(sheet.digit_height, exposure, degree, rng)
    truth = replace(
        sheet.truth,
        conditions=(*sheet.truth.conditions, *shadows, *troubles),
        distractors=(*sheet.truth.distractors, *at_border),
    )
    return Scene(expose(view, light, lens, sensor, rng), truth)


def prepare_sheet(
    index: int,
    difficulty: int,
    digits: Examples,
    size: tuple[int, int],
    rng: Generator,
    border: float = BORDER,
    *,
    degree: Degree | None = None,
    plan: Plan = lay_out,
) -> Sheet:
    """Write a page and choose where the camera stands.

    Args:
        index: Which scene it is for.
        difficulty: 0 to 4.
        digits: What numbers are made of.
        size: Width and height of the frame in pixels.
        rng: The source of chance.
        border: Free room along the frame's sides, as a share of them.
        degree: What the page may bring; None for what the difficulty does.
        plan: Chooses numbers and their places.
    """
    degree = degree or DEGREES[difficulty]
    rotation, tilt = rng.uniform(-degree.rotation, degree.rotation), degree.tilt
    has_desk = rng.random() < degree.desk
    page_size = _choose_page_size(size, rotation, tilt, has_desk, rng)
    pose = take_pose(page_size, size, rotation, tilt, rng)
    field = _find_field(page_size, size, pose, border)
    is_board = rng.random() < degree.board
    paper = str(rng.choice(BOARDS if is_board else degree.papers))
    pen = "chalk" if is_board else str(rng.choice(degree.pens))
    ruling = "" if is_board or paper == "cardboard" else str(rng.choice(degree.rulings))
    stroke = take_pen(pen, rng)
    layout = plan(digits, field, degree, stroke, rng)

    pixels = (round(page_size[0] * SCALE), round(page_size[1] * SCALE))
    page = make_paper(paper, pixels, SCALE, rng)
    conditions = [ruling] if ruling else []
    if ruling:
        # Squares are smaller than what is written into them.
        share = rng.choice([0.5, 1 / 3]) if ruling == "squared" else 1
        rule(page, ruling, layout.pitch * share, layout.first_rule, SCALE, rng)
    room = Room(field, find_areas(layout), 0.7 * layout.height)
    # Nobody prints on a board.
    kinds = [kind for kind in ON_PAPER if not (is_board and kind == "printed text")]
    wanted = rng.choice(kinds, rng.integers(*degree.distractors, endpoint=True))
    distractors = [
        str(kind) for kind in wanted if ON_PAPER[kind](page, room, layout.height, stroke, rng)
    ]
    numbers = tuple(write(page, layout, stroke, rng))
    if not is_board and rng.random() < degree.crease:
        crease(page, rng)
        conditions.append("crease")
    conditions += ["desk"] if has_desk else []
    truth = Truth(
        index,
        difficulty,
        size,
        project(numbers, pose),
        paper,
        pen,
        tuple(conditions),
        tuple(distractors),
    )
    return Sheet(page, make_desk(size, rng), pose, numbers, layout.height / SCALE, truth)


def _choose_page_size(
    size: tuple[int, int], rotation: float, tilt: float, has_desk: bool, rng: Generator
) -> tuple[float, float]:
    if has_desk:
        return size[0] * rng.uniform(0.78, 0.92), size[1] * rng.uniform(0.78, 0.92)
    # The paper fills the frame however it is turned.
    turn = abs(math.sin(math.radians(rotation)))
    room = 1.05 + 2.5 * tilt
    return size[0] * room + turn * size[1] * 1.1, size[1] * room + turn * size[0] * 1.1


def _find_field(
    page_size: tuple[float, float], size: tuple[int, int], pose: Pose, border: float
) -> Area:
    """Return the part of the page that is wholly in view, in pixels of the page."""
    middle = np.array(page_size) / 2
    low = np.array(size) * border
    high = np.array(size) - low
    for share in np.arange(0.94, 0.3, -0.02):
        half = share * np.minimum(middle, np.array(size) / 2)
        corners = middle + half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        seen = project_points(corners, pose)
        if (seen >= low).all() and (seen <= high).all():
            break
    (left, top), (right, bottom) = SCALE * (middle - half), SCALE * (middle + half)
    return float(left), float(top), float(right), float(bottom)


def _cover_borders(
    view: Picture, numbers: tuple[TrueNumber, ...], degree: Degree, rng: Generator
) -> list[str]:
    """Put a finger or a thing over the border, in about every fourth scene with distractors."""
    if degree.distractors[1] == 0 or rng.random() > 0.25:
        return []
    height, width = view.shape[:2]
    boxes = [digit.box for number in numbers for digit in number.digits]
    areas = [(x, y, x + w, y + h) for x, y, w, h in boxes]
    name = str(rng.choice(AT_BORDER))
    room = Room((0, 0, width, height), areas, max(h for _, _, _, h in boxes) / 2)
    return [name] if cover_border(view, room, rng, is_finger=name == "finger") else []


def _light(size: tuple[int, int], degree: Degree, rng: Generator) -> tuple[Light, list[str]]:
    light = make_light(size, rng.uniform(0.3, 1) * degree.shading, rng)
    shadows = []
    for name, chance, edge in (
        ("soft shadow", degree.soft_shadow, SOFT_EDGE),
        ("hard shadow", degree.hard_shadow, HARD_EDGE),
    ):
        if rng.random() < chance:
            cast_shadow(light, edge, rng)
            shadows.append(name)
    return light, shadows


def _take_camera(
    digit_height: float, exposure: float, degree: Degree, rng: Generator
) -> tuple[Lens, Sensor, list[str]]:
    troubles = []
    motion = 0.0
    if rng.random() < degree.motion:
        motion = rng.uniform(0.05, 0.14) * digit_height
        troubles.append("motion blur")
    # No lens is sharp to the pixel.
    defocus = 0.5 + rng.uniform(0, 1) * degree.defocus * digit_height
    noise = rng.uniform(0.3, 1) * degree.noise
    tint = (1.0, 1.0, 1.0)
    if degree.shading:
        warmth = rng.normal(0, 0.04)
        tint = (1 - warmth, 1.0, 1 + warmth)
    if rng.random() < degree.low_light:
        exposure *= rng.uniform(0.4, 0.6)
        noise *= 1.2
        troubles.append("low light")
    jpeg = int(rng.integers(degree.jpeg, 96))
    sharpening = rng.choice([0.0, rng.uniform(0.2, 0.8)]) if degree.shading else 0.0
    lens = Lens(defocus, motion, rng.uniform(0, math.pi))
    return lens, Sensor(exposure, tint, noise, sharpening, jpeg), troubles
