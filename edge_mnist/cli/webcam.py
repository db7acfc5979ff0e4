"""`edge-mnist webcam`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_mnist.cascade import DEFAULT_MODELS
from edge_mnist.cli.console import interruptible, needs, say, say_failure
from edge_mnist.cli.loading import load_reading_models
from edge_mnist.cli.reading_options import FieldsOption, MinConfidenceOption, ModelsOption


def webcam(
    source: Annotated[
        str,
        typer.Option(
            help="A camera's number or device, a picture, folder, pattern, video or stream."
        ),
    ] = "0",
    model: ModelsOption = DEFAULT_MODELS,
    engine: Annotated[str, typer.Option(help="What runs it.")] = "auto",
    fields: FieldsOption = None,
    min_confidence: MinConfidenceOption = None,
    window: Annotated[
        bool, typer.Option("--window/--no-window", help="Show it in a window.")
    ] = True,
    view: Annotated[
        str | None, typer.Option(help="Serve it as a page for browsers.", metavar="HOST:PORT")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Save it as a video: .mp4 or .gif.", metavar="OUT")
    ] = None,
    jsonl: Annotated[
        str | None,
        typer.Option(help="Write a line of JSON a frame; - for stdout.", metavar="FILE"),
    ] = None,
    collect: Annotated[
        Path | None,
        typer.Option(help="Save the digits of each into a folder, to learn from.", metavar="DIR"),
    ] = None,
    max_frames: Annotated[int | None, typer.Option(help="Stop after so many.")] = None,
    width: Annotated[
        int | None, typer.Option(help="Scale wider frames down to so many pixels.")
    ] = None,
    mirror: Annotated[bool, typer.Option("--mirror", help="Swap left and right.")] = False,
    rotate: Annotated[int, typer.Option(help="Degrees clockwise: 90, 180 or 270.")] = 0,
    roi: Annotated[
        str | None, typer.Option(help="Read this part of the frame only.", metavar="X,Y,W,H")
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for a camera that gives no frames.")
    ] = 10.0,
) -> None:
    """Read every handwritten number that a camera sees; each is printed once its reading holds.

    Example: edge-mnist webcam --source clip.mp4 --no-window --save read.gif
    """
    with needs("webcam", "reading from a camera"):
        from edge_mnist.vision.fields_file import load_fields
        from edge_mnist.vision.framing import Framing, parse_roi
        from edge_mnist.vision.sources import open_source
        from edge_mnist.vision.view import ViewAddress
        from edge_mnist.vision.webcam import WebcamConfig, run

    framing = Framing(width, mirror, rotate, None if roi is None else parse_roi(roi))
    address = None if view is None else ViewAddress.parse(view)
    form = None if fields is None else load_fields(fields)
    config = WebcamConfig(
        model, form, min_confidence, window, max_frames, save, jsonl, address, collect
    )
    with interruptible("all files are whole"):
        outcome = run(
            config,
            lambda: open_source(
                source, framing=framing, timeout_s=timeout, tell=say_failure, say=say
            ),
            load=lambda names: load_reading_models(names, engine),
            say=say,
            emit=lambda text: print(text, flush=True),
        )
    if not outcome.was_complete:
        raise typer.Exit(1)
