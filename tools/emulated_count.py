"""Instructions of one inference on an emulated processor: a figure without noise."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median_low

import numpy as np
from emulated_images import draw_strokes
from emulated_processors import DEFAULT_PROCESSOR, Processor
from emulated_system import (
    COMPILER,
    PROGRAMS,
    build_command,
    build_environment,
    describe_failure,
    require,
    run_step,
    set_up_system,
)

from edge_mnist.errors import ModelError

CAVEAT = "instructions, not cycles: they rank networks, they are no time"

PLUGIN_SOURCE = Path(__file__).parent / "instruction_count.c"

# The kernels' work hardly depends on the picture.
IMAGES = 5
# The first inferences pack weights and fill caches of the kernels.
WARM_UP_RUNS = 2


def count_instructions(
    paths: Sequence[Path], processor: Processor = DEFAULT_PROCESSOR
) -> list[int]:
    """Count the instructions of one inference of each model, all in one emulated start.

    Args:
        paths: .tflite files with one input of 784 values.
        processor: What to run them on.

    Returns:
        For each path in turn, the median over several images, on one thread.

    Raises:
        MissingDependencyError: If QEMU or a compiler is missing, or the set-up fails.
        ModelError: If one of the models does not run.
    """
    require(processor.architecture.qemu, COMPILER)
    if not paths:
        return []
    system = set_up_system(processor.architecture)
    with tempfile.TemporaryDirectory() as folder:
        plugin, marks = Path(folder) / "instruction_count.so", Path(folder) / "marks"
        run_step(
            [COMPILER, "-O2", "-shared", "-fPIC", "-o", plugin, PLUGIN_SOURCE],
            "cannot compile the instruction counter",
        )
        np.save(Path(folder) / "images.npy", draw_strokes(IMAGES))
        for number, path in enumerate(paths):
            (Path(folder) / f"{number:06}.tflite").symlink_to(path.resolve())
        counter = f"{plugin},mark={processor.architecture.mark},out={marks}"
        process = subprocess.run(
            [
                *build_command(processor, system, ["-plugin", counter]),
                *(str(PROGRAMS / "count.py"), str(len(paths)), "images.npy", str(WARM_UP_RUNS)),
            ],
            cwd=folder,
            env=build_environment(system),
            capture_output=True,
            text=True,
            check=False,
        )
        totals = [int(line) for line in marks.read_text().split()] if marks.is_file() else []
    if process.returncode:
        counted = min(len(totals) // (2 * (WARM_UP_RUNS + IMAGES)), len(paths) - 1)
        raise ModelError(
            f"{paths[counted]} does not run on an emulated {processor.name}",
            got=describe_failure(process),
        )
    return interpret_marks(totals, len(paths))


def interpret_marks(totals: Sequence[int], models: int) -> list[int]:
    """Return each model's count from the totals at all its marks, two for each inference.

    Raises:
        ModelError: If there are not as many marks as there should be.
    """
    runs = WARM_UP_RUNS + IMAGES
    if len(totals) != 2 * runs * models:
        raise ModelError(
            "the emulated processor stopped early",
            expected=f"{2 * runs * models} marks",
            got=str(len(totals)),
        )
    counts = [after - before for before, after in zip(totals[::2], totals[1::2], strict=True)]
    return [
        median_low(counts[start + WARM_UP_RUNS : start + runs])
        for start in range(0, len(counts), runs)
    ]
