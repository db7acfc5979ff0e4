import dataclasses
import math
import re
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tf_keras

from edge_mnist.dataset import Examples
from edge_mnist.errors import TrainingError
from edge_mnist.training.architectures import build
from edge_mnist.training.config import Augmentation, TrainConfig
from edge_mnist.training.fit import fit
from edge_mnist.training.plan import plan_run
from edge_mnist.training.run import load_model, predict_logits, train_run

pytestmark = pytest.mark.train

# Some 20 steps make an epoch of these trainings; 54 or more take two calls of the graph.
KILLED_RUNS = {
    "dropout": TrainConfig(
        arch="classic", epochs=3, batch_size=24, patience=3, data="optdigits", device="cpu"
    ),
    "all that is random": TrainConfig(
        arch="micro",
        epochs=3,
        batch_size=24,
        optimizer="adamw",
        weight_decay=0.02,
        schedule="one-cycle",
        label_smoothing=0.05,
        average_epochs=1.0,
        branches=2,
        augmentation=Augmentation(
            elastic_px=0.4,
            stroke=0.8,
            low_resolution=0.5,
            blur=0.5,
            gamma=0.3,
            contrast=0.3,
            noise=0.1,
        ),
        crops=0.3,
        handwriting=0.1,
        outliers=0.2,
        pairs=0.1,
        data="optdigits",
        device="cpu",
        seed=5,
    ),
}

# Trains until the middle of the second epoch, and is gone without a word.
KILLED_PROGRAM = """
import os, signal, sys
from pathlib import Path

from edge_mnist import dataset
from edge_mnist.training.config import load_config
from edge_mnist.training.run import train_run


class Killer:
    def epoch(self, result, epochs):
        pass

    def step(self, epoch, done, total):
        if epoch == 2 and done < total:
            os.kill(os.getpid(), signal.SIGKILL)


train_run(load_config(Path(sys.argv[1])), dataset.load("optdigits"), Path(sys.argv[2]), Killer())
"""


def losses_of(history):
    """The history without what a clock says."""
    return [{**dataclasses.asdict(epoch), "seconds": None} for epoch in history]


def assert_same_weights(first, second):
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def cross_entropy(logits, labels):
    logits = logits.astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(logits).sum(axis=1))
    return float((log_sums - logits[np.arange(len(labels)), labels]).mean())


def half_cosine(share):
    return (1 + math.cos(math.pi * share)) / 2


@pytest.fixture(scope="module")
def few(optdigits):
    """A hundred images, and as many to validate on."""
    return optdigits.train.take(np.arange(100)), optdigits.validation.take(np.arange(100))


@pytest.fixture
def quick():
    return TrainConfig(arch="tutorial-3x3", epochs=1, batch_size=20, device="cpu")


@pytest.mark.parametrize("config", KILLED_RUNS.values(), ids=KILLED_RUNS)
def test_killed_and_resumed_ends_as_if_it_had_not_been(config, optdigits, tmp_path):
    unbroken, killed = tmp_path / "unbroken", tmp_path / "killed"
    train_run(config, optdigits, unbroken)
    process = subprocess.run(
        [sys.executable, "-c", KILLED_PROGRAM, unbroken / "config.json", killed], check=False
    )
    assert process.returncode == -signal.SIGKILL
    assert {path.name for path in killed.iterdir()} == {"config.json", "state.npz"}

    resumed, folder = plan_run(killed, resume=True)
    train_run(resumed, optdigits, folder)
    assert_same_weights(load_model(unbroken / "model.keras"), load_model(killed / "model.keras"))
    lines = [
        [line.rpartition(",")[0] for line in (run / "history.csv").read_text().splitlines()]
        for run in (unbroken, killed)
    ]
    assert lines[0] == lines[1]
    assert len(lines[0]) == 1 + config.epochs


def test_a_seed_decides_the_weights(few, quick):
    models = []
    for seed in (1, 1, 2):
        tf_keras.utils.set_random_seed(0)
        models.append(build("tutorial-3x3"))
        fit(models[-1], *few, replace(quick, seed=seed, augmentation=Augmentation()))
    assert_same_weights(*models[:2])
    assert (models[0].get_weights()[0] != models[2].get_weights()[0]).any()


def test_finished_training_is_not_trained_on(few, quick, tmp_path):
    state = tmp_path / "state.npz"
    first, second = build("tutorial-3x3"), build("tutorial-3x3")
    result = fit(first, *few, quick, state_path=state)
    again = fit(second, *few, quick, state_path=state)
    assert_same_weights(first, second)
    assert losses_of(again.history) == losses_of(result.history)


def test_history_tells_each_epoch_as_it_was(few, quick):
    train, validation = few
    model = build("tutorial-3x3")
    result = fit(model, train, validation, replace(quick, epochs=3, learning_rate=0.003))
    logits = predict_logits(model, validation.images)
    last = result.history[-1]
    assert [epoch.epoch for epoch in result.history] == [1, 2, 3]
    assert last.val_loss == pytest.approx(cross_entropy(logits, validation.labels), rel=1e-4)
    assert last.val_accuracy == pytest.approx((logits.argmax(1) == validation.labels).mean())
    assert last.loss < result.history[0].loss
    assert last.learning_rate == pytest.approx(0.003)
    assert not result.interrupted


