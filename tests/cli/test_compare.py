from pathlib import Path

import pytest

from edge_mnist.inspection import inspect_model
from edge_mnist.model_store import find_model

pytestmark = pytest.mark.train


def test_run_and_its_int8_model_are_compared(quantized, edge_mnist):
    folder, path = quantized
    outcome = edge_mnist("compare", folder, path, "--data", "optdigits", "--out", "kept", "--json")
    assert outcome.code == 0, outcome.err
    readings, layers = outcome.json["readings"], outcome.json["layers"]
    assert readings["agreement"] > 0.95
    assert 0 < readings["p_value"] <= 1
    assert len(readings["disagreements"]) == round((1 - readings["agreement"]) * readings["images"])
    assert [layer["number"] for layer in layers] == list(range(1, len(layers) + 1))
    # Eight bits are 48 dB for a signal that fills them, and noise adds up.
    assert all(10 < layer["sqnr_db"] < 55 for layer in layers)
    assert all(0 < layer["used_codes"] <= 1.01 for layer in layers)
    assert "costs most" in outcome.json["advice"]
    for name in ("layers.png", "disagreements.png"):
        assert Path("kept", name).read_bytes().startswith(b"\x89PNG")


def test_table_is_for_people(quantized, edge_mnist):
    folder, path = quantized
    outcome = edge_mnist("compare", folder, path, "--data", "optdigits")
    assert "read the same" in outcome.out
    assert "McNemar's exact test" in outcome.out
    assert outcome.out.splitlines()[-1].startswith("layer ")


def test_float_tflite_is_compared_too_and_with_itself_is_the_same(quantized, edge_mnist, tmp_path):
    from edge_mnist.comparison.peers import write_twin

    twin = write_twin(find_model("pico").read_bytes(), tmp_path / "twin") / "twin.tflite"
    result = edge_mnist("compare", twin, "pico", "--data", "optdigits", "--json").json
    assert result["readings"]["agreement"] > 0.98
    # The twin's weights are the int8 model's own.
    assert all(layer["weights_sqnr_db"] > 60 for layer in result["layers"])
    assert [layer["name"] for layer in result["layers"]] == [
        operator.layer
        for operator in inspect_model(find_model("pico").read_bytes()).graphs[0].operators
        if operator.multiply_adds
    ]


def test_what_is_no_pair_is_refused(quantized, edge_mnist):
    folder, path = quantized
    for pair, got in (((path, path), "int8 for the float32 one"), (("pico", path), "int8 for")):
        error = edge_mnist("compare", *pair, "--data", "optdigits").error
        assert error.startswith("cannot compare these models: expected a float32 one, and the int8")
        assert got in error
    error = edge_mnist("compare", folder, "large", "--data", "optdigits").error
    assert error.startswith("these are not the same network: expected layers of ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing", "micro"], "cannot find the model: expected a file, or one of: "),
        (["micro", "nothing"], "cannot find the model: expected a file, or one of: "),
        (["pico", "pico", "--engine", "cpu"], "unknown engine: expected auto, "),
    ],
)
def test_wrong_models_are_answered(arguments, told, edge_mnist):
    outcome = edge_mnist("compare", *arguments, "--data", "optdigits")
    assert outcome.error.startswith(told)
