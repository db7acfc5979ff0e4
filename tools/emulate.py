"""Run models on emulated devices: Arm processors, and TensorFlow Lite Micro.

Usage: python tools/emulate.py run PROCESSOR MODEL   accuracy, and whether outputs are the same
       python tools/emulate.py parity [MODEL...]     the same on all processors
       python tools/emulate.py count MODEL...        instructions of one inference
       python tools/emulate.py micro [MODEL...]      TensorFlow Lite Micro: outputs, tensor arena
       python tools/emulate.py reference             benchmarks/reference and docs/devices.md again

The models run in the official tflite-runtime wheels for Arm under qemu-user. Instructions are not
cycles: they rank networks of one kind, and tell nothing of caches, memory or how many run at once.

Needs Debian and `apt-get install -y --no-install-recommends qemu-user gcc libc6-dev`. The first
call lays out Debian's Python for Arm and the wheels in the user's cache folder (32 MB to download
for an architecture, 10 s); nothing is installed and root is not needed.
"""

import argparse
import io
import json
import os
import platform
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import emulated_devices
import numpy as np
from emulated_count import CAVEAT, count_instructions
from emulated_images import STROKES, load_images
from emulated_parity import (
    find_differences,
    require_micro,
    run_emulated,
    run_here,
    run_micro,
)
from emulated_processors import ENGINE_WHEEL, PROCESSORS
from emulated_reference import (
    ARENA_FILE,
    INSTRUCTIONS_FILE,
    describe_differences,
    load_reference,
    write_reference,
)
from emulated_system import read_qemu_version, set_up_system

from edge_mnist.dataset import DEFAULT_DATA
from edge_mnist.errors import EdgeMnistError
from edge_mnist.files import write_atomically
from edge_mnist.model_store import find_model, shipped_models

ALL_IMAGES = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked for; return the exit code: 1 if outputs differ."""
    options = parse_options(arguments)
    try:
        code: int = options.do(options)
    except EdgeMnistError as exc:
        print(f"emulate: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], epilog=CAVEAT)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, do: Any, summary: str, *, models: str | None) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(name, help=summary)
        command.set_defaults(do=do)
        if models is not None:
            what = "a shipped model's name or a path" + (", default: all" if models == "*" else "")
            command.add_argument("models", metavar="MODEL", nargs=models, help=what)
            command.add_argument("--json", action="store_true", help="print JSON")
        return command

    one = add("run", run, "one model on one processor", models=None)
    one.add_argument("processor", choices=PROCESSORS, metavar="PROCESSOR", help=list_processors())
    one.add_argument("models", metavar="MODEL", nargs=1, help="a shipped model's name or a path")
    one.add_argument("--json", action="store_true", help="print JSON")
    one.add_argument("--out", type=Path, metavar="OUT.npy", help="write the outputs, [N, 10]")
    parity = add("parity", compare_all, "the same outputs on all processors?", models="*")
    micro = add("micro", compare_micro, "TensorFlow Lite Micro: outputs and arena", models="*")
    for command in (one, parity, micro):
        command.add_argument("--images", type=int, metavar="N", default=ALL_IMAGES)
        command.add_argument(
            "--data", default=DEFAULT_DATA, help=f"as edge-mnist evaluate takes it, or {STROKES}"
        )
    count = add("count", count_models, "instructions of one inference", models="+")
    for command in (parity, count):
        command.add_argument(
            "--processor",
            action="append",
            choices=PROCESSORS,
            metavar="PROCESSOR",
            help=f"repeatable, default: all; {list_processors()}",
        )
    add("reference", write_pages, "write benchmarks/reference and docs/devices.md", models=None)
    return parser.parse_args(arguments)


def list_processors() -> str:
    """Return the processors in words."""
    return "; ".join(f"{name}: {PROCESSORS[name].devices}" for name in PROCESSORS)


def run(options: argparse.Namespace) -> int:
    """Run one model on one processor."""
    paths = find_models(options.models)
    test = load_images(options.data, options.images)
    processor = PROCESSORS[options.processor]
    (outputs,) = run_emulated(paths, test.images, processor)
    (expected,) = run_here(paths, test.images)
    differing = find_differences(outputs, expected)
    if options.out is not None:
        buffer = io.BytesIO()
        np.save(buffer, outputs)
        write_atomically(options.out, buffer.getvalue())
    accuracy = None if test.labels is None else float(np.mean(outputs.argmax(1) == test.labels))
    facts = {
        "model": options.models[0],
        "processor": processor.name,
        "qemu": read_qemu_version(processor.architecture),
        "engine": ENGINE_WHEEL,
        "images": len(outputs),
        "accuracy": accuracy,
        "compared_with": platform.machine(),
        "differing_images": differing,
    }
    read = "" if accuracy is None else f"accuracy {100 * accuracy:.2f} %; "
    verdict = f"{read}beside {platform.machine()}: {describe_differences(differing, len(outputs))}"
    text = f"{options.models[0]} on an emulated {processor.name} in {ENGINE_WHEEL}: {verdict}"
    print(json.dumps(facts, indent=2) if options.json else text)
    return int(bool(differing))


def compare_all(options: argparse.Namespace) -> int:
    """Hold the outputs on all processors against this machine's."""
    names = options.models or [model.name for model in shipped_models()]
    paths, test = find_models(names), load_images(options.data, options.images)
    processors = [PROCESSORS[name] for name in options.processor or PROCESSORS]
    expected = run_here(paths, test.images)
    for processor in processors:
        set_up_system(processor.architecture)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = pool.map(lambda one: run_emulated(paths, test.images, one), processors)
        rows = [
            {
                "model": name,
                "processor": processor.name,
                "images": len(wanted),
                "differing_images": find_differences(outputs, wanted),
            }
            for processor, every in zip(processors, runs, strict=True)
            for name, outputs, wanted in zip(names, every, expected, strict=True)
        ]
    facts = {"engine": ENGINE_WHEEL, "compared_with": platform.machine(), "models": rows}
    print_rows(facts, ("model", "processor"), is_json=options.json)
    return int(any(row["differing_images"] for row in rows))


