"""Pictures of what was read and what should have been."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from reading_score import SceneScore
from scene_truth import Scene

from edge_mnist.vision.frames import Picture
from edge_mnist.vision.reading import Box, Reading

GREEN, RED, WHITE = (60, 190, 60), (50, 50, 230), (255, 255, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX
# Of the gallery, in pixels.
TILE = (400, 200)
CAPTION = 22
COLUMNS = 3
QUALITY = 80


def draw_scene(scene: Scene, reading: Reading) -> Picture:
    """Return a scene with the true digits in green below their boxes, what was read in red."""
    picture = scene.picture.copy()
    for number in scene.truth.numbers:
        for digit in number.digits:
            x, y, width, height = digit.box
            cv2.rectangle(picture, (x - 1, y - 1), (x + width + 1, y + height + 1), GREEN, 1)
            cv2.putText(picture, str(digit.digit), (x, y + height + 12), FONT, 0.4, GREEN, 1)
    for found in reading.digits:
        x, y, width, height = found.box
        cv2.rectangle(picture, (x, y), (x + width, y + height), RED, 1)
        cv2.putText(picture, str(found.digit), (x, y - 3), FONT, 0.4, RED, 1)
    truth = scene.truth
    about = [truth.paper, truth.pen, *truth.conditions, *truth.distractors]
    lines = [
        ", ".join(about),
        "true: " + " / ".join(truth.lines),
        "read: " + " / ".join(reading.lines),
    ]
    footer = np.zeros((16 * len(lines) + 6, picture.shape[1], 3), np.uint8)
    for row, line in enumerate(lines, start=1):
        cv2.putText(footer, line, (4, 16 * row), FONT, 0.4, WHITE, 1, cv2.LINE_AA)
    return np.concatenate([picture, footer])


def draw_gallery(failures: Iterable[tuple[Scene, SceneScore, Reading]]) -> bytes:
    """Return a JPEG of places that were read wrong, one a scene.

    Args:
        failures: Scenes with what became of them and what was read, at least one.
    """
    tiles = [_draw_failure(*failure) for failure in failures]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[i : i + COLUMNS], axis=1) for i in range(0, len(tiles), COLUMNS)]
    _, content = cv2.imencode(".jpg", np.concatenate(rows), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return content.tobytes()


def _draw_failure(scene: Scene, score: SceneScore, reading: Reading) -> Picture:
    """Return the first place that went wrong, with what stands there and what was read."""
    for number, true_number in zip(score.numbers, scene.truth.numbers, strict=True):
        if not number.is_perfect:
            boxes = [digit.box for digit in true_number.digits]
            told = number.read if number.is_one or not number.read else f"{number.read} (in parts)"
            if number.is_right and number.is_one:
                told = f"{number.read}, of other ink"
            caption = f"{number.text} read as {told or 'nothing'}"
            break
    else:
        boxes = [digit.box for digit in score.false_digits]
        caption = "no digit here, read as " + ", ".join(
            str(digit.digit) for digit in score.false_digits
        )
    caption = f"degree {scene.truth.difficulty}: {caption}"
    picture = scene.picture.copy()
    return _cut_tile(picture, boxes, [found.box for found in reading.digits], caption)


def _cut_tile(picture: Picture, boxes: Sequence[Box], read: Sequence[Box], caption: str) -> Picture:
    left, top = min(x for x, _, _, _ in boxes), min(y for _, y, _, _ in boxes)
    right, bottom = max(x + w for x, _, w, _ in boxes), max(y + h for _, y, _, h in boxes)
    room = max(12, (bottom - top) // 2)
    width, height = right - left + 2 * room, bottom - top + 2 * room
    scale = min(TILE[0] / width, TILE[1] / height, 3.0)
    shift = (
        TILE[0] / 2 - scale * (left + right) / 2,
        TILE[1] / 2 - scale * (top + bottom) / 2,
    )
    view = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    tile = cv2.warpAffine(picture, view, TILE, flags=interpolation)
    for x, y, w, h in read:
        start = (round(scale * x + shift[0]), round(scale * y + shift[1]))
        end = (round(scale * (x + w) + shift[0]), round(scale * (y + h) + shift[1]))
        cv2.rectangle(tile, start, end, RED, 1)
    footer = np.zeros((CAPTION, TILE[0], 3), np.uint8)
    cv2.putText(footer, caption, (4, 15), FONT, 0.42, WHITE, 1, cv2.LINE_AA)
    return np.concatenate([tile, footer])
