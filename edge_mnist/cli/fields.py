"""`edge-mnist fields`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from edge_mnist.cli.console import JsonOption, needs, print_result, say
from edge_mnist.cli.loading import read_image
from edge_mnist.errors import InvalidInputError
from edge_mnist.files import write_atomically


def fields(
    image: Annotated[Path, typer.Argument(help="A photograph or scan of the form, best empty.")],
    out: Annotated[
        Path | None, typer.Option(help="Write the fields to this new file, and not to stdout.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose a FIELDS.toml from the boxes on a form: name the fields in it, and say what fits.

    Example: edge-mnist fields blank.png --out FIELDS.toml
    """
    with needs("vision", "finding the boxes of a form"):
        from edge_mnist.vision.fields_file import render_fields
        from edge_mnist.vision.propose_fields import propose_fields

    if out is not None and out.exists():  # fields that were edited, or the picture itself
        raise InvalidInputError(
            f"{out} is there already", remedy="give another name with --out, or remove it"
        )
    # A reference picture is looked for from the place of the FIELDS.toml.
    reference = Path(os.path.relpath(image, Path() if out is None else out.parent))
    form = propose_fields(read_image(image), reference)
    if form is None:
        raise InvalidInputError(
            f"no fields in {image}",
            expected="boxes with a frame, or dark windows",
            got="none",
            remedy="take it from straight above, or write the file by hand (docs/fields.md)",
        )
    text = render_fields(form)
    if out is not None:
        write_atomically(out, text)
        say(f"{len(form.fields)} fields in {out}: edit their names and what belongs in them")
    if out is None or as_json:
        print_result(form, text.rstrip("\n"), as_json)
