import re

import pytest

from edge_mnist.engines import ENGINE_MODULES
from edge_mnist.model_store import find_model, shipped_models

ENGINES = [module.partition(".")[0] for module in ENGINE_MODULES.values()]


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)
def test_shipped_model_is_taken_apart(model, edge_mnist):
    told = edge_mnist("inspect", model.name, "--json").json
    (graph,) = told["graphs"]
    assert sum(told["parts"].values()) == told["size_bytes"] == model.card.size_bytes
    assert graph["multiply_adds"] == model.card.multiply_adds
    assert [operator["kind"] for operator in graph["operators"]] == model.card.operators
    for tensor in graph["tensors"]:
        channels = len(tensor["quantization"]["scale"])
        assert channels == 1 or channels == tensor["shape"][0]


def test_report_is_for_people_too(edge_mnist):
    outcome = edge_mnist("inspect", "micro")
    lines = outcome.out.splitlines()
    size = find_model("micro").stat().st_size
    assert lines[0].startswith(f"micro.tflite: {size:,} bytes, int8, ")
    assert "306,342 multiply-adds" in lines[0]
    header = next(line for line in lines if line.startswith("operator"))
    assert header.split()[:5] == ["operator", "in", "out", "shape", "type"]
    convolution = next(line for line in lines if line.startswith("conv_2d_1 ")).split()
    # 8 kernels of 5x5, each with a bias, at 12x12 places; bytes: int8 weights and int32 biases.
    assert convolution[-5:-1] == ["int8", "208", "232", "28,800"]
    (kernel,) = [line for line in lines if "  8x5x5x1  " in line]
    assert "8 channels (axis 0), scale " in kernel
    shares = re.findall(r"^(\w+) +[\d,]+ +([\d.]+) %$", outcome.out, re.MULTILINE)
    assert sum(float(share) for _, share in shares) == pytest.approx(100, abs=0.05)
    assert shares[0][0] == "weights"


def test_page_shows_what_is_printed(edge_mnist, pages):
    """After a model was made again: make docs-images."""
    assert edge_mnist("inspect", "micro").out in pages["inspect.md"]


def test_neither_an_engine_nor_tensorflow_is_needed(edge_mnist_process):
    without = [*ENGINES, "tensorflow", "tf_keras", "flatbuffers", "cv2", "matplotlib"]
    outcome = edge_mnist_process("inspect", "pico", "--json", without=without)
    assert outcome.code == 0, outcome.err
    assert outcome.json["size_bytes"] == find_model("pico").stat().st_size


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is too short: expected a .tflite file, got 0 bytes"),
        (b"hello " * 100, "it is not a .tflite file: expected TFL3 at byte 4, got "),
        (find_model("micro").read_bytes()[:4000], "it is damaged: expected "),
    ],
)
def test_other_files_are_one_line(content, told, edge_mnist, tmp_path):
    (tmp_path / "some.tflite").write_bytes(content)
    outcome = edge_mnist("inspect", "some.tflite")
    assert outcome.error.startswith(f"cannot inspect some.tflite: {told}")
    assert (outcome.out, len(outcome.err.splitlines())) == ("", 1)


@pytest.mark.parametrize("name", ["nothing", "."])
def test_missing_file_is_one_line(name, edge_mnist):
    error = edge_mnist("inspect", name).error
    assert error.startswith("cannot find the model: expected a file, or one of: ")


@pytest.mark.train
def test_graphs_that_others_call_are_told_one_by_one(edge_mnist, tensorflow, tmp_path):
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def double(start):
        body = lambda i, value: (i + 1, value * 2.0)  # noqa: E731
        return tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), start])[1]

    concrete = [double.get_concrete_function()]
    content = tf.lite.TFLiteConverter.from_concrete_functions(concrete).convert()
    (tmp_path / "loop.tflite").write_bytes(content)
    outcome = edge_mnist("inspect", "loop.tflite")
    assert outcome.code == 0
    assert "made by: MLIR Converted." in outcome.out
    assert "multiply-adds not counted: WHILE" in outcome.out
    assert re.findall(r"^graph (\d): ", outcome.out, re.MULTILINE) == ["0", "1", "2"]
    assert "  ?x4  " in outcome.out
    assert "  scalar  " in outcome.out
