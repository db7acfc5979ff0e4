"""What reaches into a frame over its border: a finger, or a thing that lies there."""

import math

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scene_distractors import TRIES, Room

from edge_mnist.vision.frames import Picture

AT_BORDER = ("finger", "thing")
SKINS = ((150, 175, 220), (115, 145, 195), (80, 105, 150), (55, 70, 105))
THINGS = ((30, 30, 32), (60, 40, 30), (40, 45, 90), (90, 70, 40))

# uint8 [height, width], 255 where something is.
Shape = NDArray[np.uint8]


def cover_border(view: Picture, room: Room, rng: Generator, *, is_finger: bool) -> bool:
    """Put a finger or a thing over the frame's border, where it hides no number.

    Args:
        view: uint8 [height, width, 3] of the frame, changed in place.
        room: Of the frame.
        rng: The source of chance.
        is_finger: A finger, else a thing such as a phone or a ruler.

    Returns:
        Whether there was room.
    """
    height, width = view.shape[:2]
    side = max(width, height)
    for _ in range(TRIES):
        thickness = side * (rng.uniform(0.07, 0.11) if is_finger else rng.uniform(0.08, 0.25))
        reach = side * rng.uniform(0.1, 0.25)
        edge = rng.integers(4)
        start = np.array(
            [
                (rng.uniform(0, width), 0),
                (width, rng.uniform(0, height)),
                (rng.uniform(0, width), height),
                (0, rng.uniform(0, height)),
            ][edge]
        )
        inwards = (math.pi / 2, math.pi, -math.pi / 2, 0)[edge]
        angle = inwards + rng.normal(0, 0.3)
        if is_finger:
            shape = _draw_finger(view, start, angle, reach, thickness)
        else:
            shape = _draw_thing(view, start, angle, reach, thickness)
        x, y, w, h = cv2.boundingRect(shape)
        if room.is_free((x, y, x + w, y + h)):
            break
    else:
        return False
    if is_finger:
        colors = _shade_skin(shape, start, angle, reach, thickness, rng)
    else:
        colors = np.array(THINGS[rng.integers(len(THINGS))], np.float32)
    _lay_on(view, shape, colors, 0.12 * thickness)
    return True


def _draw_finger(
    view: Picture, start: NDArray[np.float64], angle: float, reach: float, thickness: float
) -> Shape:
    """Draw an outline that becomes narrower towards its round tip."""
    along = np.array([math.cos(angle), math.sin(angle)])
    shape = np.zeros(view.shape[:2], np.uint8)
    for place in np.linspace(-1, 1, 60):
        radius = thickness / 2 * (1.1 - 0.18 * max(place, 0) ** 2)
        middle = np.rint(start + place * reach * along).astype(int).tolist()
        cv2.circle(shape, middle, round(radius), 255, -1)
    return shape


def _draw_thing(
    view: Picture, start: NDArray[np.float64], angle: float, reach: float, thickness: float
) -> Shape:
    shape = np.zeros(view.shape[:2], np.uint8)
    box = (tuple(map(float, start)), (2 * reach, thickness), math.degrees(angle))
    cv2.fillPoly(shape, [np.rint(cv2.boxPoints(box)).astype(np.int32)], 255)
    return shape


def _shade_skin(
    shape: Shape,
    start: NDArray[np.float64],
    angle: float,
    reach: float,
    thickness: float,
    rng: Generator,
) -> NDArray[np.float32]:
    """Return a finger's colours: darker where it turns away, with a nail near its tip."""
    skin = np.array(SKINS[rng.integers(len(SKINS))], np.float32)
    inside = cv2.distanceTransform((shape > 0).astype(np.uint8), cv2.DIST_L2, 5)
    relief = np.clip(1 - (1 - inside / (0.5 * thickness)) ** 2 * 0.45, 0.5, 1)
    nail = np.zeros(shape.shape, np.uint8)
    middle = start + (reach - 0.02 * thickness) * np.array([math.cos(angle), math.sin(angle)])
    box = (tuple(map(float, middle)), (0.62 * thickness, 0.52 * thickness), math.degrees(angle))
    cv2.ellipse(nail, box, 255, -1, cv2.LINE_AA)
    share = cv2.GaussianBlur(nail, (0, 0), 1.0)[..., None].astype(np.float32) / 255
    pale = 0.6 * skin + 0.4 * np.array((205, 205, 240), np.float32)
    return (skin * (1 - share) + pale * share) * relief[..., None]


def _lay_on(view: Picture, shape: Shape, colors: NDArray[np.float32], contact: float) -> None:
    """Lay something onto a view, with the shadow that it casts close by."""
    share = cv2.GaussianBlur(shape, (0, 0), 1.0)[..., None] / np.float32(255)
    size = 2 * round(contact) + 1
    shadow = cv2.blur(cv2.blur(shape, (size, size)), (size, size))[..., None] / np.float32(255)
    dimmed = view * (1 - 0.4 * shadow)
    view[:] = np.clip(dimmed * (1 - share) + colors * share, 0, 255).astype(np.uint8)
