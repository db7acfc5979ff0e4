"""The processes that make the models: one run folder each, stopped in order."""

import fcntl
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from edge_mnist.errors import TrainingError

ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


class Stopped(Exception):  # noqa: N818 - not an error
    """Ctrl-C ended the step."""


class Children:
    """The processes that run, each in a session of its own: a terminal's Ctrl-C is ours alone."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._is_stopping = False
        self._lock = threading.Lock()

    def run(self, command: Sequence[str], log: Path) -> tuple[int, str]:
        """Run a command to its end; what it says on stderr is added to the log.

        Returns:
            The exit code, and what it printed on stdout.

        Raises:
            Stopped: If `stop` was called.
            TrainingError: If another process works on the same run.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            # The child holds the lock too, by its stderr: it may outlive this process.
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise TrainingError(
                    f"another process works on {log.with_suffix('')}",
                    remedy="wait for it, or end it",
                ) from exc
            file.write(f"{datetime.now():%F %T} $ {shlex.join(command)}\n")
            file.flush()
            with self._lock:
                if self._is_stopping:
                    raise Stopped
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    text=True,
                    env=os.environ | ONE_THREAD,
                    start_new_session=True,
                )
                self._running.add(process)
            printed, _ = process.communicate()
        with self._lock:
            self._running.discard(process)
            if self._is_stopping and process.returncode:
                raise Stopped
        return process.returncode, printed

    def stop(self) -> None:
        """Interrupt all; trainings save their state. No others start after this."""
        with self._lock:
            self._is_stopping = True
            for process in self._running:
                process.send_signal(signal.SIGINT)
