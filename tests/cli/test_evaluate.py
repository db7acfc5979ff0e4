import json
import shutil

import numpy as np
import pytest

from edge_mnist.mnist_files import locate_mnist
from edge_mnist.model_store import find_model, shipped_models


def check(result):
    """The figures of an evaluation fit each other."""
    confusion = np.array(result["confusion"])
    assert confusion.shape == (10, 10)
    assert confusion.sum() == result["images"]
    assert result["accuracy"] == pytest.approx(confusion.trace() / result["images"])
    assert result["low"] < result["accuracy"] < result["high"]
    assert [report["digit"] for report in result["classes"]] == list(range(10))
    assert [report["images"] for report in result["classes"]] == confusion.sum(axis=1).tolist()
    return result


def test_shipped_model_is_measured_on_the_test_images(mnist, engine, edge_mnist):
    outcome = edge_mnist("evaluate", "--engine", engine, "--json")
    result = check(outcome.json)
    assert outcome.code == 0
    assert outcome.err == "evaluating on the 10,000 test images of mnist\n"
    assert [c["images"] for c in result["classes"]] == np.bincount(mnist.test.labels).tolist()
    card = next(model.card for model in shipped_models() if model.name == "micro")
    assert result["accuracy"] == pytest.approx(card.accuracy["int8 test"].accuracy, abs=0.001)


def test_report_is_for_people_too(mnist, edge_mnist):
    outcome = edge_mnist("evaluate", "micro")
    lines = outcome.out.splitlines()
    assert lines[0].startswith("accuracy 99.")
    assert " of 10,000 images (95 % interval " in lines[0]
    assert lines[2].split() == ["digit", "precision", "recall", "images"]
    assert lines[3].split()[0] == "0"
    assert lines[3].split()[-1] == "980"
    assert "confusion (row: label, column: read as)" in lines


def test_other_data_counts_in_full(edge_mnist):
    pytest.importorskip("sklearn")
    outcome = edge_mnist("evaluate", "micro", "--data", "optdigits", "--json")
    assert outcome.err.startswith("evaluating on all 1,797 images of optdigits; ")
    assert check(outcome.json)["images"] == 1797


def test_same_data_under_another_name_is_the_same_data(mnist, edge_mnist):
    folder = locate_mnist("t10k-images-idx3-ubyte").parent
    outcome = edge_mnist("evaluate", "micro", "--data", folder, "--json")
    assert outcome.json["images"] == 10_000


def test_shipped_model_comes_before_a_folder_of_its_name(mnist, edge_mnist, tmp_path):
    (tmp_path / "micro").mkdir()
    outcome = edge_mnist("evaluate", "micro", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["accuracy"] > 0.99


def test_model_without_a_card_is_measured_on_the_test_images(mnist, edge_mnist, tmp_path):
    shutil.copy(find_model("micro"), tmp_path / "bare.tflite")
    outcome = edge_mnist("evaluate", "bare.tflite", "--json")
    assert check(outcome.json)["images"] == 10_000


def test_confusion_is_drawn(mnist, edge_mnist, tmp_path):
    image = pytest.importorskip("matplotlib.image")
    outcome = edge_mnist("evaluate", "micro", "--out", "plots/deep")
    assert outcome.code == 0
    pixels = image.imread(tmp_path / "plots" / "deep" / "confusion.png")
    assert min(pixels.shape[:2]) > 200
    assert pixels[..., :3].std() > 0.02


@pytest.mark.train
@pytest.mark.parametrize("name", ["", "model.keras"], ids=["run folder", "keras file"])
def test_keras_model_is_measured_on_its_own_test_images(name, trained, edge_mnist):
    folder, _ = trained
    outcome = edge_mnist("evaluate", folder / name, "--data", "optdigits", "--json")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert outcome.err == "evaluating on the 359 test images of optdigits\n"
    assert check(outcome.json) == metrics["test"]


@pytest.mark.train
def test_keras_model_is_measured_on_all_of_other_data(trained, mnist, edge_mnist, write_idx):
    folder = write_idx(
        "other",
        train=(mnist.train.images[:40], mnist.train.labels[:40]),
        t10k=(mnist.test.images[:20], mnist.test.labels[:20]),
    )
    outcome = edge_mnist("evaluate", trained[0], "--data", folder, "--json")
    assert check(outcome.json)["images"] == 60


@pytest.mark.train
def test_export_and_keras_model_are_measured_alike(trained, edge_mnist, tmp_path):
    assert edge_mnist("quantize", trained[0], "--float32", "--out", tmp_path).code == 0
    keras, export = (
        edge_mnist("evaluate", model, "--data", "optdigits", "--json").json
        for model in (trained[0], tmp_path / "micro-float32.tflite")
    )
    assert keras["confusion"] == export["confusion"]


@pytest.mark.train
def test_images_that_a_model_was_trained_on_do_not_count(
    tensorflow, mnist, edge_mnist, write_idx, tmp_path
):
    # Without test images validation counts: as it was split for the training, and no other.
    images, labels = mnist.train.images[:600], mnist.train.labels[:600]
    folder = write_idx("no-test", train=(images, labels))
    options = ("--data", folder, "--validation-split", "0.05", "--epochs", "1", "--device", "cpu")
    assert edge_mnist("train", *options, "--out", "run").code == 0
    outcome = edge_mnist("evaluate", "run", "--data", folder, "--json")
    assert outcome.json["images"] == 30
    assert outcome.json == json.loads((tmp_path / "run" / "metrics.json").read_text())["validation"]


@pytest.mark.train
@pytest.mark.parametrize("kind", ["run folder", "keras file"])
def test_keras_model_of_another_kind_is_refused(kind, tensorflow, edge_mnist, tmp_path):
    import tf_keras

    from edge_mnist.training.run import save_model

    image = tf_keras.Input((8, 8, 1))
    path = tmp_path / "run" / "model.keras"
    save_model(tf_keras.Model(image, tf_keras.layers.Flatten()(image)), path)
    told = edge_mnist("evaluate", path.parent if kind == "run folder" else path).error
    assert told == (
        f"cannot use the model {path}: expected [N, 28, 28, 1] in and [N, 10] out, "
        "got (None, 8, 8, 1) in and (None, 64) out"
    )
