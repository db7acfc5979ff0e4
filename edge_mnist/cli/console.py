"""What the commands share in talking to people: results to stdout, all else to stderr."""

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from edge_mnist.errors import MissingDependencyError

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


# What a shell reports of a program that Ctrl-C ended: 128 and the signal's number.
INTERRUPTED_EXIT_CODE = 130


def say(message: str) -> None:
    """Tell on stderr what is under way."""
    print(message, file=sys.stderr, flush=True)


def say_failure(message: str) -> None:
    """Tell on stderr what went wrong where the command goes on."""
    say(f"edge-mnist: {message}")


def print_json(result: Any) -> None:
    """Print a dataclass, or lists and dictionaries of them, as JSON on stdout."""
    print(json.dumps(result, indent=2, default=_to_plain))


def print_result(result: Any, text: str, as_json: bool) -> None:
    """Print a result on stdout, for machines or for people."""
    if as_json:
        print_json(result)
    else:
        print(text)


def render_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned text; columns that hold figures are aligned right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    is_figure = [all(row[i][:1].isdigit() for row in rows) for i in range(len(header))]
    lines = []
    for row in (header, *rows):
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_figure, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def format_percent(share: float) -> str:
    """Return a share as a percentage with two digits."""
    return f"{100 * share:.2f} %"


@contextmanager
def needs(extra: str, task: str) -> Iterator[None]:
    """Answer an import that fails for want of an extra with the command that installs it.

    Args:
        extra: The extra's name.
        task: What needs it, as the user would say.

    Raises:
        MissingDependencyError: If the import in the body fails on a package outside edge-mnist.
    """
    try:
        yield
    except ModuleNotFoundError as exc:
        if (exc.name or "").startswith("edge_mnist"):
            raise
        raise MissingDependencyError(
            f"{task} needs the package {(exc.name or '').partition('.')[0]}",
            remedy=f"install it with: pip install 'edge-mnist[{extra}]'",
        ) from exc


@contextmanager
def interruptible(hint: str = "") -> Iterator[None]:
    """End the command on Ctrl-C with the hint how to go on, if there is one."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"interrupted; {hint}" if hint else "interrupted")
        raise typer.Exit(INTERRUPTED_EXIT_CODE) from None


def _to_plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
