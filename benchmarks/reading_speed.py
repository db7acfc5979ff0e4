"""What reading a frame costs, by stage, on one thread, and how that grows with the digits in it.

Usage: python benchmarks/reading_speed.py [--rounds 10] [--model NAME] [--json] (eight minutes);
writes results/reading_speed.md and reading_speed.png. With --json nothing is written: the figures
go to stdout.
"""

import os

# Before NumPy comes in: OpenBLAS, too, shall use one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from inspect import isgenerator
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

TOOLS = Path(__file__).parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

from make_scenes import load_digits  # noqa: E402
from reading_speed_report import Case, write_results  # noqa: E402
from report import describe_machine  # noqa: E402
from scene_distractors import PRINT, Room, draw_print  # noqa: E402
from scene_writing import (  # noqa: E402
    Glyph,
    Stroke,
    measure_width,
    put_ink,
    take_pen,
    write_number,
)
from scenes import make_scene  # noqa: E402

from edge_mnist.cascade import DEFAULT_MODELS, load_models  # noqa: E402
from edge_mnist.dataset import Examples  # noqa: E402
from edge_mnist.runtime import Classifier  # noqa: E402
from edge_mnist.vision import ink_reader  # noqa: E402
from edge_mnist.vision import reader as frame_reader  # noqa: E402
from edge_mnist.vision.frames import Picture  # noqa: E402
from edge_mnist.vision.reader import Reader  # noqa: E402

# So many drawings of eight digits are read, and so many scenes of each difficulty.
DRAWINGS = 10
DIFFICULTIES = (0, 1, 2)
VGA, HD = (640, 480), (1280, 720)
# Blocks of printed lines that room is looked for on a page, and its edge in pixels.
BLOCKS, EDGE = 8, 16
PAPER = (228, 232, 232)  # blue, green, red
# Heights of digits, in pixels: 100 of the smallest fill a frame of 640x480.
SMALL, USUAL, LARGE = 26, 40, 60
# Divisors or multiples of a row's length.
COUNTS = (1, 2, 5, 10, 20, 50, 100)
ROW_LENGTH = 10
ROWS = 100
# What the stages take is the mean of at least so many readings.
STAGE_RUNS = 100

# What the reader calls, by stage. The model's own time is in what the reader gives; the rest is the
# time that none of these takes.
STAGES = {
    "ink": (frame_reader, ("map_ink",)),
    "segments": (frame_reader, ("segment",)),
    "crops": (ink_reader, ("cut_ink", "fit_ink", "cut_strip")),
    "cuts": (ink_reader, ("propose_parts", "choose_parts")),
}


@dataclass(frozen=True)
class Row:
    """Digits that were written with one pen, from left to right."""

    glyphs: list[Glyph]
    stroke: Stroke


