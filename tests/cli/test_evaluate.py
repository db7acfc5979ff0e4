import json
import shutil

import numpy as np
import pytest

from edge_mnist.corruptions import CORRUPTIONS
from edge_mnist.mnist_files import locate_mnist
from edge_mnist.model_store import find_model, shipped_models


def check(result):
    """The figures of an evaluation fit each other."""
    confusion = np.array(result["confusion"])
    assert confusion.shape == (10, 10)
    assert confusion.sum() == result["images"]
    assert result["accuracy"] == pytest.approx(confusion.trace() / result["images"])
    assert result["low"] < result["accuracy"] <= result["high"]
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
    assert lines[1].startswith("calibration error ")
    assert ", rejected " in lines[1]
    assert lines[3].split() == ["digit", "precision", "recall", "images"]
    assert lines[4].split()[0] == "0"
    assert lines[4].split()[-1] == "980"
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


def test_models_can_be_chosen_by_the_validation_images(mnist, edge_mnist):
    outcome = edge_mnist("evaluate", "micro", "--validation", "--json")
    assert outcome.err == "evaluating on the 5,000 validation images of mnist\n"
    card = next(model.card for model in shipped_models() if model.name == "micro")
    expected = card.accuracy["int8 validation"].accuracy
    assert check(outcome.json)["accuracy"] == pytest.approx(expected, abs=0.001)


def test_other_data_has_no_validation_images(edge_mnist):
    pytest.importorskip("sklearn")
    outcome = edge_mnist("evaluate", "micro", "--data", "optdigits", "--validation")
    assert outcome.code == 1
    assert outcome.err.splitlines()[-1] == (
        "edge-mnist: no validation images in optdigits: expected the data that the model was "
        "trained on, got other data; leave --validation out to measure on all of it"
    )


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


@pytest.fixture
def few(mnist, write_idx):
    """A folder with 300 of MNIST's test images, other data than any model was trained on."""
    images, labels = mnist.test.images, mnist.test.labels
    return write_idx(
        "few", train=(images[:150], labels[:150]), t10k=(images[150:300], labels[150:300])
    )


def test_confidences_of_a_shipped_model_are_calibrated(mnist, edge_mnist):
    result = edge_mnist("evaluate", "micro", "--json").json
    assert 0 < result["calibration_error"] < 0.01
    assert 0 <= result["rejected"] <= 0.02


def test_corrupted_images_are_measured_by_kind_and_strength(few, edge_mnist):
    result = edge_mnist("evaluate", "micro", "--data", few, "--corrupt", "--json").json
    check(result)
    reports = {report["kind"]: report for report in result["corruptions"]}
    assert reports.keys() == CORRUPTIONS.keys()
    for kind, report in reports.items():
        digit = CORRUPTIONS[kind].digit
        if digit is None:
            assert report["images"] == 300
            assert report["uncorrupted"] == result["accuracy"]
        elif kind != "open four":
            assert report["images"] == result["classes"][digit]["images"]
            assert report["uncorrupted"] == result["classes"][digit]["recall"]
        assert len(report["accuracy"]) == 5
        assert report["accuracy"][0] > 0.9
        assert len(report["rejected"]) == 5
        assert report["rejected"][0] < 0.1
    noise, hidden = reports["noise"], reports["occlusion"]
    assert noise["accuracy"][4] < noise["accuracy"][0]
    assert hidden["rejected"][4] > hidden["rejected"][0]


