import dataclasses
import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

# On the CPU a seed fixes the weights to the bit; a GPU would not take part in that.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

collect_ignore_glob = [] if importlib.util.find_spec("tensorflow") else ["test_*.py"]

# What a device would run: NumPy, an interpreter, and nothing of this project.
BARE_PROGRAM = """
import importlib, json, sys
import numpy as np

module, model, images, answer = sys.argv[1:]
interpreter = importlib.import_module(module).Interpreter(model)
interpreter.allocate_tensors()
(source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
outputs = []
for image in np.load(images):
    interpreter.set_tensor(source["index"], image[None, ..., None])
    interpreter.invoke()
    outputs.append(interpreter.get_tensor(target["index"])[0])
np.savez(
    answer,
    outputs=outputs,
    input=[source["dtype"].__name__, *source["shape"]],
    output=[target["dtype"].__name__, *target["shape"]],
    quantization=target["quantization"],
    dtypes=[np.dtype(tensor["dtype"]).name for tensor in interpreter.get_tensor_details()],
)
assert not any(name.startswith("edge_mnist") for name in sys.modules)
"""


@pytest.fixture(scope="session")
def run_bare(tmp_path_factory):
    """Return a function that runs a .tflite in a process that knows nothing of edge-mnist."""
    from edge_mnist.engines import ENGINE_MODULES

    def run(content, images, engine):
        folder = tmp_path_factory.mktemp("bare")
        (folder / "model.tflite").write_bytes(content)
        np.save(folder / "images.npy", images)
        files = (folder / "model.tflite", folder / "images.npy", folder / "answer.npz")
        program = [sys.executable, "-I", "-c", BARE_PROGRAM, ENGINE_MODULES[engine], *files]
        process = subprocess.run(program, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr
        with np.load(folder / "answer.npz") as answer:
            return dict(answer)

    return run


@pytest.fixture(scope="session")
def digits(fewer_mnist):
    return fewer_mnist


@pytest.fixture(scope="session")
def trained(mnist, digits, tmp_path_factory):
    """The run folder of one epoch of the default recipe, and its model with fewer images."""
    from edge_mnist.quantization.export import open_source
    from edge_mnist.training.recipes import find_recipe
    from edge_mnist.training.run import train_run

    folder = tmp_path_factory.mktemp("runs") / "micro"
    config = dataclasses.replace(find_recipe("micro"), epochs=1, device="cpu")
    train_run(config, mnist, folder)
    return open_source(folder, None, lambda data, split: digits)


@pytest.fixture(scope="session")
def ptq(trained, tmp_path_factory):
    return _export(trained, tmp_path_factory, int8=True, method="ptq")


@pytest.fixture(scope="session")
def qat(trained, tmp_path_factory):
    return _export(trained, tmp_path_factory, int8=True, method="qat", qat_epochs=1)


@pytest.fixture(scope="session")
def floats(trained, tmp_path_factory):
    return _export(trained, tmp_path_factory, floats=("float32", "float16", "dynamic"))


@pytest.fixture(scope="session")
def exports(ptq, qat, floats):
    """Every kind of export, by its name."""
    return {"ptq": ptq["micro"], "qat": qat["micro"], **floats}


@pytest.fixture(scope="session")
def both_without_test(trained, tmp_path_factory):
    """The better of ptq and qat from data without test images, and what was said meanwhile."""
    blind = dataclasses.replace(trained, dataset=trained.dataset.without_test())
    said = []
    options = {"int8": True, "method": "both", "qat_epochs": 1}
    return _export(blind, tmp_path_factory, say=said.append, **options)["micro"], said


def _export(source, tmp_path_factory, say=lambda _: None, **options):
    from edge_mnist.quantization.config import ExportConfig
    from edge_mnist.quantization.export import export_model

    folder = tmp_path_factory.mktemp("exports")
    exports = export_model(source, ExportConfig(**options), folder=folder, say=say)
    return {export.card.name: export for export in exports}


@dataclasses.dataclass(frozen=True)
class Marked:
    """A network that reads a digit off the row that is marked, and images for it."""

    model: object
    images: object
    labels: object
    examples: object
    dataset: object


@pytest.fixture(scope="session")
def marked():
    import tf_keras

    from edge_mnist.dataset import Dataset, Examples

    labels = (np.arange(1000) % 10).astype(np.uint8)
    images = np.zeros((1000, 28, 28), np.uint8)
    images[np.arange(1000), labels] = 255  # the row of that number is white
    image = tf_keras.Input((28, 28, 1), name="image")
    logits = tf_keras.layers.Dense(10, name="logits")(tf_keras.layers.Flatten()(image))
    model = tf_keras.Model(image, logits, name="marked")
    weights = np.zeros((28, 28, 10), np.float32)
    weights[np.arange(10), :, np.arange(10)] = 0.25
    model.set_weights([weights.reshape(784, 10), np.zeros(10, np.float32)])
    examples = Examples(images, labels)
    return Marked(
        model, images, labels, examples, Dataset("marked", examples, examples, examples, "0" * 64)
    )
