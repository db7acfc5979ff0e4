"""Photographs of filled forms whose content is known.

Usage: python tools/make_forms.py FOLDER [--pages 200] [--seed 0] [--split test]

Writes a JPEG a page, truth.jsonl with the content of each, and for each of the three layouts its
FIELDS.toml and a picture of the empty page.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from form_camera import photograph
from form_layouts import Layout, make_layouts
from form_writing import draw_hand, write_cells, write_freely, write_mark
from numpy.random import Generator
from numpy.typing import NDArray

from edge_mnist import dataset
from edge_mnist.dataset import Examples
from edge_mnist.errors import EdgeMnistError
from edge_mnist.vision.fields import Field
from edge_mnist.vision.fields_file import render_fields

DEFAULT_PAGES = 200
SPLITS = ("train", "validation", "test")
EMPTY_SHARE = 0.08  # of fields that may be empty
MARK_SHARE = 0.06  # of fields that may be empty: a tick, a letter or the like is in it


@dataclass(frozen=True)
class FilledForm:
    """A photograph of a form and what stands on it.

    Attributes:
        layout: The form.
        photo: uint8 [height, width, 3], blue, green, red.
        page: The page before it was photographed, in the same format.
        texts: The digits in each field by its name; "" where none are.
        marked: The names of the fields in which something stands that is no digit.
    """

    layout: Layout
    photo: NDArray[np.uint8] = field(repr=False)
    page: NDArray[np.uint8] = field(repr=False)
    texts: dict[str, str]
    marked: tuple[str, ...]


def make_forms(digits: Examples, pages: int, seed: int) -> Iterator[FilledForm]:
    """Make forms, the three layouts in turn; a page depends on the seed and its number alone."""
    layouts = make_layouts()
    for index in range(pages):
        yield fill_form(layouts[index % 3], digits, np.random.default_rng([seed, index]))


def fill_form(layout: Layout, digits: Examples, rng: Generator) -> FilledForm:
    """Fill a form in one hand and photograph it."""
    page = cv2.cvtColor(layout.blank, cv2.COLOR_GRAY2BGR)
    hand = draw_hand(rng, layout.light_ink)
    texts, marked = {}, []
    for spot, fill in zip(layout.fields, layout.fills, strict=True):
        text, box = fill(rng), to_pixels(spot, layout)
        chance = rng.random() if spot.digits[0] == 0 else 1.0
        if chance < EMPTY_SHARE + MARK_SHARE:
            text = ""
        if chance < MARK_SHARE:
            marked.append(spot.name)
            x, y, width, height = box
            cell = width // spot.digits[1] if spot.cells else width
            write_mark(page, (x, y, cell, height), hand, rng)
        elif spot.cells:
            write_cells(page, box, spot.digits[1], text, digits, hand, rng)
        else:
            write_freely(page, box, text, digits, hand, rng)
        texts[spot.name] = text
    return FilledForm(layout, photograph(page, rng), page, texts, tuple(marked))


def to_pixels(spot: Field, layout: Layout) -> tuple[int, int, int, int]:
    """Return a field's box in pixels of the empty page."""
    height, width = layout.blank.shape
    x, y, w, h = spot.box
    return round(x * width), round(y * height), round(w * width), round(h * height)


def load_digits(split: str) -> Examples:
    """Return MNIST's training, validation or test digits."""
    digits: Examples = getattr(dataset.load("mnist"), split)
    return digits


def main() -> int:
    """Write forms into a folder, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=DEFAULT_PAGES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=SPLITS, default="test")
    options = parser.parse_args()
    try:
        digits = load_digits(options.split)
    except EdgeMnistError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    write_forms(options.folder, make_forms(digits, options.pages, options.seed))
    return 0


def write_forms(folder: Path, forms: Iterable[FilledForm]) -> None:
    """Write forms, their content and what their layouts are."""
    folder.mkdir(parents=True, exist_ok=True)
    for layout in make_layouts():
        (folder / f"{layout.name}.toml").write_text(render_fields(layout.form))
        cv2.imwrite(str(folder / f"{layout.name}.png"), layout.blank)
    with (folder / "truth.jsonl").open("w") as truth:
        for index, form in enumerate(forms):
            name = f"{index:03}_{form.layout.name}.jpg"
            cv2.imwrite(str(folder / name), form.photo)
            row = {"file": name, "fields": form.texts, "marked": form.marked}
            truth.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    sys.exit(main())