def main() -> None:
    """Measure all cases, and publish or print them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10, help="readings of each frame")
    parser.add_argument("--model", default=DEFAULT_MODELS, help="a name or path, or two: A+B")
    parser.add_argument("--json", action="store_true", help="print the figures, write nothing")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    reader = Reader(load_models(arguments.model, partial(Classifier.load, threads=1)))
    digits = load_digits()
    plain = measure_plain(reader, digits, arguments.rounds)
    series = measure_series(reader, write_rows(digits, ROWS, SMALL), arguments.rounds)
    scenes = measure_scenes(reader, digits, arguments.rounds)
    if arguments.json:
        cases = {"plain": plain, "series": series, "scenes": scenes}
        found = {name: [asdict(case) for case in group] for name, group in cases.items()}
        print(json.dumps({"machine": describe_machine(), **found}, indent=2))
        return
    conditions = f"{arguments.rounds} readings of each frame after two that warm up"
    write_results(conditions, plain, series, scenes)


def measure_plain(reader: Reader, digits: Examples, rounds: int) -> list[Case]:
    """Measure eight digits in two sizes of frame, and no digit."""
    cases = []
    for size, height in ((VGA, USUAL), (HD, LARGE)):
        rows = [take_part(row, 0, 8) for row in write_rows(digits, DRAWINGS, height)]
        frames = [draw_frame([row], size, height, seed) for seed, row in enumerate(rows)]
        name = f"{size[0]}x{size[1]}, 8 digits"
        cases.append(measure_case(name, reader, frames, 8, rounds))
    blank = [draw_frame([], VGA, USUAL, seed) for seed in range(DRAWINGS)]
    return [*cases, measure_case("640x480, empty", reader, blank, 0, rounds)]


def measure_series(reader: Reader, rows: Sequence[Row], rounds: int) -> list[Case]:
    """Measure ever more digits of one size in a frame of 640x480.

    All cases show the same digits, a few in each of many frames or many in each of a few: what a
    digit costs depends on which it is, far more than on how many are beside it.

    Args:
        reader: What reads.
        rows: All digits.
        rounds: How often each frame is read.
    """
    frames = [
        [draw_frame(shown, VGA, SMALL, seed) for seed, shown in enumerate(share_out(rows, amount))]
        for amount in COUNTS
    ]
    spent_ms = clock_in_turn(reader, frames, rounds)
    return [
        summarize_case(str(amount), reader, own, amount, own_ms)
        for amount, own, own_ms in zip(COUNTS, frames, spent_ms, strict=True)
    ]


def measure_scenes(reader: Reader, digits: Examples, rounds: int) -> list[Case]:
    """Measure scenes of 640x480 pixels: rules, shadows, letters and more; and pages of print."""
    cases = []
    for difficulty in DIFFICULTIES:
        every = (make_scene(index, difficulty, digits) for index in count())
        scenes = list(islice((s for s in every if s.truth.size == VGA), DRAWINGS))
        written = sum(len(number.text) for scene in scenes for number in scene.truth.numbers)
        frames = [scene.picture for scene in scenes]
        name = f"difficulty {difficulty}"
        cases.append(measure_case(name, reader, frames, written / DRAWINGS, rounds))
    printed = [draw_printed_page(VGA, seed) for seed in range(DRAWINGS)]
    return [*cases, measure_case("print alone", reader, printed, 0, rounds)]


def write_rows(digits: Examples, amount: int, height: int) -> list[Row]:
    """Write rows of ten digits, each with a pen of its own.

    Args:
        digits: What is chosen from.
        amount: How many rows.
        height: Of a digit, in pixels.
    """
    rows = []
    for seed in range(amount):
        rng = np.random.default_rng([seed, height])
        stroke = take_pen("black pen", rng)
        rows.append(Row(write_number(digits, ROW_LENGTH, height, stroke, rng), stroke))
    return rows


def share_out(rows: Sequence[Row], amount: int) -> list[list[Row]]:
    """Return the rows of each frame if so many digits stand in one."""
    if amount < ROW_LENGTH:
        starts = range(0, ROW_LENGTH, amount)
        return [[take_part(row, start, amount)] for row in rows for start in starts]
    height = amount // ROW_LENGTH
    return [list(rows[first : first + height]) for first in range(0, len(rows), height)]


def take_part(row: Row, start: int, length: int) -> Row:
    """Return so many digits of a row."""
    return replace(row, glyphs=row.glyphs[start : start + length])


def draw_frame(rows: Sequence[Row], size: tuple[int, int], height: int, seed: int) -> Picture:
    """Draw digits in rows on office paper, in uneven light and with a camera's noise.

    Args:
        rows: The digits.
        size: Width and height of the frame in pixels.
        height: Of a digit, in pixels.
        seed: For other noise.
    """
    rng = np.random.default_rng(seed)
    page = np.full((size[1], size[0], 3), PAPER, np.uint8)
    pitch = round(1.65 * height)
    baseline = (size[1] - pitch * len(rows)) // 2 + round(1.3 * height)
    for number, row in enumerate(rows):
        left = (size[0] - row.glyphs[0].left - measure_width(row.glyphs)) // 2
        for glyph in row.glyphs:
            place = left + glyph.left, baseline + number * pitch + glyph.top
            put_ink(page, glyph.coverage, *place, row.stroke, rng)
    return photograph(page, rng)


def draw_printed_page(size: tuple[int, int], seed: int) -> Picture:
    """Draw blocks of printed lines as `draw_frame` does digits."""
    rng = np.random.default_rng(seed)
    page = np.full((size[1], size[0], 3), PAPER, np.uint8)
    room = Room((EDGE, EDGE, size[0] - EDGE, size[1] - EDGE), [], 0)
    for _ in range(BLOCKS):
        draw_print(page, room, USUAL, PRINT, rng)
    return photograph(page, rng)


def photograph(page: Picture, rng: Generator) -> Picture:
    """Return a page in uneven light, with a camera's noise."""
    light = np.linspace(1.0, 0.75, page.shape[1])[:, None]
    lit = cv2.GaussianBlur(page, (0, 0), 0.7) * light + rng.normal(0, 3, page.shape)
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)


