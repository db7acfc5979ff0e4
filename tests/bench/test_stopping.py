import os
import signal
import subprocess
import sys
import threading

import pytest

from edge_mnist.bench.stopping import signals_held, stopping_in_order

PROGRAM = """
import signal, sys, tempfile, time
from edge_mnist.bench.stopping import stopping_in_order

# What started the tests may have it ignored, as nohup does.
signal.signal(signal.Signals[sys.argv[1]], signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
with stopping_in_order(), tempfile.TemporaryDirectory() as folder:
    try:
        print(folder, flush=True)
        time.sleep(60)
    finally:
        signal.raise_signal(signal.SIGTERM)  # a second one, in the midst of clearing up
        time.sleep(0.1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to send")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_temporary_folders_go_whatever_signals_come(name):
    command = [sys.executable, "-c", PROGRAM, name]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as process:
        folder = process.stdout.readline().strip()
        assert os.path.isdir(folder)
        process.send_signal(getattr(signal, name))
        errors = process.stderr.read()
    assert not os.path.exists(folder)
    if name == "SIGINT":
        assert errors.endswith("KeyboardInterrupt\n")
    else:
        assert (process.returncode, errors) == (128 + getattr(signal, name), "")


def test_handlers_are_as_before_after_it():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with stopping_in_order():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_what_is_ignored_stays_ignored(monkeypatch):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stopping_in_order():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to send")
def test_signal_waits_for_what_must_not_be_cut_off():
    done = []

    def work():
        with stopping_in_order():
            with signals_held():
                signal.raise_signal(signal.SIGTERM)
                signal.raise_signal(signal.SIGINT)
                done.append("all of it")
            done.append("what comes after")

    with pytest.raises(SystemExit, match="143"):
        work()
    assert done == ["all of it"]


def test_thread_runs_without_it():
    done = []

    def work():
        with stopping_in_order(), signals_held():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
