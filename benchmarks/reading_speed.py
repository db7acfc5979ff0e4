"""What reading a frame costs, by stage, on one thread, and how that grows with the digits in it.

Usage: python benchmarks/reading_speed.py [--runs 100] [--model NAME] [--json] (two minutes); writes
results/reading_speed.md and reading_speed.png. With --json nothing is written: the figures go to
stdout.
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
from dataclasses import asdict
from functools import partial
from inspect import isgenerator
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray

TOOLS = Path(__file__).parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

from make_scenes import load_digits  # noqa: E402
from reading_speed_report import Case, write_results  # noqa: E402
from report import describe_machine  # noqa: E402
from scene_writing import measure_width, put_ink, take_pen, write_number  # noqa: E402
from scenes import make_scene  # noqa: E402

from edge_mnist.cascade import DEFAULT_MODELS, load_models  # noqa: E402
from edge_mnist.dataset import Examples  # noqa: E402
from edge_mnist.runtime import Classifier  # noqa: E402
from edge_mnist.vision import reader as reader_module  # noqa: E402
from edge_mnist.vision.frames import Picture  # noqa: E402
from edge_mnist.vision.reader import Reader  # noqa: E402

COUNTS = (1, 2, 5, 10, 20, 50, 100)
# Each case is read in so many drawings, which take turns.
DRAWINGS = 10
DIFFICULTIES = (0, 1, 2)
VGA, HD = (640, 480), (1280, 720)
# Heights of digits, in pixels: 100 of the smallest fill a frame of 640x480.
SMALL, USUAL, LARGE = 26, 40, 60
ROW_LENGTH = 10

# What the reader calls, by stage. The model's own time is in what the reader gives; the rest is the
# time that none of these takes.
STAGES = {
    "ink": ("map_ink",),
    "segments": ("segment",),
    "crops": ("cut_ink", "fit_ink", "cut_strip"),
    "cuts": ("propose_parts", "choose_parts"),
}


def main() -> None:
    """Measure all cases, and publish or print them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=100, help="of each case, at least 50")
    parser.add_argument("--model", default=DEFAULT_MODELS, help="a name or path, or two: A+B")
    parser.add_argument("--json", action="store_true", help="print the figures, write nothing")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    reader = Reader(load_models(arguments.model, partial(Classifier.load, threads=1)))
    digits = load_digits()
    plain = measure_plain(reader, digits, arguments.runs)
    series = measure_series(reader, digits, arguments.runs)
    scenes = measure_scenes(reader, digits, arguments.runs)
    if arguments.json:
        cases = {"plain": plain, "series": series, "scenes": scenes}
        found = {name: [asdict(case) for case in group] for name, group in cases.items()}
        print(json.dumps({"machine": describe_machine(), **found}, indent=2))
        return
    conditions = f"{arguments.runs} runs of each case after a warm-up, over {DRAWINGS} drawings"
    write_results(conditions, plain, series, scenes)


def measure_plain(reader: Reader, digits: Examples, runs: int) -> list[Case]:
    """Measure eight digits in two sizes of frame, and no digit."""
    return [
        measure_case(
            f"{size[0]}x{size[1]}, {amount} digits" if amount else f"{size[0]}x{size[1]}, empty",
            reader,
            [draw_frame(digits, amount, size, height, seed) for seed in range(DRAWINGS)],
            amount,
            runs,
        )
        for size, height, amount in ((VGA, USUAL, 8), (HD, LARGE, 8), (VGA, USUAL, 0))
    ]


def measure_series(reader: Reader, digits: Examples, runs: int) -> list[Case]:
    """Measure ever more digits of one size in a frame of 640x480.

    The cases take turns: a machine that is slower for a while is so for all of them.
    """
    frames = [
        [draw_frame(digits, amount, VGA, SMALL, seed) for seed in range(DRAWINGS)]
        for amount in COUNTS
    ]
    spent_ms = clock_in_turn(reader, frames, runs)
    return [
        summarize_case(str(amount), reader, own, amount, own_ms)
        for amount, own, own_ms in zip(COUNTS, frames, spent_ms, strict=True)
    ]


