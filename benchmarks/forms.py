"""How well the fields of photographed forms are read.

Usage: python benchmarks/forms.py [--pages 200] [--seed 0] [--split test] [--model NAME]

Each page is read by its named fields, and as any page with numbers on it. The forms are those of
tools/make_forms.py. What is published has seed 0 and MNIST's test digits;
all that was chosen was chosen with other seeds and digits of MNIST's training and validation split.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from report import render_markdown_table, share, write_report

from edge_mnist.cascade import DEFAULT_MODELS, DigitModel, load_models
from edge_mnist.vision.field_reader import FieldReader
from edge_mnist.vision.field_reading import NO_DIGIT
from edge_mnist.vision.fields_file import load_fields, render_fields
from edge_mnist.vision.reader import Reader

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
from form_layouts import make_layouts
from make_forms import DEFAULT_PAGES, SPLITS, FilledForm, load_digits, make_forms

AIMS = {"digits right": 0.98, "fields right": 0.90, "wrong fields that are marked": 0.80}


Counts = TypeVar("Counts", bound="Countable")


class Countable:
    """What is counted page by page, and added."""

    def __add__(self: Counts, other: Counts) -> Counts:
        """Return the counts of both."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in vars(self))
        return type(self)(*(mine + theirs for mine, theirs in pairs))


@dataclass
class Tally(Countable):
    """What came out on the pages of a layout, or on all of them."""

    pages: int = 0
    pages_found: int = 0
    digits: int = 0
    digit_errors: int = 0
    fields: int = 0
    right: int = 0
    sound: int = 0  # right ones in which nothing but digits stands
    sound_marked: int = 0
    wrong_marked: int = 0
    marks: int = 0  # fields with a tick, a letter or the like
    marks_read: int = 0  # those of them in which digits were read
    ms: list[float] = field(default_factory=list)

    def rows(self) -> list[str]:
        """Return the figures in words, in the order of `HEADER`."""
        wrong = self.fields - self.right
        return [
            f"{self.pages_found} of {self.pages}",
            share(self.digits - self.digit_errors, self.digits),
            share(self.right, self.fields),
            share(self.wrong_marked, wrong),
            share(self.sound_marked, self.sound),
            share(self.marks_read, self.marks),
            f"{np.median(self.ms):.0f} ms",
        ]


HEADER = (
    "layout",
    "pages found",
    "digits right",
    "fields wholly right",
    "wrong fields that are marked",
    "right fields that are marked",
    "ticks and letters read as digits",
    "time a page (median)",
)


@dataclass
class PlainTally(Countable):
    """What came out where nothing was known of the forms."""

    pages: int = 0
    pages_in_order: int = 0  # their right numbers come in the order of the fields
    numbers: int = 0
    right: int = 0
    others: int = 0
    ms: list[float] = field(default_factory=list)

    def rows(self) -> list[str]:
        """Return the figures in words, in the order of `PLAIN_HEADER`."""
        return [
            share(self.right, self.numbers),
            f"{self.pages_in_order} of {self.pages}",
            f"{self.others / self.pages:.1f}",
            f"{np.median(self.ms):.0f} ms",
        ]


PLAIN_HEADER = (
    "layout",
    "numbers right",
    "pages in the order of reading",
    "other numbers a page",
    "time a page (median)",
)


