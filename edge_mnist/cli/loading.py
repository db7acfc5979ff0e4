"""Opening data and Keras models from what the user names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from edge_mnist import dataset
from edge_mnist.cascade import DigitModel, load_models
from edge_mnist.cli.console import needs
from edge_mnist.cli.progress import download_progress
from edge_mnist.dataset import Dataset
from edge_mnist.native_output import held_native_stderr
from edge_mnist.preprocessing import GrayImage
from edge_mnist.runtime import Classifier

DATA_HELP = "mnist, optdigits, a folder of IDX files, or a folder of images in sub-folders 0 to 9."
DataOption = Annotated[str | None, typer.Option(help=DATA_HELP, metavar="DATA")]


def load_dataset(data: str, validation_split: float = dataset.DEFAULT_VALIDATION_SPLIT) -> Dataset:
    """Load a dataset, with a progress bar if it is downloaded."""
    with download_progress() as progress:
        return dataset.load(
            data, validation_split=validation_split, read_image=read_image, progress=progress
        )


def read_image(path: Path) -> GrayImage:
    """Read an image file; OpenCV is imported when the first one is."""
    with needs("vision", "reading image files"):
        from edge_mnist.vision import image_file

    return image_file.read_image(path)


def load_classifier(model: str | Path | None, engine: str) -> Classifier:
    """Load a model without the interpreter's notes."""
    with held_native_stderr():
        return Classifier.load(model, engine=engine)


def load_reading_models(names: str, engine: str) -> DigitModel:
    """Load one model, or two in turn, without the interpreter's notes."""
    return load_models(names, lambda name: load_classifier(name, engine))


@contextmanager
def tensorflow_for(task: str, extra: str = "train") -> Iterator[None]:
    """Import in the body what brings TensorFlow in, without its notes.

    Args:
        task: What needs it, as the user would say.
        extra: The extra that has all that is needed.

    Raises:
        MissingDependencyError: If it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with needs(extra, task), held_native_stderr():
        yield
