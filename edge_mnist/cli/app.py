"""The `edge-mnist` command."""

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from edge_mnist import __version__
from edge_mnist.cli.console import INTERRUPTED_EXIT_CODE, interruptible, say
from edge_mnist.errors import EdgeMnistError

# Each is the function of its name in the module of its name beside this one.
COMMANDS = (
    "train",
    "quantize",
    "evaluate",
    "predict",
    "webcam",
    "fields",
    "bench",
    "inspect",
    "explain",
    "compare",
    "report",
    "models",
    "doctor",
)


def build_app(names: Sequence[str] = COMMANDS) -> typer.Typer:
    """Return the application with some of its commands, which are imported for it."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(edge_mnist)
    for name in names:
        command = getattr(import_module(f"edge_mnist.cli.{name}"), name)
        # Those that can tell more of it do so before.
        app.command()(interruptible()(command))
    return app


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(__version__)
        raise typer.Exit


def edge_mnist(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Handwritten digits on small devices: train, quantize to int8, run and measure."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors meant for the user become one line and exit code 1."""
    given = sys.argv[1:] if arguments is None else arguments
    # The others' imports are the larger part of the time until a picture is read.
    names = given[:1] if given[:1] and given[0] in COMMANDS else COMMANDS
    try:
        try:
            build_app(names)(args=given, prog_name="edge-mnist")
        finally:
            if sys.stdout is not None:  # as with >&-
                sys.stdout.flush()  # here, where an error can still be told
    except EdgeMnistError as exc:
        print(f"edge-mnist: {exc}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:  # in the imports, before a command has begun
        say("interrupted")
        sys.exit(INTERRUPTED_EXIT_CODE)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        _drop_stdout()
        sys.exit(1)
    except OSError as exc:
        if exc.filename is not None:
            print(f"edge-mnist: cannot use {exc.filename}: got {exc.strerror}", file=sys.stderr)
        elif exc.errno == errno.ENOSPC:
            print(f"edge-mnist: cannot write any further: got {exc.strerror}", file=sys.stderr)
            _drop_stdout()
        else:
            raise
        sys.exit(1)


def _drop_stdout() -> None:
    """Let go of what stdout still holds: Python would try to write it, and complain, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
