import dataclasses

import numpy as np
import pytest
import tf_keras

from edge_mnist.quantization.convert import convert_int8
from edge_mnist.quantization.qat import fine_tune, plan_qat
from edge_mnist.training.architectures import build
from edge_mnist.training.config import Augmentation, TrainConfig

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def few():
    from edge_mnist import dataset

    digits = dataset.load("optdigits")
    return dataclasses.replace(
        digits,
        train=digits.train.take(np.arange(200)),
        validation=digits.validation.take(np.arange(50)),
    )


@pytest.fixture(scope="module")
def training():
    return TrainConfig(
        arch="classic",
        epochs=40,
        batch_size=50,
        optimizer="adamw",
        learning_rate=0.004,
        schedule="one-cycle",
        augmentation=Augmentation(),
        patience=3,
        mixed_precision=True,
        device="cpu",
        seed=3,
    )


class Interrupter:
    """Presses Ctrl-C in the second epoch."""

    def epoch(self, result, epochs):
        pass

    def step(self, epoch, done, total):
        if epoch == 2:
            raise KeyboardInterrupt


def test_fine_tuning_follows_the_training_slower_and_to_its_end(training):
    plan = plan_qat(training, 5)
    assert plan.learning_rate == pytest.approx(0.0004)
    assert (plan.epochs, plan.patience, plan.mixed_precision) == (5, None, False)
    kept = ("augmentation", "batch_size", "optimizer", "seed", "data", "validation_split")
    assert all(getattr(plan, field) == getattr(training, field) for field in kept)


def test_model_itself_stays_as_it_was(training, few):
    model = build("tutorial-3x3")
    before = [array.copy() for array in model.get_weights()]
    fine_tune(model, few, plan_qat(training, 1))
    for array, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_interrupted_fine_tuning_goes_on_to_the_same_model(training, few, tmp_path):
    tf_keras.utils.set_random_seed(1)
    model, plan = build("classic"), plan_qat(training, 3)
    unbroken = convert_int8(fine_tune(model, few, plan), None)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(model, few, plan, state_folder=tmp_path, reporter=Interrupter())
    assert len(list(tmp_path.iterdir())) == 1
    epochs = []

    class Listener:
        def epoch(self, result, epochs_in_all):
            epochs.append(result.epoch)

        def step(self, epoch, done, total):
            pass

    resumed = fine_tune(model, few, plan, state_folder=tmp_path, reporter=Listener())
    assert epochs == [2, 3]
    assert convert_int8(resumed, None) == unbroken
    assert list(tmp_path.iterdir()) == []


def test_another_model_does_not_go_on_with_it(training, few, tmp_path):
    plan = plan_qat(dataclasses.replace(training, arch="tutorial-3x3"), 2)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(build("tutorial-3x3"), few, plan, state_folder=tmp_path, reporter=Interrupter())
    left = set(tmp_path.iterdir())
    fine_tune(build("tutorial-3x3"), few, plan, state_folder=tmp_path)
    assert set(tmp_path.iterdir()) == left