def test_early_stopping_restores_the_best_epoch(few, quick):
    train, validation = few
    wrong = Examples(train.images, np.random.default_rng(0).permutation(train.labels))
    model = build("tutorial-3x3")
    config = replace(quick, epochs=60, patience=3, learning_rate=0.01)
    losses = [epoch.val_loss for epoch in fit(model, wrong, validation, config).history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3 < 60, "not stopped by its patience"
    found = cross_entropy(predict_logits(model, validation.images), validation.labels)
    assert found == pytest.approx(min(losses), rel=1e-4)
    assert found < losses[-1]


def test_without_patience_the_last_epoch_counts(few, quick):
    train, validation = few
    model = build("tutorial-3x3")
    result = fit(model, train, validation, replace(quick, epochs=4, learning_rate=0.05))
    found = cross_entropy(predict_logits(model, validation.images), validation.labels)
    assert found == pytest.approx(result.history[-1].val_loss, rel=1e-4)


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("constant", [1] * 8),
        ("cosine", [half_cosine((5 * epoch - 1) / 40) for epoch in range(1, 9)]),
        # Up in a quarter of the 40 steps, down in the others.
        (
            "one-cycle",
            [
                half_cosine(1 - 4 / 10),
                half_cosine(1 - 9 / 10),
                *[half_cosine((5 * epoch - 1 - 10) / 30) for epoch in range(3, 9)],
            ],
        ),
    ],
)
def test_learning_rate_follows_its_schedule(schedule, shares, few, quick):
    config = replace(quick, epochs=8, schedule=schedule, learning_rate=0.01)
    rates = [epoch.learning_rate for epoch in fit(build("tutorial-3x3"), *few, config).history]
    assert rates == pytest.approx([0.01 * share for share in shares], abs=1e-6)


@pytest.mark.parametrize(
    ("rate", "loss"),
    [(1e10, "nan"), (1e37, "inf|nan"), pytest.param(1e3, r"[\d.e+]+", id="without overflow")],
)
def test_diverging_training_is_an_error_with_the_remedy(rate, loss, few, quick):
    tf_keras.utils.set_random_seed(0)
    with pytest.raises(TrainingError) as caught:
        fit(build("tutorial-3x3"), *few, replace(quick, learning_rate=rate))
    assert re.fullmatch(
        rf"epoch 1: expected a .*loss.*, got ({loss}); lower --learning-rate", str(caught.value)
    )


def test_batch_larger_than_the_data_is_the_whole_data(few, quick):
    result = fit(build("tutorial-3x3"), *few, replace(quick, batch_size=5000))
    assert len(result.history) == 1
    assert result.history[0].accuracy <= 1


@pytest.mark.parametrize("damage", ["empty", "text", "cut off", "another architecture"])
def test_state_of_something_else_is_refused(damage, few, quick, tiny_run, tmp_path):
    whole = (tiny_run.folder / "state.npz").read_bytes()
    path = tmp_path / "state.npz"
    path.write_bytes(
        {
            "empty": b"",
            "text": b"no state",
            "cut off": whole[: len(whole) // 2],
            "another architecture": whole,
        }[damage]
    )
    with pytest.raises(TrainingError) as caught:
        fit(build("tutorial-3x3"), *few, quick, state_path=path)
    message = str(caught.value)
    assert message.startswith(
        f"cannot resume from {path}: expected the state of this training, got "
    )
    assert message.endswith("; delete the run's folder to start anew")


def test_averages_of_a_short_training_are_its_last_weights(few, quick):
    """Over a tenth of five steps there is nothing to average."""
    models = []
    for average_epochs in (0.0, 5.0):
        tf_keras.utils.set_random_seed(0)
        models.append(build("tutorial-3x3"))
        fit(models[-1], *few, replace(quick, average_epochs=average_epochs))
    assert_same_weights(*models)


def test_averages_move_less_than_the_weights(few, quick):
    """At a constant high rate the weights go on jumping about; their averages do not."""
    config = replace(quick, epochs=20, learning_rate=0.02, average_epochs=2.0)
    jumps = {}
    for average_epochs in (0.0, 2.0):
        ends = []
        for epochs in (19, 20):
            tf_keras.utils.set_random_seed(0)
            model = build("tutorial-3x3")
            fit(model, *few, replace(config, epochs=epochs, average_epochs=average_epochs))
            ends.append(np.concatenate([w.reshape(-1) for w in model.get_weights()]))
        jumps[average_epochs] = np.abs(ends[1] - ends[0]).mean()
    assert jumps[2.0] < 0.85 * jumps[0.0]


def test_averaged_weights_have_statistics_of_their_own(few, quick):
    model = build("pico")
    fit(model, *few, replace(quick, arch="pico", epochs=3, average_epochs=1.0))
    images = few[0].images[..., None].astype(np.float32) / 255
    as_in_use, as_in_training = (model(images, training=flag).numpy() for flag in (False, True))
    np.testing.assert_allclose(as_in_use, as_in_training, atol=1e-2)
