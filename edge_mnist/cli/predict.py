"""`edge-mnist predict`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_mnist.cascade import DEFAULT_MODELS, DigitModel
from edge_mnist.cli.console import needs, say, say_failure
from edge_mnist.cli.loading import load_reading_models
from edge_mnist.cli.reading_options import FieldsOption, MinConfidenceOption, ModelsOption
from edge_mnist.errors import InvalidInputError
from edge_mnist.files import expect_file, spare

if TYPE_CHECKING:
    from edge_mnist.vision.annotated_files import AnnotatedFiles
    from edge_mnist.vision.fields import FormFields
    from edge_mnist.vision.frames import Picture
    from edge_mnist.vision.picture_files import PictureFiles


def predict(
    files: Annotated[list[str], typer.Argument(help="Pictures, folders of them, or patterns.")],
    model: ModelsOption = DEFAULT_MODELS,
    engine: Annotated[str, typer.Option(help="What runs it.")] = "auto",
    min_confidence: MinConfidenceOption = None,
    fields: FieldsOption = None,
    csv: Annotated[
        Path | None, typer.Option(help="With --fields: write a table, a row a picture.")
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(help="Draw what was read: a .png, or a folder for several.", metavar="OUT"),
    ] = None,
    collect: Annotated[
        Path | None,
        typer.Option(help="Save each digit into a folder, to learn from.", metavar="DIR"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a file, each on a line.")
    ] = False,
) -> None:
    """Read the handwritten numbers in each picture: any format, size and polarity.

    Example: edge-mnist predict scan.png photo.jpg --annotate read
    """
    if csv is not None and fields is None:
        raise InvalidInputError("--csv", expected="--fields beside it", got="none")
    if collect is not None and fields is not None:
        raise InvalidInputError("--collect", expected="no --fields beside it", got=str(fields))
    expect_file("--csv", csv)
    with needs("vision", "reading image files"):
        from edge_mnist.vision.annotated_files import AnnotatedFiles
        from edge_mnist.vision.picture_files import PictureFiles

    form = None if fields is None else _load_form(fields)
    models = load_reading_models(model, engine)
    pictures = PictureFiles(files, tell=say_failure, say=say)
    inputs = () if form is None else form.files
    if csv is not None:
        spare("--csv", [csv], [*pictures.paths, *inputs])
    report = _Report(pictures, AnnotatedFiles(annotate, pictures.paths, inputs), as_json)
    if form is None:
        _read_numbers(report, models, min_confidence, collect)
    else:
        _read_fields(report, models, form, min_confidence, csv)
    if pictures.failed:
        raise typer.Exit(1)


def _load_form(path: Path) -> "FormFields":
    with needs("vision", "reading the fields of a form"):
        from edge_mnist.vision.fields_file import load_fields

    return load_fields(path)


@dataclass(frozen=True)
class _Report:
    """Pictures, and what is told of each."""

    pictures: "PictureFiles"
    annotated: "AnnotatedFiles"
    as_json: bool

    def add(
        self,
        path: str,
        description: dict[str, Any],
        lines: list[str],
        draw: "Callable[[], Picture]",
    ) -> None:
        """Print what was read in a picture, and save it drawn where that is wanted."""
        if self.as_json:
            print(json.dumps({"source": path, **description}))
        elif len(lines) == 1:
            print(f"{path}: {lines[0]}")
        else:
            print("\n  ".join([f"{path}:", *lines]))
        try:
            self.annotated.save(path, draw)
        except InvalidInputError as exc:
            self.pictures.tell(str(exc))


def _read_numbers(
    report: _Report,
    models: DigitModel,
    min_confidence: float | None,
    collect: Path | None,
) -> None:
    from edge_mnist.vision.collecting import Collector, name_source
    from edge_mnist.vision.description import describe_reading, render_lines
    from edge_mnist.vision.drawing import annotate
    from edge_mnist.vision.ink_reader import DEFAULT_MIN_CONFIDENCE
    from edge_mnist.vision.reader import Reader

    threshold = DEFAULT_MIN_CONFIDENCE if min_confidence is None else min_confidence
    collector = None if collect is None else Collector(collect)
    reader = Reader(collector.watch(models) if collector else models, threshold)
    for path, picture in report.pictures:
        reading = reader.read(picture, careful=True)
        lines = render_lines(reading) or ["no digit"]
        report.add(path, describe_reading(reading), lines, partial(annotate, picture, reading))
        if collector is not None:
            try:
                collector.take(picture, name_source(path), reading.numbers)
            except InvalidInputError as exc:
                report.pictures.tell(str(exc))
    if collector is not None:
        say(collector.summarize())


def _read_fields(
    report: _Report,
    models: DigitModel,
    form: "FormFields",
    doubt_below: float | None,
    csv: Path | None,
) -> None:
    from edge_mnist.vision.description import describe_form, render_fields
    from edge_mnist.vision.field_reader import DEFAULT_DOUBT_BELOW, FieldReader
    from edge_mnist.vision.field_reading import write_csv
    from edge_mnist.vision.form_drawing import annotate_form

    threshold = DEFAULT_DOUBT_BELOW if doubt_below is None else doubt_below
    reader = FieldReader(models, form, threshold)
    readings = []
    try:
        for path, picture in report.pictures:
            reading = reader.read(picture)
            readings.append((path, reading))
            draw = partial(annotate_form, picture, form, reading)
            report.add(path, describe_form(reading), render_fields(reading), draw)
    finally:
        # What was read before Ctrl-C is kept.
        if csv is not None and readings:
            write_csv(csv, form, readings)
