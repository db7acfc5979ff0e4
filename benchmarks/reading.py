"""How well handwritten numbers are read: made scenes of five degrees of difficulty, and clips.

Usage: python benchmarks/reading.py [--count 500] [--clips 40] [--seed 0] [--jobs 2]; writes
results/reading.md and docs/reading-failures.jpg. With --show DIR nothing is published: every scene
that is not read perfectly is written there, what is true in green, what was read in red.

What is published is seed 0 with MNIST's test digits. The reader was developed on other seeds and
with the digits of MNIST's training images: --seed 1 --split train --show runs/failures.
"""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2

TOOLS = Path(__file__).parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

from make_scenes import load_digits, show_progress  # noqa: E402
from reading_pictures import draw_gallery, draw_scene  # noqa: E402
from reading_report import write_results  # noqa: E402
from reading_score import ClipScore, SceneScore, score_clip, score_scene  # noqa: E402
from scene_clips import make_clip  # noqa: E402
from scene_degrees import DEGREES  # noqa: E402
from scene_truth import Scene  # noqa: E402
from scenes import make_scene  # noqa: E402

from edge_mnist.cascade import DEFAULT_MODELS, load_models  # noqa: E402
from edge_mnist.dataset import Examples  # noqa: E402
from edge_mnist.errors import EdgeMnistError  # noqa: E402
from edge_mnist.files import write_atomically  # noqa: E402
from edge_mnist.vision.reader import Reader  # noqa: E402
from edge_mnist.vision.reading import Reading  # noqa: E402
from edge_mnist.vision.tracking import Tracker  # noqa: E402

GALLERY = Path(__file__).parent.parent / "docs" / "reading-failures.jpg"
GALLERY_SCENES = 12


class Bench(NamedTuple):
    """What a process needs to read scenes."""

    reader: Reader
    digits: Examples
    seed: int
    show: Path | None


# Of this process; set once at its start, as the digits would cost more to send than to load.
_bench: Bench


def main() -> int:
    """Measure, and publish or show."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=500, help="scenes, over all difficulties")
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("train", "test"), default="test")
    parser.add_argument("--digits", choices=("mnist", "optdigits"), help="default: MNIST if had")
    parser.add_argument("--model", default=DEFAULT_MODELS, help="a name or path, or two: A+B")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--show", type=Path, metavar="DIR", help="write failures, publish nothing")
    parser.add_argument("--only", type=int, choices=range(len(DEGREES)), help="one difficulty")
    arguments = parser.parse_args()
    indices = [
        index
        for index in range(arguments.count)
        if arguments.only is None or index % len(DEGREES) == arguments.only
    ]
    preparation = partial(
        prepare,
        arguments.model,
        arguments.digits,
        arguments.split,
        arguments.seed,
        arguments.show,
    )
    try:
        preparation()  # so that errors come from here
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(arguments.jobs, context, preparation) as pool:
            scenes: list[SceneScore] = run(pool, read_scene, indices, "scenes")
            clips: list[ClipScore] = run(pool, read_clip, range(arguments.clips), "clips")
    except EdgeMnistError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    command = "python benchmarks/reading.py" + "".join(f" {word}" for word in sys.argv[1:])
    write_results(command, scenes, clips, publish=arguments.show is None)
    if arguments.show is None:
        failures = choose_failures(scenes)
        if failures:
            write_atomically(GALLERY, draw_gallery(map(reread, failures)))
    return 0


def prepare(model: str, digits: str | None, split: str, seed: int, show: Path | None) -> None:
    """Load in a process what scenes are read with."""
    global _bench  # noqa: PLW0603
    cv2.setNumThreads(1)  # the processes take the cores
    _bench = Bench(Reader(load_models(model)), load_digits(digits, split), seed, show)


def run(
    pool: ProcessPoolExecutor, task: Callable[[int], Any], indices: Sequence[int], what: str
) -> list[Any]:
    """Do a task for each index, with a line of progress."""
    results = []
    for result in pool.map(task, indices):
        results.append(result)
        show_progress(len(results), len(indices), what)
    return results


def read_scene(index: int) -> SceneScore:
    """Make a scene, read it and score it; write it if it is to be shown and has a failure."""
    scene = remake(index)
    reading = _bench.reader.read(scene.picture, careful=True)
    score = score_scene(scene.truth, reading)
    if _bench.show is not None and not score.is_perfect:
        picture = draw_scene(scene, reading)
        name = f"scene-{index:04d}-{scene.truth.difficulty}.png"
        write_atomically(_bench.show / name, cv2.imencode(".png", picture)[1].tobytes())
    return score


def read_clip(index: int) -> ClipScore:
    """Make a clip, read it and score it."""
    return score_clip(_bench.reader, Tracker(), make_clip(index, _bench.digits, _bench.seed))


def choose_failures(scores: Sequence[SceneScore]) -> list[SceneScore]:
    """Choose scenes with a failure for the gallery, of each difficulty as many as is its share."""
    failed = sorted(
        (score for score in scores if not score.is_perfect), key=lambda score: score.difficulty
    )
    count = min(len(failed), GALLERY_SCENES)
    return [failed[(2 * place + 1) * len(failed) // (2 * count)] for place in range(count)]


def reread(score: SceneScore) -> tuple[Scene, SceneScore, Reading]:
    """Make and read a scene once more."""
    scene = remake(score.index)
    return scene, score, _bench.reader.read(scene.picture, careful=True)


def remake(index: int) -> Scene:
    """Make a scene; the degrees of difficulty take turns."""
    return make_scene(index, index % len(DEGREES), _bench.digits, _bench.seed)


if __name__ == "__main__":
    sys.exit(main())
