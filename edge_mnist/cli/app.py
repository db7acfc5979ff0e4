"""The `edge-mnist` command."""

import errno
import os
import sys
from typing import Annotated

import typer

from edge_mnist import __version__
from edge_mnist.cli import bench, doctor, evaluate, fields, models, predict, quantize, train, webcam
from edge_mnist.errors import EdgeMnistError

app = typer.Typer(
    help="Handwritten digits on small devices: train, quantize to int8, run and measure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(train.train)
app.command()(quantize.quantize)
app.command()(evaluate.evaluate)
app.command()(predict.predict)
app.command()(webcam.webcam)
app.command()(fields.fields)
app.command()(bench.bench)
app.command()(models.models)
app.command()(doctor.doctor)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(__version__)
        raise typer.Exit


@app.callback()
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
    try:
        try:
            app(args=arguments, prog_name="edge-mnist")
        finally:
            sys.stdout.flush()  # here, where an error can still be told
    except EdgeMnistError as exc:
        print(f"edge-mnist: {exc}", file=sys.stderr)
        sys.exit(1)
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
