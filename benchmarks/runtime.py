"""What the runtime adds to a bare interpreter loop, and what a resized batch gains.

Usage: python benchmarks/runtime.py
"""

import sys

import numpy as np
from report import render_markdown_table, write_report

from edge_mnist import Classifier
from edge_mnist.engines import EngineSetting, create_interpreter, installed_engines
from edge_mnist.latency import measure
from edge_mnist.model_store import find_model

ROUNDS = 5
RUNS = 3000
BATCHES = (1, 8, 32, 128)


def main() -> None:
    """Measure every installed engine, alternating what is compared, and write the report."""
    content = find_model().read_bytes()
    overheads, batches = [], []
    for engine in installed_engines():
        overheads.append([engine, *measure_overhead(content, engine)])
        batches.append([engine, *measure_batches(content, engine)])
    header = ["engine", "bare loop, µs", "`Classifier.predict`, µs", "overhead, µs"]
    batch_header = ["engine", *(f"batch of {size}, µs an image" for size in BATCHES)]
    write_report(
        "runtime",
        "The runtime's overhead",
        "python benchmarks/runtime.py",
        f"The default model, one thread, medians of {ROUNDS} rounds of {RUNS} runs, alternating. "
        "The bare loop is set_tensor, invoke, get_tensor; `predict` checks the image and adds "
        "digit, confidence and probabilities.\n\n"
        + render_markdown_table(header, overheads)
        + "\n\nA resized batch against one image at a time, the interpreter alone:\n\n"
        + render_markdown_table(batch_header, batches),
    )


def measure_overhead(content: bytes, engine: str) -> list[str]:
    """Return the medians of the bare loop and of predict, and their difference, as text."""
    classifier = Classifier.load(engine=engine)
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    batch = image.reshape(1, 28, 28, 1)
    interpreter = create_interpreter(content, EngineSetting(engine))
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]

    def run_bare() -> None:
        interpreter.set_tensor(source, batch)
        interpreter.invoke()
        interpreter.get_tensor(target)

    bare, full = [], []
    for _ in range(ROUNDS):
        bare.append(measure(run_bare, runs=RUNS).p50_us)
        full.append(measure(lambda: classifier.predict(image), runs=RUNS).p50_us)
    difference = np.median(np.array(full) - np.array(bare))
    return [f"{np.median(bare):.1f}", f"{np.median(full):.1f}", f"{difference:.1f}"]


def measure_batches(content: bytes, engine: str) -> list[str]:
    """Return the median time an image for each size of batch, as text."""
    figures = []
    for size in BATCHES:
        images = np.random.default_rng(0).integers(0, 256, (size, 28, 28, 1), np.uint8)
        interpreter = create_interpreter(content, EngineSetting(engine))
        source = interpreter.get_input_details()[0]["index"]
        target = interpreter.get_output_details()[0]["index"]
        interpreter.resize_tensor_input(source, images.shape)
        interpreter.allocate_tensors()

        def run_batch(interpreter=interpreter, source=source, target=target, images=images) -> None:
            interpreter.set_tensor(source, images)
            interpreter.invoke()
            interpreter.get_tensor(target)

        figures.append(f"{measure(run_batch, runs=RUNS // size + 20).p50_us / size:.1f}")
    return figures


if __name__ == "__main__":
    sys.exit(main())
