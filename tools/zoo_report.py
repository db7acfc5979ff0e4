"""The page on the shipped models, docs/models.md, from the results of all seeds."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

from emulated_count import CAVEAT, count_instructions
from emulated_processors import DEFAULT_PROCESSOR
from zoo_models import REFERENCE, Entry, SeedResult, ZooModel, describe_seconds
from zoo_pictures import draw_bytes, draw_instructions
from zoo_public import FLOAT_BYTES, PUBLIC_SYSTEMS

from edge_mnist.errors import MissingDependencyError
from edge_mnist.files import write_atomically
from edge_mnist.machine import describe_machine
from edge_mnist.markdown import render_markdown_table
from edge_mnist.model_card import KEPT_SHARE

PAGE = Path("docs/models.md")
BYTES_PICTURE = PAGE.with_name("models-bytes.png")
INSTRUCTIONS_PICTURE = PAGE.with_name("models-instructions.png")

NOT_COUNTED = "not counted"


def write_report(
    models: Sequence[ZooModel],
    results: Mapping[str, Sequence[SeedResult]],
    picked: Mapping[str, SeedResult],
) -> list[Path]:
    """Write the page and its pictures.

    Args:
        models: That ship, in the order to tell them.
        results: By model and the reference; those without any are named as missing.
        picked: The result that ships, by model.

    Returns:
        The files written.
    """
    shipped, reference = make_entries(models, results, picked)
    pictures = {BYTES_PICTURE: draw_bytes(shipped)}
    if all(entry.instructions is not None for entry in shipped):
        pictures[INSTRUCTIONS_PICTURE] = draw_instructions([*shipped, *reference])
    for path, content in pictures.items():
        write_atomically(path, content)
    missing = [model.name for model in models if model.name not in picked]
    write_atomically(PAGE, render_page(shipped, reference, missing, list(pictures)))
    return [PAGE, *pictures]


def make_entries(
    models: Sequence[ZooModel],
    results: Mapping[str, Sequence[SeedResult]],
    picked: Mapping[str, SeedResult],
) -> tuple[list[Entry], list[Entry]]:
    """Return the models that were made, and the reference if it was, all with instructions."""
    shipped = [(model, picked[model.name]) for model in models if model.name in picked]
    reference = [(REFERENCE, result) for result in results[REFERENCE.name][:1]]
    counts = count([result.model_path for _, result in (*shipped, *reference)])
    base = counts[-1] if reference else None
    entries = [
        Entry(
            model, results[model.name], result, number, number / base if number and base else None
        )
        for (model, result), number in zip((*shipped, *reference), counts, strict=True)
    ]
    return entries[: len(shipped)], entries[len(shipped) :]


def count(paths: Sequence[Path]) -> list[int | None]:
    """Count the instructions of some models; None for each where this machine cannot."""
    try:
        return list(count_instructions(paths))
    except MissingDependencyError as exc:
        print(f"instructions are {NOT_COUNTED}: {exc}", file=sys.stderr)
        return [None] * len(paths)


def render_page(
    shipped: Sequence[Entry],
    reference: Sequence[Entry],
    missing: Sequence[str],
    pictures: Sequence[Path],
) -> str:
    """Return docs/models.md."""
    everything = [*shipped, *reference]
    parts = [
        "# Models",
        f"Written by `python tools/build_zoo.py` on: {describe_machine()}.",
        *([f"Not made yet: {', '.join(missing)}."] if missing else []),
        "## Size and work",
        render_sizes(everything),
        f"One inference in tflite-runtime on an emulated {DEFAULT_PROCESSOR.name}, counted by "
        f"`tools/emulate.py`: {CAVEAT}. The ratio is to `{REFERENCE.name}`, the network of a "
        "published tutorial, in int8 too. Other processors, what that may be in time, and "
        "TensorFlow Lite Micro: [devices.md](devices.md).",
        "## Accuracy",
        render_accuracies(everything),
        "Means over the seeds, in brackets the least to the most. The int8 file runs in "
        "tflite-runtime, the float model in Keras; what int8 loses is the mean over the seeds of "
        "their difference. optdigits are other people's digits from another scanner, none of which "
        "a model was trained on. Every seed's file, card and figures are in "
        "[benchmarks/results/zoo](../benchmarks/results/zoo).",
        "### What they were held to",
        render_goals(shipped),
        "By the mean over the seeds, and the file that ships. On optdigits a support vector "
        "machine that learns from four fifths of them reads 97 % of the rest, where those seem "
        "to be of other writers ([what optdigits allow](../benchmarks/results/elsewhere.md)).",
        "## The files that ship",
        render_shipped(shipped),
        "The links lead to their cards. The seed is the one whose int8 file is best on the 5,000 "
        "validation images. Calibration error: how far the confidences are from how often they are "
        "right. Rejected and kept: at the threshold in the card, which "
        f"{100 * KEPT_SHARE:g} % of the validation digits stay below ([measure.md](measure.md)).",
        "### On digits that were changed",
        render_corruptions(shipped, "accuracy"),
        "Accuracy of the files that ship, the mean over five strengths, in percent; the four "
        "habits of writing are of their digit only, and drawn as some of the training images are "
        "([measure.md](measure.md)).",
        "What of them is taken for no digit, though most of it is still read right:",
        render_corruptions(shipped, "rejected"),
        "The mean over five strengths, in percent, at the threshold in the card.",
        "## Beside public systems",
        *(f"![{path.stem.replace('-', ' ')}]({path.name})" for path in pictures),
        render_public_systems(),
        "Figures that their authors report, not measured here; most of BitNetMCU's networks were "
        "chosen on the test images. Sizes are of the weights alone, without "
        "the program that runs them, where ours are whole files (which need one too); the picture "
        f"takes {FLOAT_BYTES} bytes for a float.",
        "## How they were made",
        render_method(everything),
    ]
    return "\n\n".join(parts) + "\n"


def render_sizes(entries: Sequence[Entry]) -> str:
    """Return the table of bytes, parameters, multiply-adds and instructions."""
    header = ["name", "file, bytes", "parameters", "multiply-adds", "instructions", "ratio"]
    rows = []
    for entry in entries:
        card = entry.picked.card
        figures = (card.size_bytes, card.parameters, card.multiply_adds)
        number = NOT_COUNTED if entry.instructions is None else f"{entry.instructions:,}"
        ratio = NOT_COUNTED if entry.ratio is None else f"{entry.ratio:.3f}"
        rows.append([entry.label, *(f"{figure:,}" for figure in figures), number, ratio])
    return render_markdown_table(header, rows)


def render_accuracies(entries: Sequence[Entry]) -> str:
    """Return the table of accuracies over the seeds."""
    header = ["name", "seeds", "MNIST test, int8", "float", "lost by int8", "optdigits, int8"]
    rows = [
        [
            entry.label,
            str(len(entry.results)),
            describe_range([result.test_accuracy for result in entry.results]),
            percent(mean(result.float_test_accuracy for result in entry.results)),
            f"{round(100 * mean(r.lost_accuracy for r in entry.results), 2) + 0:.2f} points",
            describe_range([result.optdigits["accuracy"] for result in entry.results]),
        ]
        for entry in entries
    ]
    return render_markdown_table(header, rows)


def render_goals(entries: Sequence[Entry]) -> str:
    """Return the table of what each model must and should reach, and whether it does."""
    header = ["name", "MNIST test, must", "MNIST test, aim", "optdigits, must"]
    header += ["bytes, at most", "ratio, at most"]
    return render_markdown_table(header, [[entry.label, *judge(entry)] for entry in entries])


def judge(entry: Entry) -> list[str]:
    """Return what a model is held to, each with whether it is reached."""
    model, words = entry.model, []
    elsewhere = mean(result.optdigits["accuracy"] for result in entry.results)
    goals = (
        (model.must, entry.mean_accuracy),
        (model.aim, entry.mean_accuracy),
        (model.elsewhere, elsewhere),
    )
    for goal, accuracy in goals:
        gap = 0.0 if goal is None else 100 * (goal - accuracy)
        by = f"{gap:.2f}" if gap >= 0.005 else "less than 0.01"
        verdict = "reached" if gap <= 0 else f"**missed** by {by} points"
        words.append("none" if goal is None else f"{percent(goal)}: {verdict}")
    size = entry.picked.card.size_bytes
    words.append(f"{model.max_bytes:,}: {'kept' if size <= model.max_bytes else '**exceeded**'}")
    if model.max_ratio is None:
        words.append("none")
    elif entry.ratio is None:
        words.append(f"{model.max_ratio:g}: {NOT_COUNTED}")
    else:
        kept = entry.ratio <= model.max_ratio
        words.append(f"{model.max_ratio:g}: {'kept' if kept else '**exceeded**'}")
    return words


def render_shipped(entries: Sequence[Entry]) -> str:
    """Return the table of the files that ship."""
    header = ["name", "seed", "validation", "MNIST test", "95 % interval", "optdigits"]
    header += ["calibration error", "no digits rejected", "digits kept"]
    rows = []
    for entry in entries:
        picked, name = entry.picked, entry.model.name
        measured = picked.card.accuracy["int8 test"]
        rows.append(
            [
                f"[`{name}`](../models/{name}.md)",
                str(picked.seed),
                percent(picked.validation_accuracy),
                percent(measured.accuracy),
                f"{100 * measured.low:.2f} to {100 * measured.high:.2f}",
                percent(picked.optdigits["accuracy"]),
                percent(picked.test["calibration_error"]),
                percent(picked.test["non_digits"]["rejected"]),
                percent(picked.test["non_digits"]["digits_kept"]),
            ]
        )
    return render_markdown_table(header, rows)


def render_corruptions(entries: Sequence[Entry], share: str) -> str:
    """Return a table by kind of corruption, each row the mean over its strengths.

    Args:
        entries: The models.
        share: Of what: "accuracy" or "rejected".
    """
    header = ["kind", *(entry.label for entry in entries)]
    columns = [
        {report["kind"]: mean(report[share]) for report in entry.picked.test["corruptions"]}
        for entry in entries
    ]
    rows = [[kind, *(f"{100 * column[kind]:.2f}" for column in columns)] for kind in columns[0]]
    means = [f"{100 * mean(column.values()):.2f}" for column in columns]
    return render_markdown_table(header, [*rows, ["mean", *means]])


def render_public_systems() -> str:
    """Return the table of what others have published."""
    rows = []
    for system in PUBLIC_SYSTEMS:
        low, high = (f"{100 * accuracy:.2f}" for accuracy in system.accuracy)
        accuracy = f"{low} %" if low == high else f"{low} to {high} %"
        rows.append([system.name, system.weights, accuracy])
    return render_markdown_table(["system", "weights", "MNIST test"], rows)


def render_method(entries: Sequence[Entry]) -> str:
    """Return the commands, the method and the time."""
    seconds = [sum(result.train_seconds for result in entry.results) for entry in entries]
    header = ["name", "epochs", "BYTES", "OPTIONS", "trainings", "time of all"]
    rows = [
        [
            entry.label,
            str(entry.picked.card.training["epochs"]),
            f"{entry.model.max_bytes:,}",
            f"`{shlex.join(entry.model.quantize_options)}`",
            str(len(entry.results)),
            describe_seconds(total),
        ]
        for entry, total in zip(entries, seconds, strict=True)
    ]
    return f"""```sh
python tools/build_zoo.py                # all of it; what is finished is not made again
python tools/build_zoo.py --only pico    # one model
python tools/build_zoo.py --report       # this page and models/ from what is there
```

