"""Make photographs of handwritten numbers whose content is known.

Usage: python tools/make_scenes.py --out runs/scenes [--count 500] [--seed 0] [--clips N]

Writes each scene as a JPEG with its truth beside it in JSON, a contact sheet for each of the five
degrees of difficulty, an overview of all, and clips as a hand-held camera takes them: AVI, with
their truth by frame. All boxes and corners are in pixels of the frame. On one installation, the
same seed gives the same files.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scene_clips import FPS, SIZE, make_clip
from scene_degrees import DEGREES
from scene_truth import Scene, Truth
from scenes import make_scene

from edge_mnist import dataset
from edge_mnist.cli.loading import load_dataset
from edge_mnist.dataset import Examples
from edge_mnist.errors import DatasetError, EdgeMnistError
from edge_mnist.files import write_atomically
from edge_mnist.vision.frames import Picture

# A contact sheet's pictures: how many, in how many columns, and the size of each in pixels.
SHEET_PICTURES = 20
SHEET_COLUMNS = 4
QUALITY = 92
TILE = (320, 240)


def main() -> int:
    """Make what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder, made if need be")
    parser.add_argument("--count", type=int, default=500, help="scenes, over all difficulties")
    parser.add_argument("--clips", type=int, default=0, help="videos")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--digits", choices=("mnist", "optdigits"), help="default: MNIST if had")
    parser.add_argument("--split", choices=("train", "test"), default="test")
    arguments = parser.parse_args()
    try:
        digits = load_digits(arguments.digits, arguments.split)
        write_scenes(arguments.out, arguments.count, digits, arguments.seed)
        write_clips(arguments.out, arguments.clips, digits, arguments.seed)
    except EdgeMnistError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


def load_digits(name: str | None = None, split: str = "test") -> Examples:
    """Load what numbers are made of.

    Args:
        name: "mnist" or "optdigits"; None for MNIST where it is at hand or can be downloaded.
        split: "train" or "test".
    """
    if name is None:
        try:
            loaded = load_dataset("mnist")
        except DatasetError:
            print("MNIST is not to be had: scenes of optdigits", file=sys.stderr)
            loaded = dataset.load("optdigits")
    else:
        loaded = load_dataset(name)
    digits = loaded.train if split == "train" else loaded.test
    assert digits is not None
    return digits


def write_scenes(out: Path, count: int, digits: Examples, seed: int) -> None:
    """Write scenes, their truth and the contact sheets into a folder."""
    sheets: list[list[Scene]] = [[] for _ in DEGREES]
    for index in range(count):
        scene = make_scene(index, index % len(DEGREES), digits, seed)
        name = f"scene-{index:04d}-{scene.truth.difficulty}"
        write_picture(out / f"{name}.jpg", scene.picture)
        write_truth(out / f"{name}.json", scene.truth.to_json())
        if len(sheets[scene.truth.difficulty]) < SHEET_PICTURES:
            sheets[scene.truth.difficulty].append(scene)
        show_progress(index + 1, count, "scenes")
    for difficulty, scenes in enumerate(sheets):
        if scenes:
            write_picture(out / f"contact-sheet-{difficulty}.jpg", make_contact_sheet(scenes))
    if count:
        some = [scene for scenes in sheets for scene in scenes[:SHEET_COLUMNS]]
        write_picture(out / "overview.jpg", make_contact_sheet(some))


def write_clips(out: Path, count: int, digits: Examples, seed: int) -> None:
    """Write clips and their truth, frame by frame, into a folder."""
    for index in range(count):
        path = out / f"clip-{index:03d}.avi"
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
        if not writer.isOpened():
            raise DatasetError(f"cannot write {path}")
        truths: list[Truth] = []
        for scene in make_clip(index, digits, seed):
            writer.write(scene.picture)
            truths.append(scene.truth)
        writer.release()
        write_truth(path.with_suffix(".json"), [truth.to_json() for truth in truths])
        show_progress(index + 1, count, "clips")


def make_contact_sheet(scenes: Iterable[Scene]) -> Picture:
    """Return many scenes in one picture, each reduced to a tile."""
    tiles = [fit_tile(scene.picture) for scene in scenes]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % SHEET_COLUMNS)
    rows = [tiles[start : start + SHEET_COLUMNS] for start in range(0, len(tiles), SHEET_COLUMNS)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def fit_tile(picture: Picture) -> Picture:
    """Reduce a picture to a tile; what its shape leaves free is black."""
    scale = min(TILE[0] / picture.shape[1], TILE[1] / picture.shape[0])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    tile = np.zeros((TILE[1], TILE[0], 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return tile


def write_truth(path: Path, truth: Any) -> None:
    """Write what is known of a scene or clip."""
    write_atomically(path, json.dumps(truth, indent=1) + "\n")


def write_picture(path: Path, picture: Picture) -> None:
    """Write a JPEG."""
    _, content = cv2.imencode(path.suffix, picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    write_atomically(path, content.tobytes())


def show_progress(done: int, total: int, what: str) -> None:
    """Tell on stderr how far it is."""
    if done % 10 == 0 or done == total:
        print(f"\r{done} of {total} {what}", end="\n" if done == total else "", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
