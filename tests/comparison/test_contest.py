import numpy as np
import pytest

from edge_mnist.bench.inputs import find_images
from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.request import BenchRequest
from edge_mnist.bench.worker import COPIED
from edge_mnist.engines import installed_engines
from edge_mnist.errors import ModelError

contest = pytest.importorskip("edge_mnist.comparison.contest", exc_type=ImportError)
pytestmark = pytest.mark.train

# Starting TensorFlow is what takes long here; two peers that do without it and one that does not.
PEERS = ("keras call", "onnxruntime", "opencv dnn")
QUICK = Protocol(duration_s=0.02, min_runs=6, rounds=6, cold_starts=1)


@pytest.fixture(scope="module")
def found():
    """The report on a shipped model and one that is not there, and what was said."""
    said = []
    installed = {
        name: version for name, version in contest.installed_peers().items() if name in PEERS
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contest, "installed_peers", lambda: installed)
        request = BenchRequest(("pico", "giant"), delegates=(True,), protocol=QUICK)
        images, inputs = find_images()
        return contest.run_comparison(request, images, inputs, said.append), said, installed


def test_model_its_float_twin_and_peers_take_turns(found):
    report, _, installed = found
    engines = list(installed_engines())
    measured = [row.key for row in report.rows if row.error is None]
    assert measured == [
        *(("pico", engine) for engine in engines),
        *(("pico (float32)", runner) for runner in (*engines, *installed)),
    ]
    first, *others = (row for row in report.rows if row.error is None)
    assert all(row.baseline == first.key for row in others)
    assert all(row.ratios[COPIED].ratio > 0 for row in others)


def test_all_run_the_same_network(found):
    report, _, _ = found
    # float32 and int8 of one network differ in few digits.
    assert all(row.agreement > 0.97 for row in report.rows if row.error is None)
    model, twin = report.models
    assert (model.anatomy.number_format, twin.anatomy.number_format) == ("int8", "float32")
    assert model.anatomy.multiply_adds == twin.anatomy.multiply_adds
    assert model.anatomy.parameters == twin.anatomy.parameters


def test_what_is_not_installed_is_said_and_left_out(found):
    _, said, installed = found
    absent = [peer.name for peer in contest.PEERS if peer.name not in installed]
    assert absent
    for name in absent:
        assert any(line.startswith(f"{name} is not installed and left out: pip") for line in said)


def test_model_that_is_not_there_has_a_row(found):
    report, _, _ = found
    (row,) = (row for row in report.rows if row.model == "giant")
    assert "cannot find the model" in row.error


def test_network_that_cannot_be_rebuilt_has_a_row_and_the_model_is_measured(monkeypatch):
    def refuse(content, folder):
        raise ModelError("the model cannot be rebuilt: an operator")

    monkeypatch.setattr(contest, "write_twin", refuse)
    request = BenchRequest(("pico",), delegates=(True,), protocol=QUICK)
    report = contest.run_comparison(request, *find_images(), lambda line: None)
    failed, *others = report.rows
    assert (failed.model, failed.error) == (
        "pico (float32)",
        "the model cannot be rebuilt: an operator",
    )
    assert [row.key for row in others] == [("pico", engine) for engine in installed_engines()]
    assert not report.is_complete


def test_picture_is_drawn(found, tmp_path):
    contest.draw_report(found[0], tmp_path / "compare.png")
    cv2 = pytest.importorskip("cv2")
    picture = cv2.imread(str(tmp_path / "compare.png"))
    assert picture.shape[1] > 600
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
