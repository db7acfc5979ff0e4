import csv
import dataclasses
import json
from dataclasses import replace

import numpy as np
import pytest
import tf_keras
from matplotlib.image import imread

from edge_mnist.errors import InvalidInputError, ModelError, TrainingError
from edge_mnist.training import device
from edge_mnist.training.architectures import build
from edge_mnist.training.config import Augmentation, load_config
from edge_mnist.training.device import select_device
from edge_mnist.training.plan import plan_run
from edge_mnist.training.recipes import find_recipe
from edge_mnist.training.run import (
    load_model,
    load_run,
    load_run_config,
    predict_logits,
    save_model,
    train_run,
)

pytestmark = pytest.mark.train


def weights_of(folder):
    return [array.tobytes() for array in load_model(folder / "model.keras").get_weights()]


@pytest.mark.parametrize("name", ["pico", "micro"])
def test_family_learns_mnist_in_one_epoch(name, mnist, tmp_path):
    config = replace(find_recipe(name), epochs=1, batch_size=32, augmentation=None, device="cpu")
    metrics = train_run(config, mnist, tmp_path)
    assert metrics.validation.images == 5000
    assert metrics.validation.accuracy > 0.95


def test_run_folder_holds_what_the_documentation_says(tiny_run):
    assert {path.name for path in tiny_run.folder.iterdir()} == {
        "config.json",
        "history.csv",
        "model.keras",
        "metrics.json",
        "state.npz",
        "history.png",
        "confusion.png",
        "samples.png",
        "mistakes.png",
    }


def test_configuration_in_the_run_folder_is_the_one_trained(tiny_run):
    assert load_config(tiny_run.folder / "config.json") == tiny_run.config


def test_history_has_a_line_an_epoch(tiny_run):
    text = (tiny_run.folder / "history.csv").read_text()
    lines = list(csv.DictReader(text.splitlines()))
    assert [line["epoch"] for line in lines] == ["1", "2"]
    assert list(lines[0])[1:5] == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert float(lines[-1]["val_accuracy"]) == pytest.approx(tiny_run.metrics.validation.accuracy)


def test_metrics_tell_the_model_and_its_measurements(tiny_run, optdigits):
    metrics = json.loads((tiny_run.folder / "metrics.json").read_text())
    assert metrics == json.loads(json.dumps(dataclasses.asdict(tiny_run.metrics)))
    model = load_model(tiny_run.folder / "model.keras")
    assert metrics["parameters"] == sum(array.size for array in model.get_weights())
    assert metrics["data_sha256"] == optdigits.sha256
    assert (metrics["epochs"], metrics["interrupted"]) == (2, False)
    for name in ("validation", "test"):
        examples = getattr(optdigits, name)
        right = predict_logits(model, examples.images).argmax(axis=1) == examples.labels
        assert metrics[name]["images"] == len(examples)
        assert metrics[name]["accuracy"] == pytest.approx(right.mean())


@pytest.mark.parametrize("name", ["history", "confusion", "samples", "mistakes"])
def test_plots_are_pictures(tiny_run, name):
    pixels = imread(tiny_run.folder / f"{name}.png")[..., :3]
    assert min(pixels.shape[:2]) > 200
    assert pixels.std() > 0.02, "a blank picture"


def test_weights_do_not_depend_on_the_test_images(tiny_run, optdigits, tmp_path):
    metrics = train_run(tiny_run.config, optdigits.without_test(), tmp_path)
    assert metrics.test is None
    assert weights_of(tmp_path) == weights_of(tiny_run.folder)


def test_configuration_repeats_the_run(tiny_run, optdigits, tmp_path):
    config, folder = plan_run(tmp_path / "again", config_path=tiny_run.folder / "config.json")
    train_run(config, optdigits, folder)
    assert weights_of(folder) == weights_of(tiny_run.folder)


