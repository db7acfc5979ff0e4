"""How long it takes from starting a process to its first prediction.

Usage: python benchmarks/startup.py
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from report import render_markdown_table, write_report

from edge_mnist.bench.tables import format_ratio
from edge_mnist.engines import ENGINE_MODULES, resolve_engine
from edge_mnist.latency import compare_pairs
from edge_mnist.model_store import find_model

ROUNDS = 21

BARE = """
import sys
import numpy as np
from {module} import Interpreter
content = open(sys.argv[1], "rb").read()
interpreter = Interpreter(model_content=content)
interpreter.allocate_tensors()
source = interpreter.get_input_details()[0]["index"]
target = interpreter.get_output_details()[0]["index"]
interpreter.set_tensor(source, np.zeros((1, 28, 28, 1), np.uint8))
interpreter.invoke()
print(interpreter.get_tensor(target)[0].argmax())
"""
CLASSIFIER = """
import numpy as np
from edge_mnist import Classifier
print(Classifier.load().predict(np.zeros((28, 28), np.uint8)).digit)
"""
# What pip writes for the command `edge-mnist`.
COMMAND = """
import sys
from edge_mnist.cli.app import main
sys.exit(main())
"""


def main() -> None:
    """Start the three in turn, and write the report."""
    engine = resolve_engine()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "one.pgm"
        write_picture(picture)
        bare = BARE.format(module=ENGINE_MODULES[engine])
        programs = {
            f"bare script: NumPy and {engine}": [bare, str(find_model())],
            "`Classifier.load().predict(image)`": [CLASSIFIER],
            "`edge-mnist predict FILE`": [COMMAND, "predict", str(picture)],
        }
        environment = build_environment(Path(folder))
        for program in programs.values():  # writes the bytecode, as an install does
            run(program, environment)
        runs = [[run(program, environment) for program in programs.values()] for _ in range(ROUNDS)]
    times_ms, peaks_mb = np.moveaxis(np.array(runs), 2, 0)
    rows = [
        [
            name,
            f"{np.median(times_ms[:, column]):.0f}",
            format_ratio(compare_pairs(times_ms[:, column].tolist(), times_ms[:, 0].tolist())),
            f"{np.median(times_ms[:, column] - times_ms[:, 0]):+.0f}",
            f"{np.median(peaks_mb[:, column]):.1f}",
        ]
        for column, name in enumerate(programs)
    ]
    header = ["program", "ms", "times the bare script", "ms beyond it", "peak memory, MB"]
    write_report(
        "startup",
        "From the start of a process to its first prediction",
        "python benchmarks/startup.py",
        f"The default model, medians of {ROUNDS} fresh processes each, in turn, from their start "
        "to their end; ratios and differences pair by pair, with a 95 % interval. All read their "
        "bytecode from a cache, as installed packages do.\n\n"
        + render_markdown_table(header, rows),
    )


def build_environment(folder: Path) -> dict[str, str]:
    """Return the environment of the processes: bytecode in a cache, and nothing tuned."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }


def run(program: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a program in a fresh process.

    Returns:
        How long it took in milliseconds, and its peak resident memory in MB.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", *program],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _, status, usage = os.wait4(process.pid, 0)
    duration_ms = (time.perf_counter() - started) * 1000
    process.returncode = os.waitstatus_to_exitcode(status)
    output, errors = process.communicate()
    if process.returncode != 0 or not output:
        sys.exit(f"a program failed: {errors.decode()}")
    return duration_ms, usage.ru_maxrss * 1024 / 1e6


def write_picture(path: Path) -> None:
    """Write a picture of a handwritten-looking 1: a dark bar on white paper."""
    pixels = np.full((112, 112), 255, np.uint8)
    pixels[20:92, 52:62] = 0
    path.write_bytes(b"P5 112 112 255\n" + pixels.tobytes())


if __name__ == "__main__":
    sys.exit(main())
