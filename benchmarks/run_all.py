"""Run every benchmark of speed, memory and start-up, and write docs/benchmarks.md from the results.

Usage: python benchmarks/run_all.py (eight minutes on two cores; `make bench` calls it), or with
--write-only to write the page from the results that are there. What trains for long, or reads
thousands of pictures, is run by hand; the page links to it.
"""

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from report import RESULTS

from edge_mnist.files import write_atomically

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"

# In the order of the page.
QUICK = (
    "rivals",
    "formats",
    "runtime",
    "startup",
    "preprocessing",
    "reading_speed",
    "training_throughput",
)
LONG = (
    "recipes",
    "augmentation",
    "branches",
    "elsewhere",
    "validation",
    "handwriting_fonts",
    "threads",
    "reading",
    "reading_layouts",
    "forms",
    "fine_tuning",
)

INTRODUCTION = """# What was measured

Written by `make bench` from [benchmarks/results](../benchmarks/results). Each part names the
command that made it and the machine it ran on. Times differ between machines and hours: the ratios
are what to go by, and [edge-mnist bench](benchmarking.md) tells yours. Instructions on emulated Arm
processors, which differ nowhere, stand in [devices.md](devices.md); accuracy in
[models.md](models.md).
"""
# A picture beside the results.
PICTURE = re.compile(r"\]\(([\w-]+\.png)\)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks unless told not to, write the page, return the exit code."""
    options = sys.argv[1:] if arguments is None else arguments
    failed = [] if "--write-only" in options else [name for name in QUICK if not run(name)]
    write_atomically(PAGE, render_page())
    print(f"wrote {PAGE}", file=sys.stderr)
    if failed:
        print(f"failed: {', '.join(failed)}; their results are older", file=sys.stderr)
    return 1 if failed else 0


def run(name: str) -> bool:
    """Run a benchmark, and return whether it went well."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    started = time.monotonic()
    process = subprocess.run(
        [sys.executable, str(HERE / f"{name}.py")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    if process.returncode:
        print(process.stderr, file=sys.stderr)
    return process.returncode == 0


def render_page() -> str:
    """Return the page: the quick benchmarks' results, and links to the others'."""
    parts = [INTRODUCTION, *(render_part((RESULTS / f"{name}.md").read_text()) for name in QUICK)]
    links = [
        f"- [{read_title(RESULTS / f'{name}.md')}](../benchmarks/results/{name}.md): "
        f"`{read_command(RESULTS / f'{name}.md')}`"
        for name in LONG
    ]
    return "\n".join([*parts, "## What takes longer\n", *links, ""])


def render_part(result: str) -> str:
    """Return a result as a part of the page: headings a level lower, pictures found from docs/."""
    lowered = re.sub(r"^(#+ )", r"#\1", result, flags=re.MULTILINE)
    return PICTURE.sub(r"](../benchmarks/results/\1)", lowered)


def read_command(path: Path) -> str:
    """Return the command that a result names first."""
    return path.read_text().partition("`")[2].partition("`")[0]


def read_title(path: Path) -> str:
    """Return a result's first heading."""
    return path.read_text().splitlines()[0].removeprefix("# ")


if __name__ == "__main__":
    sys.exit(main())
