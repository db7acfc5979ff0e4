import importlib
import sys
from importlib import metadata

import pytest

from edge_mnist import Classifier, engines
from edge_mnist.engines import installed_engines, read_version, resolve_engine
from edge_mnist.errors import InvalidInputError, MissingDependencyError, ModelError

INSTALL = (
    "pip install ai-edge-litert, or on Linux with Python up to 3.11: "
    "pip install 'tflite-runtime==2.14.0' 'numpy<2'"
)


@pytest.fixture
def install(monkeypatch):
    def pretend(*names):
        monkeypatch.setattr(engines, "is_installed", lambda engine: engine in names)

    return pretend


@pytest.fixture
def tensorflow_first(monkeypatch):
    """Make it look as if TensorFlow had been imported and tflite_runtime had not."""
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    monkeypatch.delitem(sys.modules, "tflite_runtime.interpreter", raising=False)


def test_installed_engines_come_with_their_versions():
    found = installed_engines()
    assert found
    assert found == {name: metadata.version(name) for name in found}


def test_version_that_the_package_tells_is_that_of_its_metadata(engine):
    assert read_version(engine) == installed_engines()[engine]


def test_engine_without_metadata_still_counts(monkeypatch, engine):
    def fail(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", fail)
    assert installed_engines()[engine] == "unknown version"


def test_engine_that_tells_no_version_has_an_unknown_one(monkeypatch, engine):
    package = importlib.import_module(engines.ENGINE_MODULES[engine].partition(".")[0])
    monkeypatch.delattr(package, "__version__")
    assert read_version(engine) == "unknown version"


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        (["tflite-runtime", "ai-edge-litert"], "tflite-runtime"),
        (["tflite-runtime"], "tflite-runtime"),
        (["ai-edge-litert"], "ai-edge-litert"),
    ],
)
def test_auto_takes_the_first_installed(install, monkeypatch, installed, chosen):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    install(*installed)
    assert resolve_engine() == resolve_engine("auto") == chosen
    for name in installed:
        assert resolve_engine(name) == name


def test_auto_avoids_the_engine_that_tensorflow_blocks(install, tensorflow_first):
    install("tflite-runtime", "ai-edge-litert")
    assert resolve_engine() == "ai-edge-litert"


def test_blocked_engine_tells_the_ways_out(install, tensorflow_first):
    install("tflite-runtime")
    with pytest.raises(ModelError) as error:
        Classifier.load()
    assert str(error.value).endswith(
        "tflite-runtime cannot run in a process that imported TensorFlow before it; "
        "load the model before importing TensorFlow, or use engine ai-edge-litert"
    )


def test_unknown_engine_is_answered_with_those_there_are():
    with pytest.raises(InvalidInputError) as error:
        resolve_engine("onnx")
    assert str(error.value) == (
        "unknown engine: expected auto, tflite-runtime, ai-edge-litert, got 'onnx'"
    )


@pytest.mark.parametrize(
    ("installed", "asked", "message"),
    [
        ([], "auto", "no engine to run models with: got none"),
        ([], "tflite-runtime", "tflite-runtime is not installed: got none"),
        (
            ["ai-edge-litert"],
            "tflite-runtime",
            "tflite-runtime is not installed: got ai-edge-litert",
        ),
    ],
)
def test_missing_engine_tells_how_to_get_one(install, installed, asked, message):
    install(*installed)
    for use in (resolve_engine, lambda engine: Classifier.load(engine=engine)):
        with pytest.raises(MissingDependencyError) as error:
            use(asked)
        assert str(error.value) == f"{message}; {INSTALL}"


def test_engine_that_cannot_be_imported_tells_how_to_get_one(monkeypatch, engine):
    # As tflite-runtime with NumPy 2.
    monkeypatch.setitem(sys.modules, engines.ENGINE_MODULES[engine], None)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with pytest.raises(MissingDependencyError) as error:
        Classifier.load(engine=engine)
    message = str(error.value)
    assert message.startswith(f"{engine} is installed but cannot be imported: got ")
    assert message.endswith(f"; {INSTALL}")


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_below_1_are_refused(engine, threads):
    with pytest.raises(InvalidInputError, match=f"^threads: expected at least 1, got {threads}$"):
        Classifier.load(engine=engine, threads=threads)


def test_more_threads_than_an_engine_can_count_are_refused(engine):
    with pytest.raises(InvalidInputError, match=r"^threads: expected .*, got 1000000000000$"):
        Classifier.load(engine=engine, threads=10**12)


def test_threads_reach_the_interpreter(fake_model):
    model = fake_model()
    Classifier(model.content, threads=3)
    assert model.threads == [3]


@pytest.mark.parametrize(
    ("has_delegate", "kernels"), [(True, "default delegate"), (False, "no delegate")]
)
def test_delegate_is_left_out_where_it_shall_be(fake_model, has_delegate, kernels):
    model = fake_model()
    Classifier(model.content, delegate=has_delegate)
    assert model.kernels == [kernels]