def measure_case(
    name: str, reader: Reader, frames: Sequence[Picture], digits: float, rounds: int
) -> Case:
    """Read frames in turn, first for the time of all, then for that of each stage."""
    (spent_ms,) = clock_in_turn(reader, [frames], rounds)
    return summarize_case(name, reader, frames, digits, spent_ms)


def clock_in_turn(
    reader: Reader, cases: Sequence[Sequence[Picture]], rounds: int
) -> list[NDArray[np.float64]]:
    """Read all frames of all cases, over and over.

    The frames of each case are spread evenly over a round: a machine that is slower for a while is
    so for all of them.

    Args:
        reader: What reads.
        cases: The frames of each.
        rounds: How many readings of each frame count; two more come before those.

    Returns:
        The milliseconds of each case, float64 [rounds, frames].
    """
    warmup_rounds = 2
    spent_ms = [np.empty((warmup_rounds + rounds, len(frames))) for frames in cases]
    order = sorted(
        ((place + 0.5) / len(frames), case, place)
        for case, frames in enumerate(cases)
        for place in range(len(frames))
    )
    for number in range(warmup_rounds + rounds):
        for _, case, place in order:
            started = time.perf_counter()
            reader.read(cases[case][place])
            spent_ms[case][number, place] = 1e3 * (time.perf_counter() - started)
    return [own[warmup_rounds:] for own in spent_ms]


def summarize_case(
    name: str,
    reader: Reader,
    frames: Sequence[Picture],
    digits: float,
    spent_ms: NDArray[np.float64],
) -> Case:
    """Return a case of which reading each frame has taken so long, float64 [rounds, frames]."""
    p50_ms, p90_ms = np.percentile(spent_ms, (50, 90)).tolist()
    mean_ms = float(np.median(spent_ms, axis=0).mean())
    read = np.mean([len(reader.read(frame).digits) for frame in frames])
    stage_frames = list(islice(cycle(frames), max(STAGE_RUNS, len(frames))))
    stages_ms = measure_stages(reader, stage_frames)
    return Case(name, digits, float(read), p50_ms, p90_ms, mean_ms, stages_ms)


def measure_stages(reader: Reader, frames: Sequence[Picture]) -> dict[str, float]:
    """Return the mean milliseconds of each stage of reading a frame."""
    with clocked_stages() as spent_s:
        readings = [reader.read(frame) for frame in frames]
    stages = {stage: 1e3 * seconds / len(frames) for stage, seconds in spent_s.items()}
    stages["model"] = float(np.mean([reading.ms["classify"] for reading in readings]))
    whole = float(np.mean([sum(reading.ms.values()) for reading in readings]))
    return {**stages, "rest": whole - sum(stages.values())}


@contextmanager
def clocked_stages() -> Iterator[dict[str, float]]:
    """Give the seconds that are spent in each stage, kept up to date in the body."""
    spent_s = dict.fromkeys(STAGES, 0.0)

    def clock(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            started = time.perf_counter()
            result = function(*arguments)
            if isgenerator(result):
                result = list(result)
            spent_s[stage] += time.perf_counter() - started
            return result

        return run

    with ExitStack() as stack:
        for stage, (module, names) in STAGES.items():
            for name in names:
                clocked = clock(stage, getattr(module, name))
                stack.enter_context(mock.patch.object(module, name, clocked))
        yield spent_s


if __name__ == "__main__":
    sys.exit(main())
