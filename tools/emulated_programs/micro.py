"""Runs in a process of its own: what a model gives in TensorFlow Lite Micro, and what it takes.

Usage: micro.py IMAGES.npy OUTPUTS.npy MODEL ARENA_BYTES, where IMAGES is uint8 [N, 28, 28]. Writes
the outputs, [N, 10]; what was allocated in the arena goes to stderr, as the library prints it.
"""

import sys

import numpy as np
from tflite_micro import runtime


def main() -> None:
    """Run the model on each image in turn."""
    images = np.load(sys.argv[1])
    try:
        interpreter = runtime.Interpreter.from_file(sys.argv[3], arena_size=int(sys.argv[4]))
        outputs = []
        for image in images:
            interpreter.set_input(image[None, :, :, None], 0)
            interpreter.invoke()
            outputs.append(interpreter.get_output(0)[0].copy())
    except (RuntimeError, ValueError) as exc:
        sys.exit(str(exc).splitlines()[0])
    np.save(sys.argv[2], np.stack(outputs))
    interpreter.print_allocations()


main()
