"""What the benchmarks share: tables, a line on the machine, and where results go."""

from pathlib import Path

from edge_mnist.files import write_atomically
from edge_mnist.machine import describe_machine
from edge_mnist.markdown import render_markdown_table

__all__ = ["RESULTS", "describe_machine", "render_markdown_table", "share", "write_report"]

RESULTS = Path(__file__).parent / "results"


def write_report(name: str, title: str, command: str, body: str) -> None:
    """Print a report and keep it in results/NAME.md."""
    text = f"# {title}\n\nMade by `{command}` on: {describe_machine()}.\n\n{body}\n"
    write_atomically(RESULTS / f"{name}.md", text)
    print(text)


def share(part: int, whole: int) -> str:
    """Return a share with its counts."""
    return f"{100 * part / whole:.1f} % ({part:,} of {whole:,})" if whole else "none"
