"""Clips: a page as a hand-held camera sees it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from scene_camera import Lens, Pose, Sensor, expose, see
from scene_degrees import DEGREES
from scene_light import SOFT_EDGE, cast_shadow, make_light
from scene_page import SCALE
from scene_truth import Scene, project
from scenes import prepare_sheet

from edge_mnist.dataset import Examples

FRAMES = 40
FPS = 20.0
SIZE = (640, 480)
# Clips are of the first degrees of difficulty, one after the other.
DIFFICULTIES = 3

# How far the hand moves: a share of the frame, degrees, a share of the size.
DRIFT = 0.025
TURN = 1.5
ZOOM = 0.03
# Room along the frame's sides for the drift.
BORDER = 0.1
# The share of the time between two frames in which the camera exposes.
SHUTTER = 0.35
# A seed of clips and the same seed of scenes have nothing in common.
STREAM = 1

# Gives a value at a time in seconds.
Course = Callable[[float], float]


def make_clip(index: int, digits: Examples, seed: int = 0, frames: int = FRAMES) -> Iterator[Scene]:
    """Make a clip, frame by frame; the same arguments give the same one.

    The camera drifts, turns and comes nearer or goes away a little, hunts for its focus and
    changes its exposure. No number leaves the frame.

    Args:
        index: Which one; its difficulty is 0, 1 or 2.
        digits: What numbers are made of.
        seed: For another set of clips.
        frames: How many.

    Returns:
        The frames and where the numbers stand in each.
    """
    difficulty = index % DIFFICULTIES
    degree = DEGREES[difficulty]
    rng = np.random.default_rng([seed, index, difficulty, STREAM])
    sheet = prepare_sheet(index, difficulty, digits, SIZE, rng, BORDER)
    light = make_light(SIZE, rng.uniform(0.3, 1) * degree.shading, rng)
    if rng.random() < degree.soft_shadow:
        cast_shadow(light, SOFT_EDGE, rng)
    hand = [_make_course(rng) for _ in range(4)]
    focus, exposure = _make_course(rng), _make_course(rng)
    for frame in range(frames):
        time_s = frame / FPS
        motion = _move(hand, time_s)
        pose = motion @ sheet.pose
        way = _center(_move(hand, time_s + SHUTTER / FPS)) - _center(motion)
        lens = Lens(
            defocus=0.6 + 0.05 * sheet.digit_height * max(0.0, focus(time_s)) ** 2,
            motion=float(np.hypot(*way)),
            direction=math.atan2(way[1], way[0]),
        )
        sensor = Sensor(exposure=0.93 + 0.09 * exposure(time_s), noise=1.5 + degree.noise, jpeg=90)
        view = see(sheet.page, sheet.desk, pose, SCALE)
        # The light stays with the page.
        moved = cv2.warpPerspective(light, motion, SIZE, borderMode=cv2.BORDER_REPLICATE)
        truth = replace(sheet.truth, numbers=project(sheet.numbers, pose))
        yield Scene(expose(view, moved, lens, sensor, rng), truth)


def _make_course(rng: Generator) -> Course:
    """Make a smooth way of something through a clip, between about -1 and 1."""
    rates = rng.uniform((0.1, 0.5, 1.5), (0.4, 1.2, 3.0))  # a second
    phases = rng.uniform(0, 2 * math.pi, 3)
    weights = (0.6, 0.3, 0.1)

    def follow(time_s: float) -> float:
        return sum(
            weight * math.sin(2 * math.pi * rate * time_s + phase)
            for weight, rate, phase in zip(weights, rates, phases, strict=True)
        )

    return follow


def _move(hand: list[Course], time_s: float) -> Pose:
    """Return how the frame's content has moved at a time: a homography of its pixels."""
    x, y, turn, zoom = (course(time_s) for course in hand)
    middle = (SIZE[0] / 2, SIZE[1] / 2)
    motion = np.eye(3)
    motion[:2] = cv2.getRotationMatrix2D(middle, TURN * turn, 1 + ZOOM * zoom)
    motion[:2, 2] += (DRIFT * SIZE[0] * x, DRIFT * SIZE[1] * y)
    return motion


def _center(motion: Pose) -> np.ndarray:
    """Return where the middle of the frame has moved to."""
    place = motion @ (SIZE[0] / 2, SIZE[1] / 2, 1)
    return place[:2] / place[2]