def measure_scenes(reader: Reader, digits: Examples, runs: int) -> list[Case]:
    """Measure scenes of 640x480 pixels: rules, shadows, letters and more."""
    cases = []
    for difficulty in DIFFICULTIES:
        every = (make_scene(index, difficulty, digits) for index in count())
        scenes = list(islice((s for s in every if s.truth.size == VGA), DRAWINGS))
        written = sum(len(number.text) for scene in scenes for number in scene.truth.numbers)
        frames = [scene.picture for scene in scenes]
        name = f"difficulty {difficulty}"
        cases.append(measure_case(name, reader, frames, written / DRAWINGS, runs))
    return cases


def draw_frame(
    digits: Examples, amount: int, size: tuple[int, int], height: int, seed: int
) -> Picture:
    """Draw digits in rows on office paper, in uneven light and with a camera's noise.

    Args:
        digits: What is chosen from.
        amount: How many are written.
        size: Width and height of the frame in pixels.
        height: Of a digit, in pixels.
        seed: For another drawing.
    """
    rng = np.random.default_rng([seed, amount, height])
    page = np.full((size[1], size[0], 3), (228, 232, 232), np.uint8)
    stroke = take_pen("black pen", rng)
    rows = [min(ROW_LENGTH, amount - first) for first in range(0, amount, ROW_LENGTH)]
    pitch = round(1.65 * height)
    baseline = (size[1] - pitch * len(rows)) // 2 + round(1.3 * height)
    for row, length in enumerate(rows):
        glyphs = write_number(digits, length, height, stroke, rng)
        left = (size[0] - measure_width(glyphs)) // 2
        for glyph in glyphs:
            place = left + glyph.left, baseline + row * pitch + glyph.top
            put_ink(page, glyph.coverage, *place, stroke, rng)
    light = np.linspace(1.0, 0.75, size[0])[:, None]
    lit = cv2.GaussianBlur(page, (0, 0), 0.7) * light + rng.normal(0, 3, page.shape)
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)


def measure_case(
    name: str, reader: Reader, frames: Sequence[Picture], digits: float, runs: int
) -> Case:
    """Read frames in turn, first for the time of all, then for that of each stage."""
    (spent_ms,) = clock_in_turn(reader, [frames], runs)
    return summarize_case(name, reader, frames, digits, spent_ms)


def clock_in_turn(
    reader: Reader, cases: Sequence[Sequence[Picture]], runs: int
) -> list[NDArray[np.float64]]:
    """Read a frame of each case in turn, over and over.

    Args:
        reader: What reads.
        cases: The frames of each, as many of one as of the other.
        runs: How many readings of each case count; two rounds of all its frames come before those.

    Returns:
        The milliseconds of each case, float64 [runs], over its frames in turn.
    """
    warmup_runs = 2 * len(cases[0])
    spent_ms = np.empty((len(cases), warmup_runs + runs))
    for run in range(warmup_runs + runs):
        for case, frames in enumerate(cases):
            frame = frames[run % len(frames)]
            started = time.perf_counter()
            reader.read(frame)
            spent_ms[case, run] = 1e3 * (time.perf_counter() - started)
    return list(spent_ms[:, warmup_runs:])


def summarize_case(
    name: str,
    reader: Reader,
    frames: Sequence[Picture],
    digits: float,
    spent_ms: NDArray[np.float64],
) -> Case:
    """Return a case of which reading its frames in turn has taken so long."""
    p50_ms, p90_ms = np.percentile(spent_ms, (50, 90)).tolist()
    per_frame = [np.median(spent_ms[i :: len(frames)]) for i in range(len(frames))]
    read = np.mean([len(reader.read(frame).digits) for frame in frames])
    stages_ms = measure_stages(reader, list(islice(cycle(frames), len(spent_ms))))
    return Case(name, digits, float(read), p50_ms, p90_ms, float(np.mean(per_frame)), stages_ms)


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
        for stage, names in STAGES.items():
            for name in names:
                clocked = clock(stage, getattr(reader_module, name))
                stack.enter_context(mock.patch.object(reader_module, name, clocked))
        yield spent_s


if __name__ == "__main__":
    sys.exit(main())