def main() -> None:
    """Read forms and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pages", type=int, default=DEFAULT_PAGES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--model", default=DEFAULT_MODELS)
    parser.add_argument("--show-wrong", action="store_true", help="Name each wrong field.")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    models = load_models(options.model)
    readers, plain = make_readers(models), Reader(models)
    tallies = {name: Tally() for name in readers}
    plain_tallies = {name: PlainTally() for name in readers}
    for index, form in enumerate(
        make_forms(load_digits(options.split), options.pages, options.seed)
    ):
        name = form.layout.name
        tallies[name] += measure(readers[name], form, f"{index:03}" * options.show_wrong)
        plain_tallies[name] += measure_plain(plain, form)
    # Of fewer than three pages, not all layouts have one.
    tallies = {name: tally for name, tally in tallies.items() if tally.pages}
    plain_tallies = {name: tally for name, tally in plain_tallies.items() if tally.pages}
    total, plain_total = sum(tallies.values(), Tally()), sum(plain_tallies.values(), PlainTally())
    table = render_markdown_table(
        HEADER, [[name, *tally.rows()] for name, tally in [*tallies.items(), ("all", total)]]
    )
    plain_table = render_markdown_table(
        PLAIN_HEADER,
        [[name, *tally.rows()] for name, tally in [*plain_tallies.items(), ("all", plain_total)]],
    )
    is_published = (options.split, options.seed, options.model) == ("test", 0, DEFAULT_MODELS)
    if not is_published:
        print(f"{table}\n\n{plain_table}")
        return
    write_report(
        "forms",
        "How well forms are read",
        f"python benchmarks/forms.py --pages {options.pages}",
        f"{total.digits:,} digits of MNIST's test set in {total.fields:,} fields; the default "
        f"models, one thread. Errors of digits are counted as insertions, deletions and "
        f"replacements. Aims: {', '.join(f'{name} {share:.0%}' for name, share in AIMS.items())}."
        f"\n\n{table}\n\n## Without fields\n\nThe same pages where nothing is known of them: a "
        f"number is right if all digits of a field, and no others, are read as one. What is read "
        f"beside these is told by how many there are a page: most of it is print, which is not "
        f"handwriting, but has digits, too, in row numbers and captions.\n\n{plain_table}",
    )


def make_readers(models: DigitModel) -> dict[str, FieldReader]:
    """Return a reader of each layout, made from files as a user would."""
    readers = {}
    with tempfile.TemporaryDirectory() as folder:
        for layout in make_layouts():
            path = Path(folder, f"{layout.name}.toml")
            path.write_text(render_fields(layout.form))
            cv2.imwrite(str(path.with_suffix(".png")), layout.blank)
            readers[layout.name] = FieldReader(models, load_fields(path))
    return readers


def measure(reader: FieldReader, form: FilledForm, name: str = "") -> Tally:
    """Read a page and compare; with a name, tell of each wrong field on stderr."""
    started = time.perf_counter()
    reading = reader.read(form.photo)
    tally = Tally(1, int(reading.corners is not None), ms=[1e3 * (time.perf_counter() - started)])
    for found in reading.fields:
        truth, read = form.texts[found.name], found.text.replace(NO_DIGIT, "")
        is_right = truth == read and (found.name in form.marked or read == found.text)
        tally.fields += 1
        tally.digits += len(truth)
        tally.digit_errors += count_edits(truth, read)
        tally.right += is_right
        is_sound = is_right and found.name not in form.marked
        tally.sound += is_sound
        tally.sound_marked += is_sound and bool(found.doubts)
        tally.wrong_marked += not is_right and bool(found.doubts)
        if found.name in form.marked:
            tally.marks += 1
            tally.marks_read += read != ""
        if name and not is_right:
            told = f"{name} {found.name}: {truth!r} read as {found.text!r}, {found.confidence}"
            print(told, *found.doubts, sep="; ", file=sys.stderr)
    return tally


def measure_plain(reader: Reader, form: FilledForm) -> PlainTally:
    """Read a page without its fields and compare."""
    started = time.perf_counter()
    read = [number.text for number in reader.read(form.photo, careful=True).numbers]
    ms = 1e3 * (time.perf_counter() - started)
    written = [text for text in form.texts.values() if text]
    right = Counter(written) & Counter(read)
    is_in_order = keep(read, right) == keep(written, right)
    count = right.total()
    return PlainTally(1, int(is_in_order), len(written), count, len(read) - count, [ms])


def keep(texts: list[str], counts: Counter[str]) -> list[str]:
    """Return the first texts of each kind, as many as are counted, in their order."""
    left = counts.copy()
    kept = []
    for text in texts:
        if left[text]:
            left[text] -= 1
            kept.append(text)
    return kept


def count_edits(truth: str, read: str) -> int:
    """Return the fewest insertions, deletions and replacements between two texts."""
    row = list(range(len(read) + 1))
    for i, expected in enumerate(truth, 1):
        previous, row = row, [i]
        for j, character in enumerate(read, 1):
            replaced = previous[j - 1] + (expected != character)
            row.append(min(replaced, previous[j] + 1, row[-1] + 1))
    return row[-1]


if __name__ == "__main__":
    main()
