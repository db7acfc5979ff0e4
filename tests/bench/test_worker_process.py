import sys
import time
from pathlib import Path

import pytest

from edge_mnist.bench.worker_process import Worker
from edge_mnist.errors import ModelError

# A worker's module, whose load does what the test wants.
MODULE = """
import os, sys, tempfile, time
from edge_mnist.bench.worker import Loaded, Start, serve
from edge_mnist.errors import ModelError

def main(how):
    def load():
        if how == "refuse":
            raise ModelError("the engine refuses it")
        if how == "crash":
            os.abort()
        if how == "odd signal":
            os.kill(os.getpid(), 40)
        if how == "die":
            sys.exit("no such library")
        if how == "hang":
            time.sleep(60)
        if how == "litter":
            left = tempfile.mkstemp()[1]
            return Loaded({}, lambda: [left], Start("1.0", 1.0, 2.0, time.time(), 0, 0))
        print("a library's chatter")
        calls = {"nap": nap, "fail": fail, "crash": lambda run: os.abort()}
        return Loaded(calls, lambda: [1, 2], Start("1.0", 1.0, 2.0, time.time(), 1 << 20, 1 << 20))
    serve(load)

def nap(run):
    time.sleep(0.001)

def fail(run):
    raise RuntimeError("bad kernel")
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Return a function that starts a worker that behaves in some way."""
    (tmp_path / "odd_worker.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def run(how, **options):
        return Worker("odd_worker", how, **options)

    return run


def test_tells_how_it_started(start):
    before = time.time()
    with start("well") as worker:
        assert worker.start.version == "1.0"
        assert 0 < worker.cold_start_ms <= (time.time() - before) * 1000
        assert worker.anatomy is None


def test_measures_what_it_is_asked(start):
    with start("well") as worker:
        block = worker.ask("time", call="nap", duration_s=0.02, min_runs=3)
        assert block["p50_us"] >= 1000
        worker.ask("time", call="nap", duration_s=0.02, min_runs=3)
        stats = worker.ask("summarize", call="nap")
        assert stats["runs"] >= 6
        assert stats["min_us"] >= 1000
        assert worker.ask("read") == {"digits": [1, 2]}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("refuse", "^the engine refuses it$"),
        ("crash", "^the model crashes the process: got SIGABRT"),
        ("odd signal", "^the model crashes the process: got signal 40 in its own"),
        ("die", "^no such library$"),
    ],
)
def test_start_that_fails_is_told(start, how, message):
    with pytest.raises(ModelError, match=message):
        start(how)


def test_start_that_hangs_is_ended(start):
    with pytest.raises(ModelError, match="does not come to an end: expected an answer within 1 s"):
        start("hang", timeout_s=1)


def test_failing_run_leaves_the_rest_usable(start):
    with start("well") as worker:
        with pytest.raises(ModelError, match=r"^bad kernel$"):
            worker.ask("time", call="fail", duration_s=0.02, min_runs=1)
        assert worker.ask("read") == {"digits": [1, 2]}


def test_crash_midway_is_told(start):
    with start("well") as worker, pytest.raises(ModelError, match="crashes the process"):
        worker.ask("time", call="crash", duration_s=0.02, min_runs=1)


def test_temporary_files_that_it_left_go_with_it(start, tmp_path):
    with start("litter") as worker:
        left = Path(worker.ask("read")["digits"][0])
        assert left.is_file()
    assert not left.parent.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Linux and macOS list processes with ps")
def test_leaves_no_process_behind(start):
    with start("well") as worker:
        process = worker._process
    assert process.poll() is not None
