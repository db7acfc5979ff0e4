import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="needs OpenCV: pip install 'edge-mnist[vision]'")
matplotlib_image = pytest.importorskip(
    "matplotlib.image", reason="needs matplotlib: pip install 'edge-mnist[train]'"
)


@pytest.fixture
def seven(mnist, write_picture):
    """A picture of a seven, dark on light and ten times as large."""
    image = mnist.test.images[np.flatnonzero(mnist.test.labels == 7)[0]]
    return write_picture("seven.png", 255 - np.kron(image, np.ones((10, 10), np.uint8)))


def check_pictures(told, folder):
    """Every picture that is told of is there, large enough to print, and not empty."""
    assert sorted(told) == sorted(str(path) for path in folder.rglob("*.png"))
    for path in told:
        pixels = matplotlib_image.imread(path)
        assert pixels.shape[1] >= 800, path
        assert pixels[..., :3].std() > 0.02, path


@pytest.mark.train
def test_shipped_model_is_explained_by_every_method(seven, edge_mnist, tensorflow, tmp_path):
    outcome = edge_mnist("explain", "micro", seven, "--out", tmp_path / "why", "--json")
    assert outcome.code == 0, outcome.err
    told = outcome.json
    names = ["conv_2d_1", "conv_2d_2", "conv_2d_3", "conv_2d_4"]
    assert [found["layer"] for found in told["filters"]] == names
    (image,) = told["images"]
    assert (image["digit"], image["explained_digit"]) == (7, 7)
    assert [found["layer"] for found in image["gradcam"]] == names
    layers = ["quantize_1", *names, "fully_connected_1", "quantize_2"]
    assert [found["layer"] for found in image["activations"]] == layers
    assert {found["dtype"] for found in image["activations"][:-1]} == {"int8"}
    assert np.shape(image["occlusion"]["lost"]) == (28, 28)
    assert np.max(image["occlusion"]["lost"]) > 1
    # One for each convolution, and three of the image.
    assert len(told["pictures"]) == 7
    check_pictures(told["pictures"], tmp_path / "why")


def test_model_alone_is_enough_for_filters(edge_mnist):
    outcome = edge_mnist("explain", "pico", "--method", "filters", "--layer", "conv_2d_1")
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines() == ["explained/pico-filters-conv_2d_1.png"]
    check_pictures(["explained/pico-filters-conv_2d_1.png"], Path("explained"))


@pytest.mark.parametrize("method", ["activations", "occlusion", "filters"])
def test_tensorflow_is_needed_for_gradcam_only(method, seven, edge_mnist_process):
    without = ["tensorflow", "tf_keras", "flatbuffers"]
    outcome = edge_mnist_process(
        "explain", "pico", seven, "--method", method, "--json", without=without
    )
    assert outcome.code == 0, outcome.err
    assert outcome.json["images"][0]["digit"] == 7
    refused = edge_mnist_process("explain", "pico", seven, without=["tensorflow"])
    told = "Grad-CAM needs the package tensorflow; install it with: pip install 'edge-mnist[train]'"
    assert refused.error == told


def test_occlusion_works_in_every_engine(engine, seven, edge_mnist):
    options = ("--method", "occlusion", "--engine", engine, "--class", "1", "--json")
    outcome = edge_mnist("explain", "pico", seven, *options)
    assert outcome.code == 0, outcome.err
    assert outcome.json["engine"] == engine
    assert outcome.json["images"][0]["explained_digit"] == 1


@pytest.mark.train
def test_run_folder_is_explained(trained, edge_mnist, write_picture):
    image = np.full((60, 60), 255, np.uint8)
    image[10:50, 28:33] = 0
    one = write_picture("one.png", image)
    outcome = edge_mnist("explain", trained[0], one, one, "--json", "--out", "why")
    assert outcome.code == 0, outcome.err
    told = outcome.json
    assert told["engine"] == "keras"
    assert [found["source"] for found in told["images"]] == [str(one)] * 2
    assert {found["dtype"] for found in told["images"][0]["activations"]} == {"float32"}
    assert "why/one-2-occlusion.png" in told["pictures"]
    assert len(told["pictures"]) == len(set(told["pictures"]))
    check_pictures(told["pictures"], Path("why"))


@pytest.mark.train
def test_report_is_for_people_too(seven, edge_mnist, tensorflow):
    lines = edge_mnist("explain", "pico", seven, "--class", "2").out.splitlines()
    assert lines[0].split() == ["picture", "read", "as", "confidence", "explained"]
    assert lines[1].split()[0] == str(seven)
    assert lines[1].split()[1] == "7"
    assert lines[1].split()[-1] == "2"
    assert lines[-1] == "explained/seven-occlusion.png"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", "IMAGE: expected at least one picture, got none"),
        ("{seven} --method saliency", "--method: expected filters, activations, gradcam, occlus"),
        ("{seven} --class 10", "--class: expected 0 to 9, got 10"),
        (
            "{seven} --method filters --layer conv",
            "--layer: expected conv_2d_1, conv_2d_2, conv_2d_3, got 'conv'",
        ),
        (
            "{seven} --method occlusion --layer conv_2d_1",
            "--layer: expected none with --method occlusion, got 'conv_2d_1'",
        ),
        ("nothing.png --method occlusion", "cannot read nothing.png: got No such file"),
        ("{blank} --method occlusion", "no digit in "),
        ("{seven} --method occlusion --engine cpu", "unknown engine: expected auto, "),
    ],
)
def test_wrong_input_is_one_line(arguments, told, seven, edge_mnist, write_picture, tmp_path):
    blank = write_picture("blank.png", np.full((50, 50), 200, np.uint8))
    outcome = edge_mnist("explain", "pico", *arguments.format(seven=seven, blank=blank).split())
    assert outcome.error.startswith(told)
    assert (outcome.out, len(outcome.err.splitlines())) == ("", 1)
    assert not (tmp_path / "explained").exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("text.tflite", "cannot use the model text.tflite: it is not a .tflite file"),
        ("nothing", "cannot find the model: expected a file, or one of: "),
        ("text.keras", "cannot read the model text.keras: expected a .keras file"),
        ("folder", "cannot find the trained model: expected a run folder"),
    ],
)
def test_other_models_are_one_line(name, told, seven, edge_mnist, tmp_path, tensorflow):
    (tmp_path / "text.tflite").write_text("hello " * 100)
    (tmp_path / "text.keras").write_text("hello " * 100)
    (tmp_path / "folder").mkdir()
    outcome = edge_mnist("explain", name, seven)
    assert outcome.error.startswith(told)
    assert len(outcome.err.splitlines()) == 1


def test_damaged_model_is_an_error_and_no_crash(seven, edge_mnist, tmp_path):
    from fuzz_models import corrupt

    from edge_mnist.model_store import find_model

    rng = np.random.default_rng(3)
    content = find_model("pico").read_bytes()
    codes = set()
    for _ in range(12):
        (tmp_path / "damaged.tflite").write_bytes(corrupt(content, rng))
        options = ("--method", "occlusion", "--json")
        outcome = edge_mnist("explain", "damaged.tflite", seven, *options)
        codes.add(outcome.code)
        if outcome.code:
            assert "damaged.tflite" in outcome.error
        else:
            json.loads(outcome.out)
    assert codes == {0, 1}
