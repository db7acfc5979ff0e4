"""Logs of a training for TensorBoard: figures by epoch, and what the run's pictures show.

They are laid out as Keras' callback lays them out: a log for training and one for validation, with
the same tags, so that TensorBoard draws both in one chart. The records are written directly:
`tf.summary.scalar` needs the package tensorboard, which TensorFlow brings up to 2.20 only, and any
operation of `tf.summary` would start TensorFlow before the training has chosen its threads.
"""

import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from edge_mnist.training.fit import Reporter
from edge_mnist.training.history import EpochResult
from edge_mnist.training.plan import STATE_FILE
from edge_mnist.training.state import load_history

LOG_FOLDER = "tensorboard"
TRAIN, VALIDATION, EVALUATION = LOGS = ("train", "validation", "evaluation")
PICTURES = ("confusion", "mistakes", "samples")

# TensorBoard takes any file for a log that has this in its name.
LOG_PREFIX = "events.out.tfevents"
FORMAT_VERSION = "brain.Event:2"


def has_log(folder: Path) -> bool:
    """Return whether a run has been logged for TensorBoard so far."""
    return (folder / LOG_FOLDER).is_dir()


@contextmanager
def log_training(folder: Path, reporter: Reporter) -> Iterator[Reporter]:
    """Log the training that the body runs into its run folder.

    The epochs that the run has behind it come first, from its state: whatever was logged before is
    replaced, so that no epoch is there twice and none is missing.

    Args:
        folder: The run folder; the logs go into its `LOG_FOLDER`.
        reporter: Told about progress as well.

    Yields:
        The reporter for the training.
    """
    log = _Log(folder, reporter)
    try:
        yield log
        log.add_pictures()
    finally:
        log.close()


class _Log:
    """Reports on a training to TensorBoard and to another reporter.

    Nothing is written before the training's first step: one that cannot start leaves nothing.
    """

    def __init__(self, folder: Path, reporter: Reporter) -> None:
        self._folder = folder
        self._reporter = reporter
        self._writers: dict[str, Any] = {}
        self._last_epoch = 0

    def step(self, epoch: int, done: int, total: int) -> None:
        self._open()
        self._reporter.step(epoch, done, total)

    def epoch(self, result: EpochResult, epochs: int) -> None:
        self._add(result, time.time())
        self._reporter.epoch(result, epochs)

    def add_pictures(self) -> None:
        """Log the pictures that the run ended with."""
        self._open()
        for name in PICTURES:
            content = (self._folder / f"{name}.png").read_bytes()
            # A PNG's second and third number after its signature and the header's name.
            width, height = struct.unpack(">II", content[16:24])
            image = tf.compat.v1.Summary.Image(
                width=width, height=height, colorspace=4, encoded_image_string=content
            )
            value = tf.compat.v1.Summary.Value(tag=name, image=image)
            self._write(EVALUATION, self._last_epoch, time.time(), [value])

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def _open(self) -> None:
        """Start the logs with the epochs that are in the run's state; once."""
        if self._writers:
            return
        state = self._folder / STATE_FILE
        history = load_history(state) if state.exists() else []
        self._writers = {name: _open_writer(self._folder / LOG_FOLDER / name) for name in LOGS}
        # As if the last had ended now, so that a chart over time has no gap.
        ended = time.time() - sum(result.seconds for result in history)
        for result in history:
            ended += result.seconds
            self._add(result, ended)

    def _add(self, result: EpochResult, ended: float) -> None:
        self._last_epoch = result.epoch
        values = {
            TRAIN: {
                "epoch_loss": result.loss,
                "epoch_accuracy": result.accuracy,
                "epoch_learning_rate": result.learning_rate,
            },
            VALIDATION: {"epoch_loss": result.val_loss, "epoch_accuracy": result.val_accuracy},
        }
        for log, scalars in values.items():
            found = [
                tf.compat.v1.Summary.Value(tag=tag, simple_value=value)
                for tag, value in scalars.items()
            ]
            self._write(log, result.epoch, ended, found)

    def _write(self, log: str, epoch: int, ended: float, values: list[Any]) -> None:
        summary = tf.compat.v1.Summary(value=values)
        event = tf.compat.v1.Event(wall_time=ended, step=epoch, summary=summary)
        self._writers[log].write(event.SerializeToString())
        self._writers[log].flush()


def _open_writer(folder: Path) -> Any:
    """Return the writer of a log that starts anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{LOG_PREFIX}.*"):
        old.unlink()
    # A new name each time: a TensorBoard that is running would go on where the old file ended.
    writer = tf.io.TFRecordWriter(str(folder / f"{LOG_PREFIX}.{time.time_ns()}"))
    first = tf.compat.v1.Event(wall_time=time.time(), file_version=FORMAT_VERSION)
    writer.write(first.SerializeToString())
    writer.flush()
    return writer