def test_mixed_precision_leaves_a_float32_model(tiny, optdigits, tmp_path):
    metrics = train_run(replace(tiny, mixed_precision=True, epochs=1), optdigits, tmp_path)
    model = load_model(tmp_path / "model.keras")
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    assert {array.dtype.name for array in model.get_weights()} == {"float32"}
    assert metrics.validation.accuracy > 0
    assert tf_keras.mixed_precision.global_policy().name == "float32"


@pytest.mark.parametrize(
    ("info", "policy"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 avx512vbmi\n", "mixed_bfloat16"),
        ("Features\t: fp asimd asimdhp i8mm bf16\n", "mixed_bfloat16"),
        ("flags\t\t: fpu avx2 avx512f\n", "float32"),
        (None, "float32"),
    ],
)
def test_mixed_precision_is_what_the_cpu_computes_in(info, policy, tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    if info is not None:
        path.write_text(info)
    monkeypatch.setattr(device, "CPU_INFO", path)
    select_device("cpu")
    assert device.find_mixed_policy() == policy


def test_default_run_is_micro_in_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config, folder = plan_run(None)
    assert config == find_recipe("micro")
    assert folder.as_posix() == "runs/micro"


def test_options_override_the_recipe(tmp_path):
    overrides = {"epochs": 2, "seed": 9, "augmentation": None}
    config, _ = plan_run(tmp_path / "new", recipe="micro", overrides=overrides)
    assert config == replace(find_recipe("micro"), **overrides)


def test_augment_gives_a_recipe_without_it_the_default(tmp_path):
    overrides = {"augmentation": True}
    config, _ = plan_run(tmp_path / "new", recipe="tutorial-3x3", overrides=overrides)
    assert config.augmentation == Augmentation()
    config, _ = plan_run(tmp_path / "new", recipe="classic-augmented", overrides=overrides)
    assert config.augmentation == find_recipe("classic-augmented").augmentation


def test_architecture_alone_makes_a_custom_training(tmp_path):
    config, _ = plan_run(tmp_path / "new", overrides={"arch": "classic"})
    assert (config.arch, config.recipe) == ("classic", "custom")
    assert config.optimizer == find_recipe("micro").optimizer


def test_training_that_failed_before_its_first_epoch_leaves_the_folder_free(tmp_path):
    config, folder = plan_run(tmp_path, recipe="tutorial-4x4")
    (folder / "config.json").write_text(config.to_json())
    assert plan_run(tmp_path, recipe="classic-dropout")[0].arch == "classic"
    assert plan_run(tmp_path, resume=True)[0] == config


def test_second_training_into_a_folder_is_refused(tiny_run):
    with pytest.raises(TrainingError) as caught:
        plan_run(tiny_run.folder)
    assert str(caught.value) == (
        f"{tiny_run.folder} holds a run already; "
        "give another folder with --out, or go on with that run by --resume"
    )


def test_resume_takes_the_runs_own_configuration(tiny_run):
    config, folder = plan_run(tiny_run.folder, resume=True, overrides={"epochs": 2})
    assert (config, folder) == (replace(tiny_run.config, device="auto"), tiny_run.folder)


@pytest.mark.parametrize(
    ("overrides", "field", "expected", "got"),
    [
        ({"epochs": 3}, "epochs", "2", "3"),
        ({"batch_size": 32}, "batch size", "64", "32"),
        ({"arch": "classic"}, "arch", "micro", "classic"),
        ({"data": "mnist"}, "data", "optdigits", "mnist"),
        ({"seed": 1}, "seed", "0", "1"),
    ],
)
def test_resume_with_another_option_is_refused(tiny_run, overrides, field, expected, got):
    with pytest.raises(TrainingError) as caught:
        plan_run(tiny_run.folder, resume=True, overrides=overrides)
    assert str(caught.value) == (
        f"cannot resume {tiny_run.folder} with another {field}: expected {expected}, got {got}; "
        "leave the option out, or give another folder with --out"
    )


def test_resume_without_a_run_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="resume") as caught:
        plan_run(tmp_path / "nothing", resume=True)
    assert str(tmp_path / "nothing") in str(caught.value)


