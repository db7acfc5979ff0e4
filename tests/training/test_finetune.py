import dataclasses
import json

import numpy as np
import pytest

from edge_mnist.dataset import Dataset, Examples
from edge_mnist.errors import DatasetError, TrainingError
from edge_mnist.quantization.config import ExportConfig
from edge_mnist.quantization.export import export_model, open_source
from edge_mnist.quantization.rebuild import rebuild
from edge_mnist.trained_on import choose_unseen
from edge_mnist.training import fit, mixing
from edge_mnist.training.architectures import build
from edge_mnist.training.base import open_base
from edge_mnist.training.finetune import (
    FineTuning,
    find_rejected,
    plan_tuning,
    prepare_run,
    tune_run,
)
from edge_mnist.training.freezing import choose_frozen, freeze, name_layers
from edge_mnist.training.outliers import make_outliers
from edge_mnist.training.own_digits import OwnDigits
from edge_mnist.training.run import load_run, load_trained_on, predict_logits

pytestmark = pytest.mark.train


@pytest.fixture(scope="session")
def old(fewer_mnist):
    return fewer_mnist


@pytest.fixture(scope="session")
def base(old):
    return open_base("micro", old.train.images[:300], rebuild)


@pytest.fixture(scope="session")
def own(optdigits):
    """Forty images of each digit."""
    digits = optdigits.everything()
    chosen = np.concatenate([np.flatnonzero(digits.labels == digit)[:40] for digit in range(10)])
    return OwnDigits("own", tuple(map(str, chosen)), digits.take(chosen))


@pytest.fixture
def tune(base, own, old, tmp_path, monkeypatch):
    """Return a function that fine-tunes for some seconds and gives the run folder."""
    monkeypatch.setattr(mixing, "EPOCH_IMAGES", 3000)
    monkeypatch.setattr(fit, "POOL_SIZE", 300)

    def tune(frozen=(), **overrides):
        folder = tmp_path / "run"
        config = plan_tuning(base, {"epochs": 1, "device": "cpu", **overrides})
        tuning = FineTuning("micro", "own", 0.8, frozen, keeps_rejected=True)
        prepare_run(base, own, old, config, tuning, folder)
        return folder, tune_run(folder, old, "the CPU")

    return tune


def test_own_digits_are_learned_and_mnist_is_not_forgotten(tune, base, own, optdigits):
    folder, metrics = tune(epochs=3)
    others = optdigits.everything()
    known = {image.tobytes() for image in own.examples.images}
    unseen = np.array([image.tobytes() not in known for image in others.images])
    others = others.take(np.flatnonzero(unseen))

    def measure_errors(model):
        return (predict_logits(model, others.images).argmax(axis=1) != others.labels).mean()

    assert measure_errors(load_run(folder)) < 0.7 * measure_errors(base.model)
    assert metrics.old_test.accuracy > metrics.old_test_before.accuracy - 0.005
    assert metrics.test.images == metrics.test_before.images == 80


def test_run_folder_tells_all_there_is_to_know(tune):
    folder, metrics = tune()
    assert {path.name for path in folder.iterdir()} == {
        "base.keras", "config.json", "confusion.png", "data", "fine_tuning.json", "history.csv",
        "history.png", "metrics.json", "mistakes.png", "model.keras", "samples.png", "state.npz",
    }  # fmt: skip
    stored = json.loads((folder / "metrics.json").read_text())
    assert stored == json.loads(json.dumps(dataclasses.asdict(metrics)))
    tuning = json.loads((folder / "fine_tuning.json").read_text())
    del tuning["seen"]
    assert tuning == {
        "base": "micro", "data": "own", "replay": 0.8, "frozen": [], "keeps_rejected": True,
    }  # fmt: skip


def test_training_that_was_cut_off_goes_on(tune, old):
    folder, _ = tune(epochs=2)
    expected = load_run(folder).get_weights()
    (folder / "state.npz").unlink()
    (folder / "model.keras").unlink()
    tune_run(folder, old, "the CPU")
    for one, other in zip(load_run(folder).get_weights(), expected, strict=True):
        assert np.array_equal(one, other)


