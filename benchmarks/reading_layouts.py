"""How well numbers are read in layouts that generated scenes lack: close lines, columns, signs.

Usage: python benchmarks/reading_layouts.py [--pages 60] [--seed 0] [--split test] [--jobs 2]
(four minutes on two cores); writes results/reading_layouts.md. With --show DIR nothing is
published: every page is written there, what is true in green, what was read in red; nor is it with
--json, which prints the counts.

What is published is seed 0 with MNIST's test digits, which choose nothing: for development there
are other seeds and --split validation, which prints the same and writes nothing.
"""

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2

TOOLS = Path(__file__).parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

from layout_pages import KINDS, make_page  # noqa: E402
from make_forms import SPLITS, load_digits  # noqa: E402
from reading import Bench, run  # noqa: E402
from reading_pictures import draw_scene  # noqa: E402
from reading_score import NumberScore, SceneScore, score_scene  # noqa: E402
from report import render_markdown_table, share, write_report  # noqa: E402

from edge_mnist.cascade import load_models  # noqa: E402
from edge_mnist.errors import EdgeMnistError  # noqa: E402
from edge_mnist.files import write_atomically  # noqa: E402
from edge_mnist.vision.reader import Reader  # noqa: E402

DOUBT = 0.95  # a confidence below which one may look at a number again

NOTES = """Mild photographs, 1,000 to 2,000 pixels on their longer side, of numbers in MNIST's
digits on plain paper, turned by 4 degrees at most, as `predict` reads them. Lengths are in heights
of a digit, which are about 30 to 70 pixels.

- plain: one number a line, 2 from line to line, gaps of 0.2 between the digits; what the others,
  which are the same but for what is told here, are to be compared with
- close lines: 1.15 to 1.5 from line to line, and each 4, 7 and 9 hangs up to 0.35 below its own, so
  that tails at times touch the next
- columns: three of numbers of 2 to 5 digits, without rules; 1.1 to 2.0 between the columns, 0.1 to
  0.3 between the digits
- wide gaps: 0.5 to 1.1 between the digits
- signs: one or two of / : . , - ( ) % # x + = € beside or between the digits of each number

A number is right if its digits, and no others, are read in its place, in order and as one number.
With signs the digits of each side have to be read in order, joined or as numbers of their own, and
no digit for a sign. A false digit is one that is read where none is: one that is read for a sign
is, too. A number is told with the confidence of what is least sure in its place; where nothing is
read nothing is told."""


# Of this process; set once at its start, as the digits would cost more to send than to load.
_bench: Bench


@dataclass(frozen=True)
class Tally:
    """What came out on the pages of a kind.

    Attributes:
        pages: How many.
        numbers: On all of them.
        right: Of the numbers.
        false_digits: What was read where no digit is.
        wrong_told: Wrong numbers in whose place something was read.
        wrong_doubted: Those of them told with less than `DOUBT`.
        right_doubted: Right ones told with less.
    """

    pages: int
    numbers: int
    right: int
    false_digits: int
    wrong_told: int
    wrong_doubted: int
    right_doubted: int


def main() -> int:
    """Measure, and publish, print or show."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pages", type=int, default=60, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--show", type=Path, metavar="DIR", help="write pages, publish nothing")
    parser.add_argument("--json", action="store_true", help="print the counts, publish nothing")
    arguments = parser.parse_args()
    places = [(kind, index) for index in range(arguments.pages) for kind in KINDS]
    preparation = partial(prepare, arguments.split, arguments.seed, arguments.show)
    try:
        preparation()  # so that errors come from here
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(arguments.jobs, context, preparation) as pool:
            scores: list[SceneScore] = run(pool, read_page, places, "pages")
    except EdgeMnistError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    # The kinds take turns.
    tallies = {kind: count(kind, scores[turn :: len(KINDS)]) for turn, kind in enumerate(KINDS)}
    if arguments.json:
        print(json.dumps({kind: asdict(tally) for kind, tally in tallies.items()}, indent=1))
    elif arguments.show is not None or (arguments.split, arguments.seed) != ("test", 0):
        print(render(tallies))
    else:
        command = "python benchmarks/reading_layouts.py" + "".join(f" {w}" for w in sys.argv[1:])
        write_report("reading_layouts", "Numbers in other layouts", command, render(tallies))
    return 0


def prepare(split: str, seed: int, show: Path | None) -> None:
    """Load in a process what pages are read with."""
    global _bench  # noqa: PLW0603
    cv2.setNumThreads(1)  # the processes take the cores
    _bench = Bench(Reader(load_models()), load_digits(split), seed, show)


def read_page(place: tuple[str, int]) -> SceneScore:
    """Make the page of a kind and an index, read it and score it; write it if it is to be shown."""
    kind, index = place
    scene = make_page(kind, index, _bench.digits, _bench.seed)
    reading = _bench.reader.read(scene.picture, careful=True)
    if _bench.show is not None:
        _, content = cv2.imencode(".png", draw_scene(scene, reading))
        write_atomically(
            _bench.show / f"{kind.replace(' ', '-')}-{index:03d}.png", content.tobytes()
        )
    return score_scene(scene.truth, reading)


def is_right(kind: str, number: NumberScore) -> bool:
    """Return whether a number was read as it has to be on pages of its kind."""
    return number.is_right and (number.is_one or bool(KINDS[kind].patterns))


def count(kind: str, pages: Sequence[SceneScore]) -> Tally:
    """Return what came out on the pages of a kind."""
    numbers = [number for page in pages for number in page.numbers]
    told = {
        right: [n.confidence for n in numbers
                if is_right(kind, n) == right and n.confidence is not None]
        for right in (False, True)
    }  # fmt: skip
    return Tally(
        pages=len(pages),
        numbers=len(numbers),
        right=len(told[True]),
        false_digits=sum(len(page.false_digits) for page in pages),
        wrong_told=len(told[False]),
        wrong_doubted=sum(confidence < DOUBT for confidence in told[False]),
        right_doubted=sum(confidence < DOUBT for confidence in told[True]),
    )


def render(tallies: Mapping[str, Tally]) -> str:
    """Return what was measured, by kind, and what it means."""
    rows = [
        [
            kind,
            str(tally.pages),
            str(tally.numbers),
            f"{100 * tally.right / max(tally.numbers, 1):.1f} %",
            f"{20 * tally.false_digits / max(tally.pages, 1):.1f}",
            share(tally.wrong_doubted, tally.wrong_told),
            share(tally.right_doubted, tally.right),
        ]
        for kind, tally in tallies.items()
    ]
    doubted = f"told with less than {100 * DOUBT:.0f} %"
    header = [
        "kind", "pages", "numbers", "right", "false digits in 20 pages",
        f"wrong ones {doubted}", f"right ones {doubted}",
    ]  # fmt: skip
    return f"{render_markdown_table(header, rows)}\n\n{NOTES}"


if __name__ == "__main__":
    sys.exit(main())