For each model and seed that is

```sh
edge-mnist train --recipe NAME --seed SEED --out runs/zoo/NAME/seed-SEED
edge-mnist quantize runs/zoo/NAME/seed-SEED --int8 --name NAME --max-bytes BYTES OPTIONS
edge-mnist evaluate runs/zoo/NAME/seed-SEED/NAME.tflite --json --corrupt --non-digits
edge-mnist evaluate runs/zoo/NAME/seed-SEED/NAME.tflite --json --data optdigits
```

and `edge-mnist train --config models/NAME.train.json` repeats the training of the file that ships.
The seed was chosen on the validation images: of all seeds the one whose int8 file reads most of
them, of equal ones the lowest. So were the temperature and the rejection threshold; no epoch is
chosen. Networks and recipes were chosen by accuracy on validation images, as they are and changed
([the shipped models'](../benchmarks/results/validation.md)), over several rounds; the figures of
earlier rounds on the test images and on optdigits were known to who chose. What variations of the
images give is in [augmentation.md](../benchmarks/results/augmentation.md), what convolutions give
that are sums of several while they train, in [branches.md](../benchmarks/results/branches.md).

{render_markdown_table(header, rows)}

Training took {describe_seconds(sum(seconds))} in all, without fine-tuning and measuring, on one
core each. The time of a model is of the machine that it was made on: of two machines, times do not
compare."""


def percent(share: float) -> str:
    """Return a share as a percentage with two digits."""
    return f"{100 * share:.2f} %"


def describe_range(shares: Sequence[float]) -> str:
    """Return the mean of some shares, and from where to where they go if there are several."""
    if len(shares) == 1:
        return percent(shares[0])
    return f"{percent(mean(shares))} ({100 * min(shares):.2f} to {100 * max(shares):.2f})"