def test_resume_with_another_recipe_is_refused(tiny_run):
    with pytest.raises(TrainingError, match=r"cannot resume .* with another augmentation"):
        plan_run(tiny_run.folder, resume=True, recipe="micro")


def test_file_as_run_folder_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(InvalidInputError) as caught:
        plan_run(path)
    assert str(caught.value) == (
        f"--out: expected a folder, or a name that is free, got the file {path}"
    )


def test_recipe_and_configuration_exclude_each_other(tiny_run, tmp_path):
    with pytest.raises(TrainingError, match="--recipe and --config exclude each other"):
        plan_run(tmp_path, recipe="micro", config_path=tiny_run.folder / "config.json")


def test_unknown_architecture_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(TrainingError, match="unknown architecture"):
        train_run(replace(find_recipe("micro"), arch="resnet"), None, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_missing_gpu_is_answered_with_what_is_there_and_the_remedy():
    with pytest.raises(TrainingError) as caught:
        select_device("gpu")
    message = str(caught.value)
    assert message.startswith("--device gpu: expected a GPU that TensorFlow can use, got CPU:0 (")
    assert message.endswith(
        "; install GPU support with: pip install 'edge-mnist[gpu]', or use --device cpu"
    )


@pytest.mark.parametrize(
    ("device", "told"), [("cpu", "the CPU"), ("auto", "the CPU (TensorFlow sees no GPU)")]
)
def test_device_that_is_used_is_told(device, told):
    assert select_device(device) == told


def test_run_and_its_file_are_the_same_model(tiny_run):
    for path in (tiny_run.folder, tiny_run.folder / "model.keras"):
        assert load_run(path).name == "micro"
        assert load_run_config(path) == tiny_run.config


def test_model_away_from_its_run_has_no_configuration(tmp_path):
    save_model(build("tutorial-3x3"), tmp_path / "alone.keras")
    assert load_run(tmp_path / "alone.keras").name == "tutorial-3x3"
    assert load_run_config(tmp_path / "alone.keras") is None


@pytest.mark.parametrize("kind", ["text", "cut off", "empty"])
def test_damaged_model_is_refused(kind, tiny_run, tmp_path):
    whole = (tiny_run.folder / "model.keras").read_bytes()
    path = tmp_path / "broken.keras"
    path.write_bytes({"text": b"hello", "cut off": whole[:5000], "empty": b""}[kind])
    with pytest.raises(ModelError) as caught:
        load_model(path)
    assert str(caught.value).startswith(
        f"cannot read the model {path}: expected a .keras file that tf_keras can load, got "
    )


@pytest.mark.parametrize("kind", ["missing", "empty folder"])
def test_missing_model_is_refused(kind, tmp_path):
    path = tmp_path / "nothing" if kind == "missing" else tmp_path
    with pytest.raises(ModelError) as caught:
        load_run(path)
    message = str(caught.value)
    assert message.startswith(
        "cannot find the trained model: expected a run folder with model.keras, or a .keras file, "
    )
    assert f"got {path}" in message
    assert message.endswith("; make one with edge-mnist train")


def test_model_of_another_kind_is_refused(tmp_path):
    image = tf_keras.Input((32, 32, 3))
    flat = tf_keras.layers.GlobalAveragePooling2D()(image)
    path = tmp_path / "cifar.keras"
    save_model(tf_keras.Model(image, flat), path)
    with pytest.raises(ModelError) as caught:
        load_model(path)
    assert str(caught.value) == (
        f"cannot use the model {path}: expected [N, 28, 28, 1] in and [N, 10] out, "
        "got (None, 32, 32, 3) in and (None, 3) out"
    )


def test_model_runs_on_more_images_than_a_batch():
    images = np.random.default_rng(0).integers(0, 256, (1203, 28, 28), np.uint8)
    model = build("tutorial-3x3")
    logits = predict_logits(model, images)
    assert logits.shape == (1203, 10)
    alone = model(images[-1:, ..., None].astype(np.float32) / 255).numpy()
    np.testing.assert_allclose(logits[-1:], alone, atol=1e-5)
