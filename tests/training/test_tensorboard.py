import csv
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.image import imread

from edge_mnist import dataset
from edge_mnist.errors import DatasetError
from edge_mnist.training.run import load_model, train_run
from edge_mnist.training.tensorboard import log_training

pytestmark = pytest.mark.train

# Trains with a log until the end of the second epoch's steps, and is gone without a word.
KILLED_PROGRAM = """
import os, signal, sys
from pathlib import Path

from edge_mnist import dataset
from edge_mnist.training.config import load_config
from edge_mnist.training.run import train_run
from edge_mnist.training.tensorboard import log_training


class Killer:
    def epoch(self, result, epochs):
        pass

    def step(self, epoch, done, total):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGKILL)


folder = Path(sys.argv[2])
with log_training(folder, Killer()) as log:
    train_run(load_config(Path(sys.argv[1])), dataset.load("optdigits"), folder, log)
"""


class Silent:
    def step(self, epoch, done, total):
        pass

    def epoch(self, result, epochs):
        pass


def read_log(folder):
    """Return what a log holds: a list of (epoch, value) by tag."""
    (path,) = folder.iterdir()
    assert "tfevents" in path.name  # by this TensorBoard knows a log
    events = [
        tf.compat.v1.Event.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    assert events[0].file_version == "brain.Event:2"
    times = [event.wall_time for event in events]
    assert times[1:] == sorted(times[1:])
    found = {}
    for event in events[1:]:
        for value in event.summary.value:
            is_picture = value.HasField("image")
            kept = value.image if is_picture else value.simple_value
            found.setdefault(value.tag, []).append((event.step, kept))
    return found


def assert_log_is_the_history(folder):
    lines = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
    columns = {
        "train": {
            "epoch_loss": "loss",
            "epoch_accuracy": "accuracy",
            "epoch_learning_rate": "learning_rate",
        },
        "validation": {"epoch_loss": "val_loss", "epoch_accuracy": "val_accuracy"},
    }
    for log, tags in columns.items():
        assert read_log(folder / "tensorboard" / log) == {
            tag: [(int(line["epoch"]), np.float32(line[column])) for line in lines]
            for tag, column in tags.items()
        }
    return lines


@pytest.fixture(scope="module")
def logged(tiny, optdigits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("logged") / "run"
    with log_training(folder, Silent()) as log:
        train_run(tiny, optdigits, folder, log)
    return folder


def test_log_holds_what_the_history_holds(logged):
    assert len(assert_log_is_the_history(logged)) == 2


def test_log_holds_the_runs_pictures(logged):
    pictures = read_log(logged / "tensorboard" / "evaluation")
    assert set(pictures) == {"confusion", "mistakes", "samples"}
    for name, [(epoch, picture)] in pictures.items():
        path = logged / f"{name}.png"
        assert epoch == 2
        assert picture.encoded_image_string == path.read_bytes()
        assert (picture.height, picture.width) == imread(path).shape[:2]


def test_log_changes_nothing_that_is_trained(logged, tiny_run):
    models = [load_model(folder / "model.keras") for folder in (logged, tiny_run.folder)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)


def test_killed_and_resumed_has_each_epoch_once(tiny_run, optdigits, tmp_path):
    folder = tmp_path / "killed"
    program = [sys.executable, "-c", KILLED_PROGRAM, tiny_run.folder / "config.json", folder]
    assert subprocess.run(program, check=False).returncode == -signal.SIGKILL
    assert [epoch for epoch, _ in read_log(folder / "tensorboard/train")["epoch_loss"]] == [1]
    with log_training(folder, Silent()) as log:
        train_run(tiny_run.config, optdigits, folder, log)
    assert len(assert_log_is_the_history(folder)) == 2


def test_log_can_be_asked_for_when_the_training_is_over(tiny_run, optdigits, tmp_path):
    train_run(tiny_run.config, optdigits, tmp_path)
    with log_training(tmp_path, Silent()) as log:
        train_run(tiny_run.config, optdigits, tmp_path, log)
    assert len(assert_log_is_the_history(tmp_path)) == 2


def test_training_that_cannot_start_leaves_no_log(tmp_path):
    with pytest.raises(DatasetError), log_training(tmp_path, Silent()):
        dataset.load(str(tmp_path / "nothing"))
    assert not list(tmp_path.iterdir())
