import json

import numpy as np
import pytest

pytestmark = pytest.mark.train


@pytest.fixture
def marked(tensorflow, write_idx, tmp_path):
    """A .keras file of a network that reads a digit off the row that is white, and its data."""
    import tf_keras

    from edge_mnist.training.run import save_model

    labels = np.arange(400) % 10
    images = np.zeros((400, 28, 28), np.uint8)
    images[np.arange(400), labels] = 255
    image = tf_keras.Input((28, 28, 1))
    logits = tf_keras.layers.Dense(10)(tf_keras.layers.Flatten()(image))
    model = tf_keras.Model(image, logits, name="marked")
    weights = np.zeros((28, 28, 10), np.float32)
    weights[np.arange(10), :, np.arange(10)] = 0.25
    model.set_weights([weights.reshape(784, 10), np.zeros(10, np.float32)])
    save_model(model, tmp_path / "models" / "marked.keras")
    folder = write_idx("rows", train=(images, labels), t10k=(images[:100], labels[:100]))
    return tmp_path / "models" / "marked.keras", folder


def test_result_is_the_cards_as_json(trained, edge_mnist, tmp_path):
    options = ("--float32", "--float16", "--dynamic", "--name", "mine", "--out", tmp_path)
    outcome = edge_mnist("quantize", trained[0], *options, "--json")
    assert outcome.code == 0
    assert [card["name"] for card in outcome.json] == [
        "mine-float32",
        "mine-float16",
        "mine-dynamic",
    ]
    for card in outcome.json:
        assert card == json.loads((tmp_path / f"{card['name']}.json").read_text())
        assert card["size_bytes"] == (tmp_path / f"{card['name']}.tflite").stat().st_size
        assert (tmp_path / f"{card['name']}.md").exists()
    assert outcome.err.splitlines() == [
        f"converting to {name}" for name in ("float32", "float16", "dynamic")
    ]


@pytest.mark.parametrize("method", ["ptq", "qat", "both"])
def test_int8_export_is_told_to_people(method, marked, edge_mnist):
    path, data = marked
    options = ("--int8", "--method", method, "--qat-epochs", "1", "--data", data)
    outcome = edge_mnist("quantize", path, *options)
    assert outcome.code == 0, outcome.err
    header, row = outcome.out.splitlines()
    assert header.split("  ")[0] == "file"
    export = path.with_name("marked.tflite")
    cells = row.split("  ")
    assert cells[0] == str(export)
    assert f"{export.stat().st_size:,}" in cells[1]
    assert row.count("100.00 %") >= 3, "in Keras, exported, and each engine's agreement"
    assert json.loads(export.with_suffix(".json").read_text())["number_format"] == "int8"


def test_exports_of_a_run_stand_in_its_folder(marked, edge_mnist):
    path, data = marked
    run = path.parent
    path.rename(run / "model.keras")
    outcome = edge_mnist("quantize", run, "--float16", "--data", data)
    assert outcome.code == 0, outcome.err
    assert (run / "marked-float16.tflite").exists()


def test_export_that_is_too_large_leaves_the_old_one(trained, edge_mnist, tmp_path):
    old = tmp_path / "micro-float32.tflite"
    old.write_bytes(b"the old one")
    options = ("--float32", "--max-bytes", "5000", "--out", tmp_path)
    outcome = edge_mnist("quantize", trained[0], *options)
    assert outcome.error.startswith("the export is too large: expected at most 5,000 bytes, got ")
    assert outcome.error.endswith("; train a smaller architecture, or raise --max-bytes")
    assert outcome.out == ""
    assert old.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [old]
