import sys
from importlib import metadata

import pytest

from edge_mnist.comparison import peers
from edge_mnist.comparison.peers import PEERS, find_peer, installed_peers, load_peer, write_twin
from edge_mnist.errors import InvalidInputError, MissingDependencyError, ModelError


def test_asking_for_peers_imports_none(run_fresh):
    program = "from edge_mnist.comparison import peers; peers.installed_peers()"
    assert run_fresh(program) == [""]


def test_installed_peers_tell_their_versions():
    for name, version in installed_peers().items():
        assert version == metadata.version(find_peer(name).package)


def test_package_that_is_not_installed_is_no_peer(monkeypatch):
    find_spec = peers.importlib.util.find_spec
    absent = {"tf_keras", "cv2"}
    monkeypatch.setattr(
        peers.importlib.util, "find_spec", lambda name: None if name in absent else find_spec(name)
    )
    assert set(installed_peers()) <= {"onnxruntime"}


def test_version_is_that_of_whatever_brings_the_module(monkeypatch):
    def version(package):
        if package != "opencv-contrib-python":
            raise metadata.PackageNotFoundError(package)
        return "4.9"

    monkeypatch.setattr(peers.metadata, "version", version)
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: name)
    assert installed_peers()["opencv dnn"] == "4.9"
    assert installed_peers()["onnxruntime"] == "unknown version"


def test_unknown_peer_is_answered_with_the_choices():
    expected = "unknown peer: expected keras predict, keras call, .*, opencv dnn, got 'torch'"
    with pytest.raises(InvalidInputError, match=expected):
        load_peer("torch", None)


@pytest.mark.parametrize("name", [peer.name for peer in PEERS])
def test_absent_file_is_answered_with_what_makes_it(name, tmp_path):
    expected = r"there is no twin\.\w+; .* pip install 'edge-mnist\[compare\]'"
    with pytest.raises(MissingDependencyError, match=expected):
        load_peer(name, tmp_path)


def test_without_tensorflow_there_is_no_twin(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "edge_mnist.comparison.twin", None)
    monkeypatch.delattr("edge_mnist.comparison.twin", raising=False)
    expected = r"cannot be made: got .*; .* pip install 'edge-mnist\[compare\]'"
    with pytest.raises(MissingDependencyError, match=expected):
        write_twin(b"", tmp_path)


@pytest.mark.parametrize(
    ("name", "module"), [("onnxruntime", "onnxruntime"), ("opencv dnn", "cv2")]
)
def test_package_that_cannot_be_imported_is_answered_with_the_command(
    name, module, monkeypatch, tmp_path
):
    (tmp_path / "twin.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, module, None)
    expected = rf"{name} cannot be imported: .*pip install 'edge-mnist\[compare\]'"
    with pytest.raises(MissingDependencyError, match=expected):
        load_peer(name, tmp_path)


@pytest.mark.parametrize("name", installed_peers())
def test_damaged_file_is_an_error_of_one_line(name, tmp_path):
    (tmp_path / find_peer(name).file).write_bytes(b"damaged")
    with pytest.raises(ModelError, match=f"^{name} cannot load the network: got [^\n]+$"):
        load_peer(name, tmp_path)
