"""Runs on the emulated processor and on this one: what some models give on some images.

Usage: infer.py [--reference] IMAGES.npy FOLDER MODEL..., where IMAGES is uint8 [N, 28, 28].
Writes 000000.npy and so on to FOLDER, one a model: its outputs, [N, 10], as it gives them. With
--reference the kernels are those that TensorFlow Lite Micro has too, not the optimised ones.
"""

import sys

import numpy as np
from tflite_runtime.interpreter import Interpreter, OpResolverType


def infer(model: str, images: np.ndarray, kernels: OpResolverType) -> np.ndarray:
    """Return a model's outputs, one image at a time."""
    interpreter = Interpreter(model, num_threads=1, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if source["dtype"] is not np.uint8:
        raise ValueError(f"it takes {source['dtype'].__name__}, expected uint8")
    outputs = np.empty((len(images), target["shape"][-1]), target["dtype"])
    for image, output in zip(images, outputs, strict=True):
        interpreter.set_tensor(source["index"], image.reshape(source["shape"]))
        interpreter.invoke()
        output[:] = interpreter.get_tensor(target["index"])[0]
    return outputs


def main() -> None:
    """Run all models in turn; stop at the first that fails."""
    arguments = sys.argv[1:]
    kernels = OpResolverType.AUTO
    if arguments[0] == "--reference":
        kernels = OpResolverType.BUILTIN_REF
        del arguments[0]
    images, folder = np.load(arguments[0]), arguments[1]
    for number, model in enumerate(arguments[2:]):
        try:
            outputs = infer(model, images, kernels)
        except (RuntimeError, ValueError) as exc:
            sys.exit(str(exc).splitlines()[0])
        np.save(f"{folder}/{number:06}.npy", outputs)


main()
