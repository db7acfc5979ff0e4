"""The measuring side of a worker: starting it, asking it, telling how it ended."""

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from types import TracebackType
from typing import Any

from edge_mnist.anatomy import Anatomy
from edge_mnist.bench.typed_json import read_typed
from edge_mnist.bench.worker import Start
from edge_mnist.errors import ModelError
from edge_mnist.fresh_python import build_fresh_command, name_signal

# TensorFlow takes some seconds to start; a block of a slow peer takes less.
TIMEOUT_S = 120.0

TEMPORARY_FOLDERS = ("TMPDIR", "TEMP", "TMP")  # what Python asks, in this order


class Worker:
    """A fresh process with one model in it; a context manager that ends the process.

    Attributes:
        start: How it came to its first prediction.
        cold_start_ms: From before the process was started to that prediction.
        anatomy: What the model consists of; None for what no interpreter has loaded.
    """

    def __init__(self, module: str, *arguments: str, timeout_s: float = TIMEOUT_S) -> None:
        """Start it, and wait until it is ready.

        Args:
            module: Whose `main` calls `worker.serve`.
            arguments: What that `main` gets.
            timeout_s: How long one answer may take.

        Raises:
            ModelError: If it refuses the model, crashes or takes too long.
        """
        self._timeout_s = timeout_s
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        # TensorFlow writes files that it would remove at an exit that it does not live to see.
        self._folder = tempfile.TemporaryDirectory(prefix="edge-mnist-")
        started_at = time.time()
        self._process = subprocess.Popen(
            build_fresh_command(module, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, **dict.fromkeys(TEMPORARY_FOLDERS, self._folder.name)},
            start_new_session=True,  # Ctrl-C is this process's to answer
        )
        # Windows cannot wait for a pipe with a limit of time in another way.
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        try:
            self._reader.start()
            answer = self._read()
        except BaseException:
            self.close()
            raise
        self.start = Start(**answer["start"])
        self.cold_start_ms = (self.start.first_prediction_at - started_at) * 1000
        anatomy = answer["anatomy"]
        self.anatomy = None if anatomy is None else read_typed(Anatomy, anatomy)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def ask(self, do: str, **options: Any) -> dict[str, Any]:
        """Ask one of the things that `worker.serve` answers, and return the answer.

        Raises:
            ModelError: If it cannot be done, or the process crashes or takes too long.
        """
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        try:
            self._process.stdin.write(json.dumps({"do": do, **options}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:  # it has gone; reading tells how
            pass
        return self._read()

    def close(self) -> None:
        """End the process."""
        # stdin may hold what nobody reads any more.
        with contextlib.suppress(OSError), self._process:
            self._process.kill()
            if self._reader.is_alive():
                self._reader.join()
        self._stderr.close()
        self._folder.cleanup()

    def _read(self) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=self._timeout_s)
        except queue.Empty:
            raise ModelError(
                "the model does not come to an end",
                expected=f"an answer within {self._timeout_s:g} s",
            ) from None
        if not line.endswith(b"\n"):
            raise self._tell_end()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ModelError(answer["error"])
        return answer

    def _read_lines(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")  # the end

    def _tell_end(self) -> ModelError:
        """Return how the process ended without an answer."""
        code = self._process.wait()
        if code < 0:
            return ModelError(
                "the model crashes the process", got=f"{name_signal(-code)} in its own"
            )
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return ModelError(lines[-1] if lines else f"its process ended with exit code {code}")
