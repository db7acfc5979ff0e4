"""Runs on the emulated processor: puts a mark before and after each inference of some models.

Usage: count.py MODELS IMAGES.npy WARM_UP_RUNS, in a folder with 000000.tflite and so on. IMAGES is
uint8 [N, 28, 28].

Each model has a process and a name of the same length, so that what was counted before it moves its
count by some hundredths of a percent at most.
"""

import gc
import os
import sys

import numpy as np
from tflite_runtime.interpreter import Interpreter


def run(name: str, images: np.ndarray, warm_up_runs: int) -> None:
    """Run one model on the first image to warm up, and then on each."""
    interpreter = Interpreter(name, num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    # The public method checks for references to tensors first, which no C++ program does.
    invoke, mark = interpreter._interpreter.Invoke, os.getppid
    for index in [0] * warm_up_runs + list(range(len(images))):
        codes = images[index].reshape(source["shape"]).astype(source["dtype"])
        interpreter.set_tensor(source["index"], codes)
        mark()
        invoke()
        mark()


def main() -> None:
    """Run all models in turn; the exit code is that of the first that fails."""
    models, images, warm_up_runs = int(sys.argv[1]), np.load(sys.argv[2]), int(sys.argv[3])
    gc.disable()
    for number in range(models):
        child = os.fork()
        if not child:
            try:
                run(f"{number:06}.tflite", images, warm_up_runs)
            except Exception as exc:
                sys.exit(str(exc).splitlines()[0])
            sys.exit()
        _, status = os.wait()
        if status:
            sys.exit(os.waitstatus_to_exitcode(status) % 256)


main()