def test_frozen_layers_stay_as_they_are(tune, base):
    folder, _ = tune(frozen=("conv1", "conv2"))
    before, after = name_layers(base.model), name_layers(load_run(folder))
    is_same = {
        name: np.array_equal(before[name].kernel.numpy(), after[name].kernel.numpy())
        for name in before
    }
    assert is_same == {
        "conv1": True, "conv2": True, "conv3": False, "conv4": False, "logits": False,
    }  # fmt: skip
    assert all(layer.trainable for layer in load_run(folder).layers)
    first = [
        next(layer for layer in model.layers if "batch_norm" in layer.name).get_weights()
        for model in (base.model, load_run(folder))
    ]
    assert all(np.array_equal(*pair) for pair in zip(*first, strict=True))


def test_what_it_has_seen_is_not_measured_on(tune, own, old):
    folder, _ = tune()
    trained_on = load_trained_on(folder)
    learned, looked_at, test = own.split()
    digits = Dataset("own", learned, looked_at, test, "of the folder")
    assert np.array_equal(choose_unseen(digits, trained_on)[0].images, test.images)
    assert choose_unseen(old, trained_on)[0] is old.test
    # Trained further once more, from what was quantized.
    config = ExportConfig(floats=("float32",))
    (export,) = export_model(open_source(folder), config, folder=folder)
    again = open_base(str(export.path), old.train.images[:300], rebuild)
    assert (
        choose_unseen(digits, again.trained_on)[1]
        == "the 80 of 400 images of own that it has not seen"
    )
    assert choose_unseen(old, again.trained_on)[0] is old.test


@pytest.mark.parametrize("method", ["ptq", "qat"])
def test_run_is_quantized_like_any_other(tune, method):
    folder, _ = tune()
    from edge_mnist import dataset

    source = open_source(
        folder, None, lambda data, split: dataset.load(data, validation_split=split)
    )
    config = ExportConfig(int8=True, method=method, qat_epochs=1)
    (export,) = export_model(source, config, folder=folder)
    accuracy = export.card.accuracy
    assert accuracy["int8 validation"].accuracy > accuracy["float validation"].accuracy - 0.005
    assert 0 < export.card.rejection_threshold < 1
    assert export.card.size_bytes < 16_384


def test_images_that_are_no_digits_are_found_before_anything_is_written(base, own, old, tmp_path):
    strange = make_outliers(old.validation, 70, seed=9)
    images = np.concatenate([old.test.images[:200], strange])
    labels = np.concatenate([old.test.labels[:200], np.zeros(70, np.uint8)])
    mixed = OwnDigits("own", tuple(map(str, range(270))), Examples(images, labels))
    is_rejected = find_rejected(base, mixed)
    assert is_rejected[:200].mean() < 0.02
    assert is_rejected[200:].mean() > 0.7
    arguments = (base, mixed, old, plan_tuning(base), FineTuning("micro", "own"))
    with pytest.raises(DatasetError, match="of 270 images in own look like no digit"):
        prepare_run(*arguments, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_base_that_never_learned_to_reject_rejects_nothing(base, own):
    training = dataclasses.replace(base.training, outliers=0.0)
    assert not find_rejected(dataclasses.replace(base, training=training), own).any()


def test_second_fine_tuning_into_a_folder_is_refused(tune):
    tune()
    with pytest.raises(TrainingError, match="holds a run already"):
        tune()


def test_plan_is_the_bases_training_but_shorter_and_slower(base):
    plan = plan_tuning(base, {"seed": 4, "augmentation": True})
    assert plan.epochs < base.training.epochs
    assert plan.learning_rate < base.training.learning_rate
    assert (plan.outliers, plan.handwriting) == (base.training.outliers, 0.03)
    assert (plan.seed, plan.augmentation) == (4, base.training.augmentation)
    assert plan_tuning(base, {"augmentation": None}).augmentation is None


@pytest.mark.parametrize(
    ("freeze", "expected"),
    [(None, ()), ("0", ()), ("2", ("conv1", "conv2")), ("conv1, dense1", ("conv1", "dense1"))],
)
def test_layers_to_freeze_are_counted_or_named(freeze, expected):
    assert choose_frozen(build("tutorial-3x3"), freeze) == expected


@pytest.mark.parametrize("freeze", ["4", "conv3", "conv1,conv2,dense1,logits", "-1"])
def test_other_layers_are_refused(freeze):
    with pytest.raises(TrainingError) as caught:
        choose_frozen(build("tutorial-3x3"), freeze)
    assert str(caught.value) == (
        f"--freeze: expected 0 to 3, or some of conv1, conv2, dense1, logits, got {freeze}"
    )


def test_layers_without_normalization_can_be_frozen():
    model = build("tutorial-3x3")
    freeze(model, ("conv1",))
    assert len(model.trainable_variables) == 6
