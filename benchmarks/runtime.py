"""What the runtime adds to a bare interpreter loop, and what batches and threads gain.

Usage: python benchmarks/runtime.py
"""

import os
import sys
import time
from collections.abc import Callable

import numpy as np
from report import render_markdown_table, write_report

from edge_mnist import Classifier
from edge_mnist.bench.tables import format_ratio
from edge_mnist.engines import EngineSetting, create_interpreter, installed_engines
from edge_mnist.latency import compare_pairs, measure
from edge_mnist.model_store import find_model

ROUNDS = 11
RUNS = 1000
IMAGES = 256
BATCHES = (1, 8, 32, 128, 256)

# What is aimed at: how much `predict` may add to the bare loop, and how many times the images per
# second a batch of IMAGES shall give.
MAX_OVERHEAD_US = 3.0
MIN_GAIN = 3.0

Call = Callable[[], object]


def main() -> None:
    """Measure every installed engine, alternating what is compared, and write the report."""
    content = find_model().read_bytes()
    engines = list(installed_engines())
    header = ["engine", "bare loop, µs", "`Classifier.predict`, µs", "overhead, µs", "target"]
    gain_header = ["engine", "threads", "`predict`, µs", "`predict_batch`, µs", "images per second"]
    batch_header = ["engine", *(f"{size}, µs" for size in BATCHES), "gain"]
    batches = [measure_batches(content, engine) for engine in engines]
    write_report(
        "runtime",
        "The runtime's overhead",
        "python benchmarks/runtime.py",
        f"The default model, one thread unless told, medians of {ROUNDS} rounds, alternating.\n\n"
        f"A round is {RUNS} runs. The bare loop is set_tensor, invoke, get_tensor; `predict` "
        f"checks the image and adds digit, confidence and probabilities. Target: at most "
        f"{MAX_OVERHEAD_US:g} µs more.\n\n"
        + render_markdown_table(header, [measure_overhead(content, engine) for engine in engines])
        + f"\n\n`predict_batch` of {IMAGES} images against `predict` of each with one thread; time "
        "an image, and how many times the images per second (95 % interval). Threads share the "
        f"batches between them. Target: at least {MIN_GAIN:g} times.\n\n"
        + render_markdown_table(
            [*gain_header, "target"], [r for e in engines for r in measure_gain(e)]
        )
        + "\n\nThe interpreter alone, one thread: time an image in a batch of so many, and how "
        "many times the images per second the best batch gives. No `predict_batch` with one thread "
        "is quicker than this: nearly all of the time is the kernels', which gain little from a "
        "batch. Beyond that only more cores help.\n\n"
        + render_markdown_table(batch_header, batches),
    )


def measure_overhead(content: bytes, engine: str) -> list[str]:
    """Return the engine, the medians of the bare loop and of predict, and their difference."""
    classifier = Classifier.load(engine=engine)
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    run_bare, _ = build_loop(content, engine, 1)
    bare, full = [], []
    for _ in range(ROUNDS):
        bare.append(measure(run_bare, runs=RUNS).p50_us)
        full.append(measure(lambda: classifier.predict(image), runs=RUNS).p50_us)
    difference = np.median(np.array(full) - np.array(bare))
    figures = [f"{figure:.1f}" for figure in (np.median(bare), np.median(full), difference)]
    return [engine, *figures, judge(difference <= MAX_OVERHEAD_US)]


def measure_gain(engine: str) -> list[list[str]]:
    """Return a row for each number of threads: what a batch gains over single calls."""
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 28, 28), np.uint8)
    single = Classifier.load(engine=engine, threads=1)
    rows = []
    for threads in sorted({1, 2, 4, os.cpu_count() or 1}):
        if threads > (os.cpu_count() or 1):
            continue
        batched = Classifier.load(engine=engine, threads=threads)
        batched.predict_batch(images)  # where it finds out what is quicker
        alone, together = [], []
        for _ in range(ROUNDS):
            alone.append(time_us(lambda: [single.predict(image) for image in images]))
            together.append(time_us(lambda batched=batched: batched.predict_batch(images)))
        gain = compare_pairs(alone, together)
        figures = [f"{np.median(total) / IMAGES:.1f}" for total in (alone, together)]
        verdict = judge(gain.ratio >= MIN_GAIN)
        rows.append([engine, str(threads), *figures, format_ratio(gain), verdict])
    return rows


def measure_batches(content: bytes, engine: str) -> list[str]:
    """Return the engine, the median time an image by size of batch, and what the best gains."""
    loops = [build_loop(content, engine, size) for size in BATCHES]
    figures = [
        [measure(loop, runs=RUNS // size + 20, warmup_runs=5).p50_us / size for loop, size in loops]
        for _ in range(ROUNDS)
    ]
    medians = np.median(figures, axis=0)
    return [engine, *(f"{median:.1f}" for median in medians), f"{medians[0] / medians.min():.2f}"]


def judge(is_reached: bool) -> str:
    """Return how a figure stands to its target."""
    return "reached" if is_reached else "**missed**"


def build_loop(content: bytes, engine: str, size: int) -> tuple[Call, int]:
    """Return a call that runs a batch in a bare interpreter, and its size."""
    interpreter = create_interpreter(content, EngineSetting(engine))
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]
    images = np.random.default_rng(0).integers(0, 256, (size, 28, 28, 1), np.uint8)
    interpreter.resize_tensor_input(source, images.shape)
    interpreter.allocate_tensors()

    def run() -> None:
        interpreter.set_tensor(source, images)
        interpreter.invoke()
        interpreter.get_tensor(target)

    return run, size


def time_us(call: Call) -> float:
    """Return how long a call takes, in microseconds: the shortest of three."""
    durations = []
    for _ in range(3):
        started = time.perf_counter_ns()
        call()
        durations.append((time.perf_counter_ns() - started) / 1000)
    return min(durations)


if __name__ == "__main__":
    sys.exit(main())
