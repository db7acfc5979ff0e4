"""What the benchmarks share: a line on the machine, tables, and where results go."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from edge_mnist.files import write_atomically

RESULTS = Path(__file__).parent / "results"


def describe_machine() -> str:
    """Return the machine in words: processor, cores, system, Python."""
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def render_markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_report(name: str, title: str, command: str, body: str) -> None:
    """Print a report and keep it in results/NAME.md."""
    text = f"# {title}\n\nMade by `{command}` on: {describe_machine()}.\n\n{body}\n"
    write_atomically(RESULTS / f"{name}.md", text)
    print(text)