def test_corruptions_are_a_table_and_a_picture(few, edge_mnist, tmp_path):
    image = pytest.importorskip("matplotlib.image")
    arguments = ("evaluate", "micro", "--data", few, "--corrupt", "--out", "plots")
    lines = edge_mnist(*arguments).out.splitlines()
    header = next(line for line in lines if line.startswith("accuracy by strength"))
    assert header.split()[3:] == ["images", "none", "1", "2", "3", "4", "5"]
    rejected = next(line for line in lines if line.startswith("rejected by strength"))
    assert rejected.split()[3:] == ["1", "2", "3", "4", "5"]
    for title, shares in ((header, 6), (rejected, 5)):
        table = lines[lines.index(title) + 1 :][: len(CORRUPTIONS)]
        for line, kind in zip(table, CORRUPTIONS, strict=True):
            assert line.startswith(kind)
            assert line.count("%") == shares
    pixels = image.imread(tmp_path / "plots" / "corruptions.png")
    assert min(pixels.shape[:2]) > 400
    assert pixels[..., :3].std() > 0.02
    assert (tmp_path / "plots" / "confusion.png").exists()


@pytest.fixture
def copied_micro(tmp_path):
    """Return a function that copies the shipped model and sets the threshold in its card."""

    def copy(threshold):
        model = shutil.copy(find_model("micro"), tmp_path / "copy.tflite")
        card = json.loads(find_model("micro").with_suffix(".json").read_text())
        card["rejection_threshold"] = threshold
        (tmp_path / "copy.json").write_text(json.dumps(card))
        return model

    return copy


@pytest.mark.parametrize(("threshold", "rejected"), [(0.0, 1.0), (1.0, 0.0), (None, 0.0)])
def test_non_digits_are_rejected_by_the_threshold_of_the_card(
    threshold, rejected, few, copied_micro, edge_mnist
):
    pytest.importorskip("cv2")
    arguments = ("--data", few, "--non-digits", "--json")
    result = edge_mnist("evaluate", copied_micro(threshold), *arguments).json
    found = check(result)["non_digits"]
    kinds = {report["kind"]: report["images"] for report in found["kinds"]}
    assert kinds.keys() == {"letters", "shapes", "halves", "blank", "noise", "textures"}
    assert min(kinds.values()) >= 300
    assert {report["rejected"] for report in found["kinds"]} == {rejected}
    assert (found["rejected"], found["digits_kept"]) == (rejected, 1 - rejected)
    assert result["rejected"] == rejected


def test_threshold_that_turns_down_some_is_told_in_a_table(few, copied_micro, edge_mnist):
    pytest.importorskip("cv2")
    arguments = ("evaluate", copied_micro(0.5), "--data", few, "--non-digits")
    found = edge_mnist(*arguments, "--json").json["non_digits"]
    images = np.array([report["images"] for report in found["kinds"]])
    shares = np.array([report["rejected"] for report in found["kinds"]])
    assert found["rejected"] == pytest.approx((images * shares).sum() / images.sum())
    lines = edge_mnist(*arguments).out.splitlines()
    header = next(line for line in lines if line.startswith("no digits"))
    rows = [line.split() for line in lines[lines.index(header) + 1 :][:7]]
    assert header.split() == ["no", "digits", "images", "rejected"]
    assert [row[1] for row in rows] == [*map(str, images), str(images.sum())]
    assert rows[-1][0] == "all"
    assert lines[-1].startswith("digits kept: ")


def test_non_digits_without_opencv_are_answered_with_the_command_that_installs_it(
    edge_mnist_process, write_idx
):
    noise = np.random.default_rng(0).integers(0, 256, (30, 28, 28), np.uint8)
    folder = write_idx("noise", train=(noise, np.arange(30) % 10))
    told = edge_mnist_process("evaluate", "--data", folder, "--non-digits", without=["cv2"]).error
    assert told == (
        "drawing what is no digit needs the package cv2; "
        "install it with: pip install 'edge-mnist[vision]'"
    )


@pytest.mark.train
def test_keras_model_has_no_confidences_and_rejects_nothing(trained, edge_mnist):
    arguments = ("evaluate", trained[0], "--data", "optdigits")
    result = edge_mnist(*arguments, "--json").json
    assert (result["calibration_error"], result["rejected"]) == (None, None)
    assert "calibration" not in edge_mnist(*arguments).out
    told = edge_mnist(*arguments, "--non-digits").error
    assert told == "--non-digits: expected a .tflite file, got a Keras model"


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
