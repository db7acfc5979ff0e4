"""The whole chain on real data in a few minutes: `make demo`.

Runs the public commands one after the other and shows each: train, quantize, evaluate, predict on
picture files, bench. MNIST is used if it is at hand or can be downloaded, else optdigits.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from edge_mnist import dataset
from edge_mnist.cli.loading import load_dataset
from edge_mnist.errors import DatasetError

FOLDER = Path("demo")
PICTURES = 5
PICTURE_SIZE = 200

# Enough to see it work: 40 epochs make the shipped model out of the same recipe.
EPOCHS = {"mnist": 12, "optdigits": 80}


def main() -> None:
    """Run the chain; the first command that fails ends it with its exit code."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    data = choose_data()
    run = FOLDER / "run"
    pictures = draw_pictures(data, FOLDER / "pictures")
    show("train", "--data", data, "--epochs", str(EPOCHS[data]), "--out", str(run))
    show("quantize", str(run), "--int8", "--qat-epochs", "3")
    model = str(run / "micro.tflite")
    show("evaluate", model, "--data", data)
    show("predict", *map(str, pictures), "--model", model)
    show("bench", model)
    print(f"\nThe model is {model}, its card {run / 'micro.md'}; see the plots in {run}.")


def choose_data() -> str:
    """Return mnist, or optdigits where MNIST cannot be had."""
    try:
        load_dataset("mnist")
    except DatasetError as exc:
        reason = str(exc).partition(":")[0]
        print(f"MNIST is not to be had ({reason}): falling back to optdigits, 1,797 small digits")
        return "optdigits"
    return "mnist"


def draw_pictures(data: str, folder: Path) -> list[Path]:
    """Write a few test digits as a scanner would see them: dark ink on light paper, larger."""
    folder.mkdir(parents=True)
    test = dataset.load(data).test
    assert test is not None
    paths = []
    for image, label in zip(test.images[:PICTURES], test.labels, strict=False):
        enlarged = cv2.resize(image, (PICTURE_SIZE, PICTURE_SIZE), interpolation=cv2.INTER_CUBIC)
        paper = 235 - 0.8 * enlarged.astype(np.float32)
        path = folder / f"a-{label}-{len(paths)}.png"
        cv2.imwrite(str(path), np.rint(paper).astype(np.uint8))
        paths.append(path)
    return paths


def show(*arguments: str) -> None:
    """Print a command and run it."""
    print(f"\n$ edge-mnist {' '.join(arguments)}", flush=True)
    code = subprocess.run([sys.executable, "-m", "edge_mnist", *arguments], check=False).returncode
    if code:
        sys.exit(code)


if __name__ == "__main__":
    main()
