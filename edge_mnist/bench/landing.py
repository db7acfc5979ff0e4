"""What ssh starts on another machine: it takes files, runs one of them, and removes them again.

This file is sent as text and runs alone in whatever `python3` is there, so it imports nothing of
edge-mnist, and Pythons from 3.4 on can read it: one that is too old shall be told so, in words.

It answers on stdout with lines of a marker and JSON, since a login shell may print lines of its
own. stdin is its lifeline: whoever started it sends a byte now and then, and when that ends, for
whatever reason, the benchmark is stopped and its folder removed.
"""

import contextlib
import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

OLDEST_PYTHON = (3, 10)
ENGINE_PACKAGES = ("tflite_runtime", "ai_edge_litert")
END_TIMEOUT_S = 3
STOP_SIGNALS = ("SIGHUP", "SIGINT", "SIGTERM")


def main() -> None:
    """Take an order and files from stdin, and carry it out.

    The order is a line of JSON: the marker, how many seconds of silence mean that nobody is there
    any more, the arguments that Python is given, and names and sizes of the files, whose bytes
    follow.
    """
    order = json.loads(sys.stdin.buffer.readline().decode("ascii"))
    _tell(order["marker"], {"landed": True})
    files = [(name, sys.stdin.buffer.read(size)) for name, size in order["files"]]
    if [len(content) for _, content in files] != [size for _, size in order["files"]]:
        return  # the connection was lost already
    try:
        answer = _carry_out(order, files)
    except SystemExit:
        os._exit(1)  # at once: leaving in the usual way would wait for someone to read stdout
    _tell(order["marker"], answer)


def find_python() -> str:
    """Return the Python to use: this one, or that of an installed edge-mnist if this has no engine.

    Tools like pipx install a command with an environment of its own, and systems such as Raspberry
    Pi OS ask for that. The command's first line names its Python.
    """
    if sys.version_info >= OLDEST_PYTHON and _has_engine():
        return sys.executable
    places = os.environ.get("PATH", os.defpath), os.path.expanduser("~/.local/bin")
    command = shutil.which("edge-mnist", path=os.pathsep.join(places))
    if command is None:
        return sys.executable
    with open(command, "rb") as file:
        python = file.readline().decode("utf-8", "replace").replace("#!", "").strip()
    is_python = os.path.basename(python).startswith("python") and os.path.isfile(python)
    return python if is_python else sys.executable


def _carry_out(order: dict, files: list) -> dict:  # type: ignore[type-arg]
    """Run the command with its files in a folder of its own; return the last answer."""
    folder = ""
    for name in STOP_SIGNALS:
        signal.signal(getattr(signal, name), _stop)
    try:
        # The name is known before the folder is there, so that there is no moment at which it is
        # there and would not be removed.
        folder = os.path.join(tempfile.gettempdir(), "edge-mnist-" + os.urandom(8).hex())
        _write_files(folder, files)
        return _run(folder, order)
    except OSError as exc:
        return {"ended": 1, "output": "", "last": "nothing can be run there: " + str(exc)}
    finally:
        _ignore_signals()
        shutil.rmtree(folder, ignore_errors=True)


def _has_engine() -> bool:
    has_numpy = importlib.util.find_spec("numpy") is not None
    return has_numpy and any(importlib.util.find_spec(name) for name in ENGINE_PACKAGES)


def _write_files(folder: str, files: list) -> None:  # type: ignore[type-arg]
    os.mkdir(folder, 0o700)
    for name, content in files:
        path = os.path.join(folder, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)


def _run(folder: str, order: dict) -> dict:  # type: ignore[type-arg]
    """Run the command in the folder; tell each line of its stderr at once, return the rest."""
    output = os.path.join(folder, "output")
    with open(output, "wb") as file:
        process = subprocess.Popen(
            [find_python()] + order["arguments"],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.PIPE,
            cwd=folder,
            # What it leaves behind in temporary files goes with the folder.
            env=dict(os.environ, TMPDIR=folder),
            start_new_session=True,  # so that all that it starts can be stopped with it
        )
    try:
        _watch_stdin(order["silence_s"])
        last = ""
        for line in process.stderr or ():
            text = line.decode("utf-8", "replace").strip()
            last = text or last
            _tell(order["marker"], {"say": text})
        ended = process.wait()
    finally:
        _end_group(process)
    with open(output, "rb") as file:
        told = file.read().decode("utf-8", "replace")
    return {"ended": ended, "output": told, "last": last}


def _end_group(process: subprocess.Popen) -> None:  # type: ignore[type-arg]
    """End the command and what it started; it has a moment to end what has left its group."""
    with contextlib.suppress(OSError):  # all of it has ended
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_TIMEOUT_S)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tell(marker: str, answer: dict) -> None:  # type: ignore[type-arg]
    """Write an answer; the line feed before it ends what another program may have begun."""
    line = "\n" + marker + " " + json.dumps(answer) + "\n"
    sys.stdout.buffer.write(line.encode("ascii"))
    sys.stdout.buffer.flush()


def _watch_stdin(silence_s: float) -> None:
    def watch() -> None:
        # A signal that this thread took would not wake the main one, which answers it.
        signal.pthread_sigmask(signal.SIG_BLOCK, [getattr(signal, name) for name in STOP_SIGNALS])
        stdin = sys.stdin.fileno()
        while select.select([stdin], [], [], silence_s)[0] and os.read(stdin, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _ignore_signals() -> None:
    # Not SIG_IGN: for a signal that has come and not been handled yet, Python would complain, and
    # drop the exception that is under way.
    for name in STOP_SIGNALS:
        signal.signal(getattr(signal, name), lambda number, frame: None)


def _stop(number: int, frame: object) -> None:
    _ignore_signals()  # a second one would cut off the clearing up
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
