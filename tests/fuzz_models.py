"""Load corrupted copies of a model in this process and tell what became of them (test_fuzz.py).

Usage: python fuzz_models.py MODEL ENGINE SEED COUNT FOLDER
"""

import json
import sys
from pathlib import Path

import numpy as np

from edge_mnist import Classifier
from edge_mnist.errors import ModelError

# Where a .tflite file's root offset and identifier end.
HEADER_BYTES = 8


def corrupt(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a damaged copy; most damage spares the header, so that the interpreter sees it."""
    damaged = bytearray(content)
    first = 0 if rng.random() < 0.1 else HEADER_BYTES
    start = int(rng.integers(first, len(content)))
    length = int(rng.integers(1, 65))
    kind = rng.integers(6)
    if kind == 0:
        for _ in range(rng.integers(1, 17)):
            damaged[rng.integers(first, len(content))] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        damaged[start : start + length] = rng.bytes(length)
        del damaged[len(content) :]
    elif kind == 2:
        fill = [0x00, 0xFF, 0x7F, 0x80][rng.integers(4)]
        damaged[start : start + length] = bytes([fill]) * length
        del damaged[len(content) :]
    elif kind == 3:
        del damaged[start:]
    elif kind == 4:
        damaged[start:start] = rng.bytes(length)
    else:
        del damaged[start : start + length]
    return bytes(damaged)


def main(model: str, engine: str, seed: str, count: str, folder: str) -> None:
    """Load COUNT corrupted copies; print how many were refused and how many predicted."""
    content = Path(model).read_bytes()
    rng = np.random.default_rng(int(seed))
    images = rng.integers(0, 256, (3, 28, 28), np.uint8)
    outcomes = {"refused": 0, "predicted": 0}
    path = Path(folder) / f"damaged-{seed}.tflite"
    for number in range(int(count)):
        path.write_bytes(corrupt(content, rng))
        # Unbuffered, so that the last line names the copy that crashed this process.
        print(f"copy {number}", file=sys.stderr, flush=True)
        try:
            classifier = Classifier.load(path, engine=engine)
        except ModelError as exc:
            if str(path) not in str(exc):
                raise
            outcomes["refused"] += 1
            continue
        for prediction in classifier.predict_batch(images):
            if prediction.digit not in range(10) or prediction.probabilities.shape != (10,):
                raise AssertionError(prediction)
        outcomes["predicted"] += 1
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(*sys.argv[1:])
