"""This side of a benchmark on another machine: ssh, what it is sent and what comes back.

`landing.py` is the other side.
"""

import contextlib
import json
import queue
import secrets
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from edge_mnist.bench import landing
from edge_mnist.bench.plain_text import make_plain
from edge_mnist.bench.ssh import build_ssh_command, check_host, explain_failure
from edge_mnist.errors import HostError, MissingDependencyError
from edge_mnist.fresh_python import name_signal

START_TIMEOUT_S = 60.0  # ssh's own limits end earlier; a host may also hang after the login
HEARTBEAT_S = 15.0
SILENCE_S = 60.0  # of no heartbeat, after which the other side gives up
CLOSE_TIMEOUT_S = 5.0  # for the other side to remove its folder

SSH_FAILED = 255  # ssh's exit code for its own errors
KEPT_LINES = 50


def run_files(
    host: str,
    files: Mapping[str, bytes],
    arguments: Sequence[str],
    say: Callable[[str], None],
    *,
    ssh_options: Sequence[str] = (),
) -> str:
    """Run Python on another machine, in a temporary folder with files that are removed after it.

    It is stopped and its folder removed when this process ends or the connection is lost, too.

    Args:
        host: As ssh takes it.
        files: Contents by name; folders in names are separated by slashes.
        arguments: What Python is given there.
        say: Told each line that it writes to stderr.
        ssh_options: More arguments for ssh.

    Returns:
        What it wrote to stdout.

    Raises:
        InvalidInputError: If the host cannot be one.
        HostError: If the host cannot be reached, or Python fails there; its last line says why.
        MissingDependencyError: If there is no ssh on this machine.
    """
    check_host(host)
    marker = secrets.token_hex(16)
    content = _build_input(marker, files, arguments)
    with _Connection(host, content, ssh_options) as connection:
        for answer in connection.answers(marker):
            if "say" in answer:
                say(make_plain(answer["say"]))
            elif "ended" in answer:
                return _read_output(host, answer)
        raise connection.explain_end()


def _build_input(marker: str, files: Mapping[str, bytes], arguments: Sequence[str]) -> bytes:
    program = Path(landing.__file__).read_bytes()
    order = {
        "marker": marker,
        "silence_s": SILENCE_S,
        "arguments": list(arguments),
        "files": [(name, len(content)) for name, content in files.items()],
    }
    head = f"{len(program)}\n".encode() + program + json.dumps(order).encode() + b"\n"
    return head + b"".join(files.values())


def _read_output(host: str, answer: dict[str, Any]) -> str:
    code, last = int(answer["ended"]), make_plain(answer["last"])
    if code < 0:
        raise HostError(
            f"the benchmark on {host} was killed",
            got=name_signal(-code),
            remedy="if its memory was full, measure fewer models at a time",
        )
    if code > 0:
        raise HostError(f"{host}: {last or f'exit code {code}'}")
    return str(answer["output"])


class _Connection:
    """A running ssh; a context manager that ends it.

    Threads read and write, since any of the three pipes may fill up while others are waited for,
    and since Windows cannot wait for pipes in another way.
    """

    def __init__(self, host: str, content: bytes, ssh_options: Sequence[str]) -> None:
        self._host, self._content = host, content
        self._has_landed = False
        self._is_over = threading.Event()
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._errors: deque[str] = deque(maxlen=KEPT_LINES)
        self._noise: deque[str] = deque(maxlen=KEPT_LINES)
        try:
            self._process = subprocess.Popen(
                build_ssh_command(host, ssh_options),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except FileNotFoundError as exc:
            raise MissingDependencyError(
                "there is no ssh on this machine",
                expected="the OpenSSH client on the PATH",
                remedy="install it (on Debian: apt install openssh-client)",
            ) from exc
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._feed, self._read_answers, self._read_errors)
        ]

    def __enter__(self) -> "_Connection":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._is_over.set()  # stdin ends, which tells the other side to clear up
        try:
            self._process.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        finally:
            self._process.wait()
            for thread in self._threads:
                thread.join(CLOSE_TIMEOUT_S)

    def answers(self, marker: str) -> Iterator[dict[str, Any]]:
        """Give what the other side tells, until it ends."""
        while True:
            try:
                line = self._lines.get(timeout=None if self._has_landed else START_TIMEOUT_S)
            except queue.Empty:
                raise HostError(
                    f"{self._host} does not start Python",
                    expected=f"an answer within {START_TIMEOUT_S:g} s",
                    remedy=f"see what ssh {self._host} python3 --version does",
                ) from None
            if line is None:
                return
            _, is_answer, text = line.decode(errors="replace").partition(marker)
            try:
                answer = json.loads(text) if is_answer else {}
            except ValueError:  # cut off where the connection was lost
                continue
            self._has_landed |= "landed" in answer
            if answer:
                yield answer
            else:
                _keep(self._noise, line)

    def explain_end(self) -> HostError:
        """Return the error for a connection that ended without a result."""
        code = self._process.wait()
        self._threads[-1].join(CLOSE_TIMEOUT_S)
        if not self._has_landed:
            return explain_failure(self._host, code, [*(self._errors or self._noise)])
        last = self._errors[-1] if self._errors else f"exit code {code}"
        if code == SSH_FAILED:
            return HostError(
                f"the connection to {self._host} was lost",
                got=last,
                remedy="what ran there stops by itself and is removed; run it again",
            )
        return HostError(f"the benchmark on {self._host} ended without a result", got=last)

    def _feed(self) -> None:
        pipe = _opened(self._process.stdin)
        # Whatever is wrong with ssh, its end and its stderr tell it better than a broken pipe.
        with contextlib.suppress(OSError), pipe:
            pipe.write(self._content)
            pipe.flush()
            while not self._is_over.wait(HEARTBEAT_S):
                pipe.write(b"\n")
                pipe.flush()

    def _read_answers(self) -> None:
        with _opened(self._process.stdout) as pipe:
            for line in pipe:
                self._lines.put(line)
        self._lines.put(None)

    def _read_errors(self) -> None:
        with _opened(self._process.stderr) as pipe:
            for line in pipe:
                _keep(self._errors, line)


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - all three were asked for
    return pipe


def _keep(lines: deque[str], line: bytes) -> None:
    text = make_plain(line.decode(errors="replace").strip())
    if text:
        lines.append(text)
