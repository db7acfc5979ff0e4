import shutil

import pytest
from board import HOST, error_of, running_board

import edge_mnist
from edge_mnist.bench.inputs import find_images
from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.remote import run_remote
from edge_mnist.bench.request import BenchRequest
from edge_mnist.errors import ModelError
from edge_mnist.model_store import find_model

QUICK = Protocol(duration_s=0.02, warmup_window_s=0.001, cold_starts=1)


@pytest.fixture
def board(tmp_path):
    with running_board(tmp_path) as board:
        yield board


def test_models_are_measured_there_and_nothing_is_left(board, tmp_path):
    mine = tmp_path / 'my "own" model.tflite'
    shutil.copy(find_model("pico"), mine)
    request = BenchRequest(
        ("micro", str(mine), "absent"), engines=("auto",), delegates=(True,), protocol=QUICK
    )
    images, inputs = find_images()
    lines = []
    report = run_remote(HOST, request, images, inputs, lines.append, ssh_options=board.options)
    assert [row.model for row in report.rows] == ["absent", "micro", str(mine)]
    absent, *measured = report.rows
    assert absent.error.startswith("cannot find the model: ")
    assert [row.error for row in measured] == [None, None]
    assert all(row.latency["invoke"].p50_us > 0 for row in measured)
    assert measured[1].baseline == ("micro", measured[0].runner)
    facts = {model.name: model.size_bytes for model in report.models}
    assert facts == {
        "micro": find_model("micro").stat().st_size,
        str(mine): mine.stat().st_size,
    }
    assert (report.inputs, report.protocol) == (inputs, QUICK)
    assert report.edge_mnist == edge_mnist.__version__
    assert any("micro" in line for line in lines)
    assert any(str(mine) in line for line in lines)
    assert not list(board.temporary.iterdir())


def test_models_that_are_all_absent_are_an_error_before_anything_is_sent():
    request = BenchRequest(("absent", "gone"), protocol=QUICK)
    call = lambda: run_remote(HOST, request, *find_images(), print)  # noqa: E731
    assert "got 'absent'" in error_of(call, ModelError)


def test_result_that_is_none_is_refused(board, monkeypatch):
    monkeypatch.setattr("edge_mnist.bench.remote.pack_benchmark", lambda: b"print('rubbish')")
    request = BenchRequest(("micro",), protocol=QUICK)
    call = lambda: run_remote(  # noqa: E731
        HOST, request, *find_images(), print, ssh_options=board.options
    )
    assert error_of(call).startswith(
        "board gave no result that can be read: got cannot read the benchmark: "
    )


def bench_there(board):
    request = BenchRequest(("micro",), protocol=QUICK)
    return lambda: run_remote(HOST, request, *find_images(), print, ssh_options=board.options)


def test_host_without_numpy_is_told(board):
    python, _ = board.install_bare_python()
    message = error_of(bench_there(board))
    assert message.startswith(f"board: NumPy is not installed for {python}; python3 -m pip install")
    assert board.is_clean()


def test_host_without_engine_is_told(board):
    board.install_bare_python("numpy")
    message = error_of(bench_there(board))
    assert message.startswith("board: no engine is installed for ")
    assert "'tflite-runtime==2.14.0' 'numpy<2'" in message


OLD = """
import sys
class Version(tuple):
    major, minor, micro = 3, 7, 16
sys.version_info = Version((3, 7, 16, "final", 0))
"""


def test_host_with_an_old_python_is_told(board):
    python, packages = board.install_bare_python()
    (packages / "sitecustomize.py").write_text(OLD)
    assert error_of(bench_there(board)) == (
        "board: this Python is too old: expected 3.10 or newer, got 3.7.16 "
        f"({python}); install a newer one and put it first on the PATH as python3"
    )
