import shutil

import pytest

pytest.importorskip("cv2")

from edge_mnist import model_store
from edge_mnist.errors import ModelError
from edge_mnist.vision import own_models
from edge_mnist.vision.line_reader import LineReader
from edge_mnist.vision.own_models import own_model_path
from edge_mnist.vision.pairs import PairReader
from edge_mnist.vision.reader import Reader

MODELS = {"pairs": ("touching digits", PairReader), "lines": ("whole numbers", LineReader)}
each_model = pytest.mark.parametrize("name", MODELS)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A copy of the models and their cards, which the reader takes for those that ship."""
    folder = tmp_path / "vision"
    shutil.copytree(own_model_path("pairs").parent, folder)
    monkeypatch.setattr(own_models, "models_dir", lambda: tmp_path)
    return folder


@each_model
def test_reader_needs_the_model(name, files, classifier):
    (files / f"{name}.tflite").unlink()
    what, _ = MODELS[name]
    with pytest.raises(ModelError, match=rf"{what} .*{name}\.tflite.*; reinstall"):
        Reader(classifier)


@pytest.mark.parametrize("text", ["", "{}", '{"sha256": "ab", "temperature": null}'])
@each_model
def test_damaged_card_is_refused(name, text, files):
    (files / f"{name}.json").write_text(text)
    with pytest.raises(ModelError, match="reinstall edge-mnist"):
        MODELS[name][1].load()


@each_model
def test_damaged_model_is_refused(name, files):
    path = files / f"{name}.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"not the file that its card describes.*reinstall"):
        MODELS[name][1].load()


@each_model
def test_family_does_not_list_it(name):
    assert name not in [model.name for model in model_store.shipped_models()]
