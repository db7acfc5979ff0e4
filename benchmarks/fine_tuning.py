"""One's own digits: what a shipped model gains on them from a few, and what it forgets.

Usage: python benchmarks/fine_tuning.py [--develop] [OPTION OF TRAIN ...] (about ten minutes)

20 digits of each class out of one half of optdigits, drawn by the seed, stand for one's own; the
rest of that half is what is gained on. With --develop it is the other half, other seeds, and
MNIST's validation images in place of its test images: all choices were made there.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from report import RESULTS, describe_machine, render_markdown_table, write_report

from edge_mnist import dataset
from edge_mnist.dataset import Examples
from edge_mnist.decoding import compute_rejection_scores
from edge_mnist.isolation import run_isolated
from edge_mnist.model_card import load_card
from edge_mnist.model_store import find_model
from edge_mnist.vision.non_digits import make_non_digits

MODEL = "micro"
IMAGES = 20  # of each digit
HALVES_SEED = 777
SEEDS, DEVELOPMENT_SEEDS = range(5), range(10, 13)

# What a line of the table is called, and the figures' names.
FLOAT, INT8 = "float32", "int8"


@dataclass(frozen=True)
class Images:
    """What is measured on.

    Attributes:
        half: Of optdigits; the digits that stand for one's own come out of it.
        mnist: What must not be forgotten.
        non_digits: uint8 [N, 28, 28], to be rejected.
    """

    half: Examples
    mnist: Examples
    non_digits: NDArray[np.uint8]


def main() -> None:
    """Fine-tune with each seed, and write the table."""
    is_development, options = "--develop" in sys.argv, [o for o in sys.argv[1:] if o != "--develop"]
    images = choose_images(is_development)
    rows = []
    for seed in DEVELOPMENT_SEEDS if is_development else SEEDS:
        rows += measure_seed(images, seed, options)
        print(json.dumps(rows[-2:]), file=sys.stderr, flush=True)
    body = render(rows)
    if is_development or options:
        print(body)
        return
    draw_errors(rows, RESULTS / "fine_tuning.png")
    write_report("fine_tuning", "One's own digits", "python benchmarks/fine_tuning.py", body)


def choose_images(is_development: bool) -> Images:
    """Return what figures are taken on: what chose nothing, or what chooses."""
    mnist, digits = dataset.load("mnist"), dataset.load("optdigits").everything()
    order = np.random.default_rng(HALVES_SEED).permutation(len(digits))
    middle = len(digits) // 2
    half = order[:middle] if is_development else order[middle:]
    assert mnist.test is not None
    measured = mnist.validation if is_development else mnist.test
    pictures = [picture for group in make_non_digits(measured).values() for picture in group]
    return Images(digits.take(np.sort(half)), measured, np.stack(pictures))


def measure_seed(images: Images, seed: int, options: list[str]) -> list[dict[str, Any]]:
    """Train and quantize by the public commands; return the figures of float32 and int8."""
    chosen = choose_own(images.half, seed)
    rest = images.half.take(np.setdiff1d(np.arange(len(images.half)), chosen))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_images(images.half.take(chosen), folder / "own")
        run = folder / "run"
        edge_mnist(
            "train", "--from", MODEL, "--data", folder / "own", "--seed", seed,
            "--keep-rejected", "--out", run, *options,
        )  # fmt: skip
        edge_mnist("quantize", run, "--float32", "--int8")
        return [
            {
                "seed": seed,
                "format": number_format,
                "before": measure(find_model(MODEL), rest, images),
                "after": measure(run / f"{MODEL}{suffix}.tflite", rest, images),
            }
            for number_format, suffix in ((FLOAT, "-float32"), (INT8, ""))
        ]


def choose_own(half: Examples, seed: int) -> NDArray[np.int64]:
    """Return the indices of so many images of each digit."""
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [rng.permutation(np.flatnonzero(half.labels == digit))[:IMAGES] for digit in range(10)]
    )


def save_images(examples: Examples, folder: Path) -> None:
    """Write digits as a person would have collected them."""
    shutil.rmtree(folder, ignore_errors=True)
    for index, (image, label) in enumerate(zip(examples.images, examples.labels, strict=True)):
        path = folder / str(label) / f"{index:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), image)


def edge_mnist(*arguments: object) -> None:
    """Run a command."""
    command = [sys.executable, "-m", "edge_mnist", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=sys.stderr)


def measure(path: Path, own: Examples, images: Images) -> dict[str, float]:
    """Return the shares of what a model reads right, and of what it rejects, 0 to 1."""
    content, card = path.read_bytes(), load_card(path)
    assert card is not None
    assert card.rejection_threshold is not None

    def read(pictures: NDArray[np.uint8]) -> tuple[NDArray[Any], float]:
        values = run_isolated(content, pictures).values
        scores = compute_rejection_scores(values / card.temperature)
        return values.argmax(axis=1), float((scores > card.rejection_threshold).mean())

    digits, own_rejected = read(own.images)
    old_digits, old_rejected = read(images.mnist.images)
    return {
        "own": float((digits == own.labels).mean()),
        "own_rejected": own_rejected,
        "mnist": float((old_digits == images.mnist.labels).mean()),
        "mnist_rejected": old_rejected,
        "non_digits_rejected": read(images.non_digits)[1],
    }


def render(rows: list[dict[str, Any]]) -> str:
    """Return the table, means and spreads of each format, and what is made of them."""
    table = []
    for row in rows:
        before, after = row["before"], row["after"]
        changes = [
            f"{100 * before[name]:.2f} % → {100 * after[name]:.2f} %"
            for name in ("own", "own_rejected", "mnist_rejected", "non_digits_rejected")
        ]
        figures = [changes[0], f"{100 * gain(row):.0f} %", f"{loss(row):+.2f}", *changes[1:]]
        table.append([f"{row['format']}, seed {row['seed']}", *figures])
    header = ["", "other digits right", "of the errors gone", "MNIST, points"]
    header += ["other digits rejected", "MNIST rejected", "no digits rejected"]
    lines = [render_markdown_table(header, table), ""]
    for number_format in (FLOAT, INT8):
        own = [row for row in rows if row["format"] == number_format]
        lines.append(
            f"- {number_format}: {describe([100 * gain(row) for row in own], 0)} % of the errors "
            f"on the other digits are gone, and {describe([loss(row) for row in own], 2)} points "
            "on MNIST."
        )
    lines.append(
        f"\n`{MODEL}` from {IMAGES} images of each digit, of which `train` keeps 6 to measure on. "
        "Before is the shipped int8 file. Mean, and the standard deviation over the seeds."
    )
    lines.append("\n![Errors before and after](fine_tuning.png)")
    return "\n".join(lines)


def draw_errors(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw what was read wrongly before and after, of both kinds of digits, by seed."""
    own = [row for row in rows if row["format"] == INT8]
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    for axes, kind, title in zip(
        figure.subplots(1, 2, sharey=True),
        ("own", "mnist"),
        (f"optdigits, after {IMAGES} of each digit", "MNIST test"),
        strict=True,
    ):
        for row in own:
            errors = [100 * (1 - row[when][kind]) for when in ("before", "after")]
            axes.plot([0, 1], errors, "o-", color="#0072b2", alpha=0.7)  # Okabe and Ito's blue
        axes.set_xticks([0, 1], ["shipped", "trained further"])
        axes.set_xlim(-0.3, 1.3)
        axes.set_ylim(0)
        axes.set_title(title, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("read wrongly, %")
    figure.suptitle(f"{MODEL}, int8, {len(own)} draws\n{describe_machine()}", fontsize=9)
    figure.savefig(path, dpi=150)


def gain(row: dict[str, Any]) -> float:
    """Return the share of the errors on one's own digits that are gone."""
    before, after = row["before"]["own"], row["after"]["own"]
    return float((after - before) / (1 - before))


def loss(row: dict[str, Any]) -> float:
    """Return what was gained on MNIST, in points; less than 0 if some was forgotten."""
    return float(100 * (row["after"]["mnist"] - row["before"]["mnist"]))


def describe(values: list[float], digits: int) -> str:
    """Return mean and standard deviation."""
    return f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}"


if __name__ == "__main__":
    main()
