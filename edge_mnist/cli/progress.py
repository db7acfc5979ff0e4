"""Progress on stderr: bars in a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge_mnist.cli.console import say
from edge_mnist.mnist_files import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from edge_mnist.training.fit import Reporter
    from edge_mnist.training.history import EpochResult


class TrainingProgress:
    """A line an epoch, and in a terminal a bar for the one that runs."""

    def __init__(self, bars: "RichProgress | None") -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def step(self, epoch: int, done: int, total: int) -> None:
        """Move the bar."""
        if self._bars is None:
            return
        if self._task is None:
            self._task = self._bars.add_task("")
        self._bars.update(self._task, description=f"epoch {epoch}", completed=done, total=total)

    def epoch(self, result: "EpochResult", epochs: int) -> None:
        """Print what the epoch gave."""
        line = (
            f"epoch {result.epoch}/{epochs}: loss {result.loss:.4f}, "
            f"validation loss {result.val_loss:.4f}, "
            f"validation accuracy {100 * result.val_accuracy:.2f} %, {result.seconds:.1f} s"
        )
        if self._bars is None:
            say(line)
        else:
            self._bars.console.print(line, highlight=False)


@contextmanager
def training_progress() -> Iterator[TrainingProgress]:
    """Show a training's progress while the body runs."""
    if not sys.stderr.isatty():
        yield TrainingProgress(None)
        return
    with _bars() as bars:
        yield TrainingProgress(bars)


@contextmanager
def logged_progress(folder: Path, *, to_tensorboard: bool) -> Iterator["Reporter"]:
    """Show a training's progress while the body runs, and log it if asked.

    Args:
        folder: The run folder.
        to_tensorboard: Whether to log it for TensorBoard; a run that was goes on so in any case.
    """
    # TensorFlow is there already: a training is about to start.
    from edge_mnist.training.tensorboard import has_log, log_training

    with training_progress() as progress:
        if not to_tensorboard and not has_log(folder):
            yield progress
            return
        with log_training(folder, progress) as log:
            yield log


@contextmanager
def download_progress() -> Iterator[Progress]:
    """Show the progress of downloads while the body runs; nothing if there are none."""
    if not sys.stderr.isatty():
        started: set[str] = set()

        def announce(name: str, _done_bytes: int, _total_bytes: int | None) -> None:
            if name not in started:
                started.add(name)
                say(f"downloading {name}")

        yield announce
        return
    with _bars() as bars:
        tasks: dict[str, TaskID] = {}

        def move(name: str, done_bytes: int, total_bytes: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(f"downloading {name}")
            bars.update(tasks[name], completed=done_bytes, total=total_bytes)

        yield move


def _bars() -> "RichProgress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeLeft(),
        console=Console(stderr=True),
        transient=True,
    )
