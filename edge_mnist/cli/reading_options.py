"""Options of the commands that read numbers."""

from pathlib import Path
from typing import Annotated

import typer

MinConfidenceOption = Annotated[
    float | None,
    typer.Option(
        help="Leave out digits of which it is less sure, 0 to 1; with --fields, doubt them.",
        show_default="0.5; 0.97 with --fields",
    ),
]
ModelsOption = Annotated[
    str,
    typer.Option(
        help="A shipped model's name or a .tflite file; A+B reads with A, and again with B what A "
        "is not sure of."
    ),
]
FieldsOption = Annotated[
    Path | None,
    typer.Option(help="Read the fields of a form that this file names.", metavar="FIELDS.toml"),
]
