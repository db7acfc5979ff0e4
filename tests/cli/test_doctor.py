import re

import pytest

from edge_mnist import __version__
from edge_mnist.engines import ENGINE_MODULES, installed_engines
from edge_mnist.mnist_files import DATA_ENV

ENGINE_PACKAGES = [module.partition(".")[0] for module in ENGINE_MODULES.values()]


def by_subject(outcome):
    return {finding["subject"]: finding for finding in outcome.json}


def test_here_all_that_is_needed_works(edge_mnist_process):
    outcome = edge_mnist_process("doctor", "--json")
    findings = by_subject(outcome)
    assert outcome.code == 0
    assert outcome.err == ""
    for engine, version in installed_engines().items():
        assert findings[engine]["is_well"]
        assert findings[engine]["found"].startswith(version)
    assert findings["engine"]["is_well"]
    assert findings["model micro"]["is_well"]
    assert {"MNIST", "TensorFlow", "OpenCV"} <= set(findings)
    for finding in findings.values():
        assert finding["is_well"] or finding["remedy"], finding


def test_table_ends_with_a_remedy_for_each_thing_that_is_missing(edge_mnist_process):
    outcome = edge_mnist_process("doctor", without=["tensorflow", "tf_keras", "cv2"])
    assert outcome.code == 0, "digits can be read without them"
    table, remedies = outcome.out.split("\nRemedies:\n")
    assert f"edge-mnist {__version__}" in table.splitlines()[0]
    found = re.findall(r"^(ok|missing|FAIL) +(.+?)  ", table, re.MULTILINE)
    states = {subject: state for state, subject in found}
    assert states["engine"] == "ok"
    assert states["TensorFlow"] == states["OpenCV"] == "missing"
    assert "TensorFlow: pip install 'edge-mnist[train]'" in remedies
    assert "OpenCV: pip install 'edge-mnist[vision]'" in remedies


def test_no_engine_is_a_failure(edge_mnist_process):
    outcome = edge_mnist_process("doctor", without=[*ENGINE_PACKAGES, "tensorflow", "cv2"])
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    assert "FAIL" in outcome.out
    assert "engine: pip install ai-edge-litert" in outcome.out


@pytest.mark.parametrize("content", [b"", b"damaged"], ids=["empty", "damaged"])
def test_damaged_data_is_named(content, edge_mnist_process, tmp_path):
    path = tmp_path / "data" / "train-images-idx3-ubyte"
    path.parent.mkdir()
    path.write_bytes(content)
    outcome = edge_mnist_process(
        "doctor", "--json", without=["tensorflow", "cv2"], env={DATA_ENV: str(path.parent)}
    )
    finding = by_subject(outcome)["MNIST"]
    assert outcome.code == 0, "reading digits works without MNIST"
    assert not finding["is_well"]
    assert str(path) in finding["found"]
    assert "delete" in finding["remedy"]
