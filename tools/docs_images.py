"""Make the pictures of docs/explain.md and compare.md, and inspect.md's output: `make docs-images`.

The commands themselves make them: those of explain.md of a digit that is drawn here, that of
compare.md of a network that is trained on MNIST for a minute.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from edge_mnist.bench.drawn_digits import draw_digit, enlarge

DOCS = Path(__file__).parent.parent / "docs"
MODEL, DIGIT, LAYER = "micro", 4, "conv_2d_1"
PICTURES = {
    f"{MODEL}-filters-{LAYER}.png": "explain-filters.png",
    f"{DIGIT}-activations.png": "explain-activations.png",
    f"{DIGIT}-gradcam.png": "explain-gradcam.png",
    f"{DIGIT}-occlusion.png": "explain-occlusion.png",
}
RECIPE, COMPARED = "tutorial-4x4", "layers.png"
# What is between these lines of docs/inspect.md is the command's.
START, END = "```text\n", "```\n"


def main() -> None:
    """Run the commands and put what they make into docs/."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = folder / f"{DIGIT}.png"
        cv2.imwrite(str(picture), enlarge(draw_digit(DIGIT, np.random.default_rng(0))))
        run("explain", MODEL, str(picture), "--out", str(folder))
        for made, kept in PICTURES.items():
            shutil.copyfile(folder / made, DOCS / kept)
        trained = str(folder / "run")
        run("train", "--recipe", RECIPE, "--epochs", "2", "--out", trained)
        run("quantize", trained, "--int8")
        run("compare", trained, f"{trained}/{RECIPE}.tflite", "--out", str(folder))
        shutil.copyfile(folder / COMPARED, DOCS / f"compare-{COMPARED}")
    page = DOCS / "inspect.md"
    before, _, rest = page.read_text().partition(START)
    _, _, after = rest.partition(END)
    page.write_text(before + START + run("inspect", MODEL) + END + after)


def run(*arguments: str) -> str:
    """Run a command, and return what it printed."""
    command = [sys.executable, "-m", "edge_mnist", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
