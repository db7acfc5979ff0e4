"""`edge-mnist quantize`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_mnist.cli.console import (
    JsonOption,
    format_percent,
    interruptible,
    print_result,
    render_table,
    say,
)
from edge_mnist.cli.loading import DataOption, load_dataset, tensorflow_for
from edge_mnist.cli.progress import training_progress
from edge_mnist.files import expect_folder
from edge_mnist.quantization.config import ExportConfig

if TYPE_CHECKING:
    from edge_mnist.quantization.export import Export


def quantize(
    model: Annotated[
        Path, typer.Argument(help="A run folder or a .keras file.", metavar="RUN_OR_MODEL")
    ],
    int8: Annotated[
        bool, typer.Option("--int8", help="int8 throughout, uint8 in and out.")
    ] = False,
    method: Annotated[
        str,
        typer.Option(
            help="For int8: qat (quantization-aware training), ptq (post-training), or both: "
            "the better one on validation.",
            metavar="METHOD",
        ),
    ] = "qat",
    float16: Annotated[bool, typer.Option("--float16", help="Weights in float16.")] = False,
    dynamic: Annotated[
        bool, typer.Option("--dynamic", help="Weights in int8, arithmetic in float.")
    ] = False,
    float32: Annotated[bool, typer.Option("--float32", help="No quantization.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder; default that of the model.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the file, without .tflite; default the architecture's.")
    ] = None,
    max_bytes: Annotated[int, typer.Option(help="Refuse a larger file.")] = 1_000_000,
    qat_epochs: Annotated[int, typer.Option(help="Epochs of fine-tuning for qat.")] = 5,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Convert a trained model to .tflite, check it in every engine, and write its card.

    Example: edge-mnist quantize runs/micro --int8
    """
    expect_folder("--out", out)
    floats = {"float32": float32, "float16": float16, "dynamic": dynamic}
    wanted = tuple(number_format for number_format, is_asked in floats.items() if is_asked)
    config = ExportConfig(int8, method, wanted, max_bytes, qat_epochs, name)
    with tensorflow_for("quantizing"):
        from edge_mnist.quantization.export import export_model, open_source
    source = open_source(model, data, load_dataset)
    folder = out or (model if model.is_dir() else model.parent)
    with interruptible("the same command goes on with it"), training_progress() as progress:
        exports = export_model(source, config, folder=folder, reporter=progress, say=say)
    print_result([e.card for e in exports], _render(exports), as_json)


def _render(exports: "list[Export]") -> str:
    rows = []
    for export in exports:
        card = export.card
        measured = "test" if "float test" in card.accuracy else "validation"
        rows.append(
            [
                str(export.path),
                f"{card.size_bytes:,}",
                format_percent(card.accuracy[f"float {measured}"].accuracy),
                format_percent(card.accuracy[f"{card.number_format} {measured}"].accuracy),
                ", ".join(f"{engine} {share}" for engine, share in card.agreement.items()),
            ]
        )
    header = ("file", "bytes", "in Keras", "exported", "top-1 agreement with Keras")
    return render_table(header, rows)
