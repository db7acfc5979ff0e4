import ast
import dataclasses
import io
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from board import engine_package, make_bare_python

import edge_mnist
from edge_mnist.bench import landing, pack_main, remote_main
from edge_mnist.bench.inputs import find_images
from edge_mnist.bench.pack import PACK_NAME, pack_benchmark
from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.remote_main import read_request, write_request
from edge_mnist.bench.report import from_json
from edge_mnist.bench.request import BenchRequest
from edge_mnist.errors import InvalidInputError
from edge_mnist.model_store import find_model

QUICK = Protocol(duration_s=0.02, warmup_window_s=0.001, cold_starts=1)
REQUEST = BenchRequest(("my model",), delegates=(True,), protocol=QUICK)

# What the core's packages need as they are installed here, and the packed benchmark does not.
ABSENT = ("typer", "rich", "platformdirs", "cv2", "tensorflow", "matplotlib", "edge_mnist")


@pytest.fixture
def order(tmp_path):
    """A folder with the packed benchmark, a request, images and a model."""
    folder = tmp_path / "an order"
    folder.mkdir()
    images, inputs = find_images()
    (folder / PACK_NAME).write_bytes(pack_benchmark())
    (folder / "request.json").write_text(write_request(REQUEST, {"my model": "0.tflite"}, inputs))
    np.save(folder / "images.npy", images)
    shutil.copy(find_model(), folder / "0.tflite")
    return folder


def run(order, tmp_path, *arguments, python=sys.executable):
    """Run the packed benchmark from an empty folder, with an empty environment."""
    for name in ("empty", "temporary"):
        (tmp_path / name).mkdir()
    done = subprocess.run(
        [python, "-I", order / PACK_NAME, *arguments],
        cwd=tmp_path / "empty",
        env={"TMPDIR": str(tmp_path / "temporary")},
        capture_output=True,
        text=True,
        check=False,
    )
    for name in ("empty", "temporary"):
        assert not list((tmp_path / name).iterdir())
    return done


def test_packed_benchmark_needs_numpy_and_an_engine_alone(order, tmp_path):
    python, _ = make_bare_python(tmp_path / "bare", "numpy", engine_package())
    find = "import importlib.util as u, sys; print([x for x in sys.argv[1:] if u.find_spec(x)])"
    found = subprocess.run(
        [python, "-I", "-c", find, *ABSENT], capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"
    before = sorted(order.iterdir())
    done = run(order, tmp_path, order / "request.json", python=python)
    assert done.returncode == 0, done.stderr
    report = from_json(done.stdout)
    (row,) = report.rows
    assert row.error is None
    assert row.setting.engine.replace("-", "_") == engine_package()
    assert row.latency["invoke"].p50_us > 0
    assert row.cold_start_ms > 1
    assert "round 1 of" in done.stderr
    assert sorted(order.iterdir()) == before


def test_packed_benchmark_says_how_it_is_used(order, tmp_path):
    done = run(order, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Usage: python3 {PACK_NAME} request.json\n"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("request.json", b"{}", "cannot read the request: got KeyError: 'request'"),
        ("request.json", b"\xff", "cannot read the request: got UnicodeDecodeError: "),
        ("request.json", None, "[Errno 2] No such file or directory: "),
        ("images.npy", b"no array", "cannot read the images: got ValueError: "),
        ("images.npy", None, "[Errno 2] No such file or directory: "),
    ],
)
def test_order_that_cannot_be_read_is_one_line(order, tmp_path, name, content, reason):
    (order / name).unlink()
    if content is not None:
        (order / name).write_bytes(content)
    done = run(order, tmp_path, order / "request.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(reason)
    assert done.stderr.count("\n") == 1


def test_pack_holds_the_light_core_as_it_is_installed():
    package = Path(edge_mnist.__file__).parent
    with zipfile.ZipFile(io.BytesIO(pack_benchmark())) as packed:
        names = set(packed.namelist())
        assert packed.read("edge_mnist/runtime.py") == (package / "runtime.py").read_bytes()
    assert {"__main__.py", "edge_mnist/runtime.py", "edge_mnist/bench/worker.py"} <= names
    folders = {str(Path(name).parent) for name in names}
    assert folders == {".", "edge_mnist", "edge_mnist/bench"}
    assert "edge_mnist/__main__.py" not in names


def test_same_modules_make_the_same_pack():
    assert pack_benchmark() == pack_benchmark()


@pytest.mark.parametrize(("module", "oldest"), [(pack_main, (3, 7)), (landing, (3, 4))])
def test_old_pythons_can_read_what_tells_them_that_they_are_old(module, oldest):
    ast.parse(Path(module.__file__).read_text(), feature_version=oldest)


@pytest.mark.parametrize("version", [(3, 7, 16), (3, 9, 18)])
def test_old_python_is_told(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    assert pack_main.find_lack().startswith(
        "this Python is too old: expected 3.10 or newer, got " + ".".join(map(str, version))
    )


def test_this_python_lacks_nothing():
    assert pack_main.find_lack() == ""


def test_request_is_read_as_it_was_written():
    request = BenchRequest(
        ("micro", "a/ä.tflite"),
        engines=("auto", "tflite-runtime"),
        threads=(1, 4),
        delegates=(False,),
        protocol=dataclasses.replace(QUICK, rounds=30),
    )
    files = {"micro": "0.tflite", "a/ä.tflite": "1.tflite"}
    assert read_request(write_request(request, files, "drawn")) == (request, files, "drawn")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"request": {"models": []}, "inputs": ""}'])
def test_request_that_is_none_is_refused(text):
    with pytest.raises(InvalidInputError, match=r"^cannot read the request: got "):
        read_request(text)


def test_termination_leaves_by_way_of_all_that_clears_up(monkeypatch, tmp_path):
    left = []

    def measure(*_arguments, **_options):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            left.append("workers and folders")

    monkeypatch.setattr(remote_main, "run_bench", measure)
    text = write_request(REQUEST, {"my model": "0.tflite"}, "drawn digits")
    (tmp_path / "request.json").write_text(text)
    np.save(tmp_path / "images.npy", find_images()[0])
    with pytest.raises(SystemExit, match="143"):
        remote_main.main([str(tmp_path / "request.json")])
    assert left == ["workers and folders"]
