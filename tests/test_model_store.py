import dataclasses
import shutil

import pytest

from edge_mnist import model_store
from edge_mnist.errors import ModelError
from edge_mnist.model_card import save_card
from edge_mnist.model_store import find_model, models_dir, shipped_models

MICRO = models_dir() / "micro.tflite"


@pytest.fixture
def store(monkeypatch, tmp_path):
    """Ship three models: small, middle and big."""
    folder = tmp_path / "models"
    folder.mkdir()
    card = shipped_models()[0].card
    for name, size_bytes in (("small", 10), ("big", 30), ("middle", 20)):
        (folder / f"{name}.tflite").write_bytes(bytes(size_bytes))
        save_card(dataclasses.replace(card, size_bytes=size_bytes), folder / f"{name}.tflite")
    monkeypatch.setattr(model_store, "models_dir", lambda: folder)
    return folder


def test_default_model_is_micro():
    assert find_model() == find_model("micro") == MICRO
    assert "micro" in [model.name for model in shipped_models()]


def test_shipped_models_come_smallest_first(store):
    assert [model.name for model in shipped_models()] == ["small", "middle", "big"]
    assert [model.path for model in shipped_models()] == [
        store / f"{name}.tflite" for name in ("small", "middle", "big")
    ]
    assert [model.card.size_bytes for model in shipped_models()] == [10, 20, 30]


def test_shipped_model_without_a_card_is_named(store):
    (store / "big.json").unlink()
    with pytest.raises(ModelError) as error:
        shipped_models()
    assert str(error.value) == (
        f"the shipped model {store / 'big.tflite'} has no card; reinstall edge-mnist"
    )


def test_models_are_found_by_path(tmp_path, monkeypatch):
    path = tmp_path / "mine.tflite"
    shutil.copy(MICRO, path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert find_model(path) == find_model(str(path)) == path
    assert find_model("~/mine.tflite") == path
    assert find_model("mine.tflite").resolve() == path.resolve()


def test_shipped_name_comes_before_a_file_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "micro").touch()
    monkeypatch.chdir(tmp_path)
    assert find_model("micro") == MICRO


def test_path_is_never_taken_for_a_name(tmp_path, monkeypatch):
    for name in ("micro", "mine", "mine.tflite"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert find_model("./micro").resolve() == (tmp_path / "micro").resolve()
    assert find_model(str(tmp_path / "mine")) == tmp_path / "mine"


@pytest.mark.parametrize(
    ("name", "got"), [("nano", "'nano'"), ("", "'' (a folder)"), (".", "'.' (a folder)")]
)
def test_unknown_model_is_answered_with_those_there_are(store, name, got):
    with pytest.raises(ModelError) as error:
        find_model(name)
    assert str(error.value) == (
        f"cannot find the model: expected a file, or one of: big, middle, small, got {got}"
    )
