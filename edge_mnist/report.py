"""What written reports share: the machine in words, and Markdown tables."""

import os
import platform
from collections.abc import Sequence

from edge_mnist.machine import read_cpu_model


def describe_machine() -> str:
    """Return the machine in words: processor, cores, system, Python."""
    return (
        f"{read_cpu_model()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def render_markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