def compare_micro(options: argparse.Namespace) -> int:
    """Hold TensorFlow Lite Micro's outputs against the reference kernels'."""
    require_micro()
    names = options.models or [model.name for model in shipped_models()]
    paths, test = find_models(names), load_images(options.data, options.images)
    rows = []
    for name, path, wanted in zip(
        names, paths, run_here(paths, test.images, reference_kernels=True), strict=True
    ):
        found = run_micro(path, test.images)
        rows.append(
            {
                "model": name,
                "arena_bytes": found.arena_bytes,
                "tensor_bytes": found.tensor_bytes,
                "persistent_bytes": found.persistent_bytes,
                "images": len(wanted),
                "differing_images": find_differences(found.outputs, wanted),
            }
        )
    facts = {"compared_with": f"{ENGINE_WHEEL}, reference kernels", "models": rows}
    columns = ("model", "arena_bytes", "tensor_bytes", "persistent_bytes")
    print_rows(facts, columns, is_json=options.json)
    return int(any(row["differing_images"] for row in rows))


def count_models(options: argparse.Namespace) -> int:
    """Count the instructions of one inference of each model."""
    paths = find_models(options.models)
    rows = []
    for processor in options.processor or PROCESSORS:
        counts = count_instructions(paths, PROCESSORS[processor])
        for name, count in zip(options.models, counts, strict=True):
            ratio = round(count / counts[0], 4)
            rows.append(
                {"model": name, "processor": processor, "instructions": count, "ratio": ratio}
            )
    facts = {"engine": ENGINE_WHEEL, "note": CAVEAT, "models": rows}
    print_rows(facts, ("model", "processor", "instructions", "ratio"), is_json=options.json)
    return 0


def write_pages(_: argparse.Namespace) -> int:
    """Write the reference files and the page that tells them."""
    written = write_reference()
    page = emulated_devices.render_page(*map(load_reference, (INSTRUCTIONS_FILE, ARENA_FILE)))
    write_atomically(emulated_devices.PAGE, page)
    for path in (*written, emulated_devices.PAGE):
        print(path)
    return 0


def find_models(names: Sequence[str]) -> list[Path]:
    """Return the paths of models by name or path."""
    return [find_model(name) for name in names]


def print_rows(facts: dict[str, Any], columns: Sequence[str], *, is_json: bool) -> None:
    """Print rows as JSON, or as a table for people with what they say of differences."""
    if is_json:
        print(json.dumps(facts, indent=2))
        return
    table = [list(columns)]
    for row in facts["models"]:
        table.append([f"{row[c]:,}" if isinstance(row[c], int) else str(row[c]) for c in columns])
    widths = [max(len(line[index]) for line in table) for index in range(len(columns))]
    rows: Sequence[dict[str, Any]] = ({}, *facts["models"])
    for line, row in zip(table, rows, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        if "differing_images" in row:
            cells.append(describe_differences(row["differing_images"], row["images"]))
        print("  ".join(cells).rstrip())
    print("\n" + "; ".join(str(facts[key]) for key in facts if key != "models"))


if __name__ == "__main__":
    sys.exit(main())
