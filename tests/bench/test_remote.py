"""Against a real sshd on this machine, with keys that live as long as the test."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import edge_mnist
from edge_mnist.bench import remote_process
from edge_mnist.bench.inputs import find_images
from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.remote import run_remote
from edge_mnist.bench.remote_process import run_files
from edge_mnist.bench.request import BenchRequest
from edge_mnist.errors import HostError, InvalidInputError, MissingDependencyError, ModelError
from edge_mnist.model_store import find_model

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
HOST = "board"

QUICK = Protocol(duration_s=0.02, warmup_window_s=0.001, cold_starts=1)


@dataclass(frozen=True)
class Board:
    """A host with an sshd of its own.

    Attributes:
        port: Of its sshd, on 127.0.0.1.
        folder: Where its keys and the client's configuration are.
        bin: What its PATH begins with; at first this Python is all that is in it.
        home: Its user's, empty, so that nobody's shell profile matters.
        temporary: What its programs take for temporary files.
        options: What ssh must be told to reach it as HOST.
        server: The sshd.
    """

    port: int
    folder: Path
    bin: Path
    home: Path
    temporary: Path
    options: tuple[str, ...]
    server: subprocess.Popen

    def configure(self, **settings):
        """Write the client's configuration; settings replace what it says else."""
        facts = {
            "HostName": "127.0.0.1",
            "Port": self.port,
            "IdentityFile": self.folder / "client",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "UserKnownHostsFile": self.folder / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null",
            **settings,
        }
        lines = [f"Host {HOST}", *(f"  {name} {value}" for name, value in facts.items())]
        (self.folder / "config").write_text("\n".join(lines) + "\n")

    def know(self, key):
        """Say which key the client knows of the host."""
        public = (self.folder / f"{key}.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public}")

    def install(self, command, script):
        """Put a shell script on the host's PATH."""
        path = self.bin / command
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, program, say=lambda line: None):
        """Run a Python program there as the benchmark would be."""
        files = {"program.py": program.encode()}
        return run_files(HOST, files, ["program.py"], say, ssh_options=self.options)

    def is_clean(self):
        """Wait until nothing is left of what was there; return whether that came true."""
        return wait_until(lambda: not list(self.temporary.iterdir()))


def wait_until(is_true):
    ends = time.monotonic() + 20
    while not is_true() and time.monotonic() < ends:
        time.sleep(0.02)
    return is_true()


def is_running(process_id):
    """Return whether a process runs; one that has ended and nobody has asked after does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def board(tmp_path):
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("no sshd: apt-get install -y --no-install-recommends openssh-server")
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for key in ("host", "other", "client", "stranger"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / key]
        subprocess.run(command, check=True)
    (folder / "authorized").write_text((folder / "client.pub").read_text())
    places = {name: tmp_path / name for name in ("bin", "temporary", "home")}
    for place in places.values():
        place.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": folder / "host",
        "PidFile": folder / "pid",
        "AuthorizedKeysFile": folder / "authorized",
        "UsePAM": "no",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitUserRC": "no",
    }
    variables = {
        "PATH": f"{places['bin']}:/usr/bin:/bin",
        "TMPDIR": places["temporary"],
        "HOME": places["home"],
    }
    settings["SetEnv"] = " ".join(f'"{name}={value}"' for name, value in variables.items())
    lines = [f"{name} {value}" for name, value in settings.items()]
    (folder / "sshd_config").write_text("\n".join(lines) + "\n")
    # sshd leaves its rights in an empty folder, which Debian makes at the system's start.
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    board = Board(port, folder, **places, options=("-F", str(folder / "config")), server=server)
    board.configure()
    board.know("host")
    board.install("python3", f'exec {sys.executable} "$@"')
    try:
        assert wait_until((folder / "pid").exists), (folder / "log").read_text()
        yield board
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def bare_python(board, tmp_path):
    """The host's Python without any package; its folder for packages."""
    venv.create(tmp_path / "bare", symlinks=True)
    board.install("python3", f'exec {tmp_path / "bare/bin/python3"} "$@"')
    (packages,) = (tmp_path / "bare/lib").glob("python3*/site-packages")
    return packages


def error_of(call, kind=HostError):
    with pytest.raises(kind) as error:
        call()
    return str(error.value)


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
    assert "got 'gone'" in error_of(call, ModelError)


def test_files_and_arguments_arrive_as_they_are_in_a_private_folder(board):
    program = (
        "import os, pathlib, sys\n"
        "print(sys.argv[1:], pathlib.Path('a/b').read_bytes(), oct(os.stat('.').st_mode & 0o777))\n"
    )
    arguments = ["it's", '$HOME `id` "x"', "; id", ""]
    files = {"p.py": program.encode(), "a/b": b"\0\n\xff"}
    output = run_files(HOST, files, ["p.py", *arguments], print, ssh_options=board.options)
    assert output == f"{arguments} {files['a/b']} 0o700\n"


def test_lines_are_told_at_once_and_cannot_steer_the_terminal(board):
    lines = []
    program = (
        "import pathlib, sys, time\n"
        "print('first \\033[2J\\a ä', file=sys.stderr, flush=True)\n"
        "while not pathlib.Path({place!r}).exists(): time.sleep(0.01)\n"
        "print('second', file=sys.stderr)\n"
    )
    seen = board.folder / "seen"

    def say(line):
        lines.append(line)
        seen.touch()

    assert board.run(program.format(place=str(seen)), say) == ""
    assert lines == ["first  [2J  ä", "second"]


SHELLS = [shell for shell in ("sh", "bash", "zsh", "fish", "csh") if shutil.which(shell)]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_means_the_same_to_every_shell(shell):
    program = b"import os, sys; print(os.getcwd(), sys.stdin.buffer.read())"
    done = subprocess.run(
        [shell, "-c", remote_process.build_ssh_command(HOST)[-1]],
        input=b"%d\n%srest" % (len(program), program),
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"/ b'rest'\n"


def test_what_a_login_prints_does_not_matter(board):
    script = f'echo Welcome; echo -n \'{{"ended": 0}} \'; exec {sys.executable} "$@"'
    board.install("python3", script)
    assert board.run("print('result')") == "result\n"


def test_result_that_is_none_is_refused(board, monkeypatch):
    monkeypatch.setattr("edge_mnist.bench.remote.pack_benchmark", lambda: b"print('rubbish')")
    request = BenchRequest(("micro",), protocol=QUICK)
    call = lambda: run_remote(  # noqa: E731
        HOST, request, *find_images(), print, ssh_options=board.options
    )
    assert error_of(call).startswith(
        "board gave no result that can be read: got cannot read the benchmark: "
    )


def test_program_that_fails_is_told_by_its_last_line(board):
    assert error_of(lambda: board.run("raise ValueError('why')")) == "board: ValueError: why"
    assert error_of(lambda: board.run("import sys; sys.exit(7)")) == "board: exit code 7"
    assert board.is_clean()


def test_program_that_is_killed_is_told_so(board):
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert error_of(lambda: board.run(program)) == (
        "the benchmark on board was killed: got SIGKILL; "
        "if its memory was full, measure fewer models at a time"
    )
    assert board.is_clean()


@pytest.mark.parametrize(("blocks", "reason"), [(0, "No usable temporary"), (1, "File too large")])
def test_full_disk_there_is_told(board, blocks, reason):
    board.install("python3", f'ulimit -f {blocks}; exec {sys.executable} "$@"')
    message = error_of(lambda: board.run("#" * 10_000))
    assert message.startswith("board: nothing can be run there: ")
    assert reason in message
    assert board.is_clean()


# The ways in which a connection ends before a result does.

ENDLESS = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
print(os.getpid(), child.pid, os.getppid(), file=sys.stderr, flush=True)
time.sleep(1000)
"""


@pytest.fixture
def endless(board):
    """Return a function that runs a program without end, and does something once it runs.

    It returns the error that the run ends with, after which the program's processes have ended and
    its folder is gone.
    """

    def run(do, kind=HostError):
        processes = []

        def say(line):
            processes.extend(int(word) for word in line.split())
            assert all(is_running(process) for process in processes)
            assert list(board.temporary.iterdir())
            do(*processes)

        message = error_of(lambda: board.run(ENDLESS, say), kind)
        assert len(processes) == 3
        assert wait_until(lambda: not any(is_running(process) for process in processes))
        assert board.is_clean()
        return message

    return run


def parent_of(process_id):
    return int(Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[1])


def test_connection_that_is_lost_ends_what_runs_there(endless):
    def cut(_program, _child, landing):
        os.kill(parent_of(landing), signal.SIGKILL)  # the sshd of this connection

    message = endless(cut)
    assert message.startswith("the connection to board was lost: got ")
    assert message.endswith("; what ran there stops by itself and is removed; run it again")


def test_interruption_here_ends_what_runs_there(endless):
    def interrupt(*_processes):
        raise KeyboardInterrupt

    endless(interrupt, KeyboardInterrupt)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_signal_there_ends_what_runs_there(endless, name):
    message = endless(lambda _program, _child, landing: os.kill(landing, getattr(signal, name)))
    assert message == "the benchmark on board ended without a result: got exit code 1"


def test_ssh_that_is_killed_here_ends_what_runs_there(endless, monkeypatch):
    started = []
    popen = subprocess.Popen

    def record(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", record)
    message = endless(lambda *_processes: started[-1].kill())
    assert message == "the benchmark on board ended without a result: got exit code -9"


def test_silence_ends_what_runs_there(endless, monkeypatch):
    # As if the network had swallowed the connection without a word.
    monkeypatch.setattr(remote_process, "SILENCE_S", 0.2)
    message = endless(lambda *_processes: None)
    assert message == "the benchmark on board ended without a result: got exit code 1"


def test_heartbeat_keeps_it_running(board, monkeypatch):
    monkeypatch.setattr(remote_process, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(remote_process, "SILENCE_S", 1.0)
    assert board.run("import time; time.sleep(2); print('done')") == "done\n"


# What keeps a benchmark from starting.


def test_host_without_python_is_told(board):
    (board.bin / "python3").unlink()
    config = board.folder / "sshd_config"
    config.write_text(config.read_text().replace(":/usr/bin:/bin", ""))
    (board.folder / "pid").unlink()
    board.server.send_signal(signal.SIGHUP)  # it reads that now
    assert wait_until((board.folder / "pid").exists)
    assert error_of(lambda: board.run("")) == (
        "no Python on board: expected python3 on the PATH that ssh has there, got none; "
        "install Python 3.10 or newer there"
    )


def bench_there(board):
    request = BenchRequest(("micro",), protocol=QUICK)
    return lambda: run_remote(HOST, request, *find_images(), print, ssh_options=board.options)


def test_host_without_numpy_is_told(board, bare_python):
    message = error_of(bench_there(board))
    python = bare_python.parents[2] / "bin/python3"
    assert message.startswith(f"board: NumPy is not installed for {python}; python3 -m pip install")
    assert board.is_clean()


def test_host_without_engine_is_told(board, bare_python):
    for path in Path(np.__file__).parent.parent.glob("numpy*"):
        (bare_python / path.name).symlink_to(path)
    message = error_of(bench_there(board))
    assert message.startswith("board: no engine is installed for ")
    assert "'tflite-runtime==2.14.0' 'numpy<2'" in message


OLD = """
import sys
class Version(tuple):
    major, minor, micro = 3, 7, 16
sys.version_info = Version((3, 7, 16, "final", 0))
"""


def test_host_with_an_old_python_is_told(board, bare_python):
    (bare_python / "sitecustomize.py").write_text(OLD)
    assert error_of(bench_there(board)) == (
        "board: this Python is too old: expected 3.10 or newer, got 3.7.16 "
        f"({bare_python.parents[2] / 'bin/python3'}); "
        "install a newer one and put it first on the PATH as python3"
    )


def test_installed_edge_mnist_lends_its_python(board, bare_python):
    # As pipx installs it: a command on the PATH, with an environment of its own.
    (board.bin / "edge-mnist").write_text(f"#!{sys.executable}\nimport edge_mnist\n")
    (board.bin / "edge-mnist").chmod(0o755)
    assert board.run("import sys; print(sys.executable)") == f"{sys.executable}\n"


def test_command_of_that_name_that_is_no_python_lends_nothing(board, bare_python):
    board.install("edge-mnist", "exit 1")
    own = bare_python.parents[2] / "bin/python3"
    assert board.run("import sys; print(sys.executable)") == f"{own}\n"


# What keeps a connection from being made.


def test_unknown_host_key_is_refused(board):
    (board.folder / "known_hosts").unlink()
    message = error_of(lambda: board.run(""))
    assert message.startswith("the host key of board is not known: ")
    assert message.endswith("; connect once with ssh board and compare the fingerprint")
    assert not (board.folder / "known_hosts").exists()


def test_changed_host_key_is_refused(board):
    board.know("other")
    before = (board.folder / "known_hosts").read_text()
    message = error_of(lambda: board.run(""))
    assert message.startswith("the host key of board has changed: it is another machine or was ")
    assert (board.folder / "known_hosts").read_text() == before


def test_key_that_is_not_let_in_is_told(board):
    board.configure(IdentityFile=board.folder / "stranger")
    message = error_of(lambda: board.run(""))
    assert message.startswith("board does not let you in: got ")
    assert "Permission denied" in message
    assert message.endswith(
        "; set up a key with ssh-copy-id board; if it has a passphrase, unlock it with ssh-add"
    )


def test_closed_port_is_told(board):
    board.server.terminate()
    board.server.wait()
    message = error_of(lambda: board.run(""))
    assert message.startswith("board runs no ssh server: got ")
    assert "Connection refused" in message


def test_name_of_no_host_is_told(board):
    board.configure(HostName="nowhere.invalid")
    assert error_of(lambda: board.run("")).startswith("there is no host of the name board: got ")


def test_host_that_does_not_answer_is_told(board):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        board.configure(Port=silent.getsockname()[1])
        options = ("-o", "ConnectTimeout=1", *board.options)
        message = error_of(lambda: run_files(HOST, {}, [], print, ssh_options=options))
    assert message.startswith("board does not answer: got ")
    assert message.endswith("; check that it is on, and in the same network")


def test_host_that_hangs_after_the_login_is_told(board, monkeypatch):
    board.install("python3", "exec sleep 1000")
    monkeypatch.setattr(remote_process, "START_TIMEOUT_S", 1.0)
    monkeypatch.setattr(remote_process, "CLOSE_TIMEOUT_S", 0.2)
    assert error_of(lambda: board.run("")) == (
        "board does not start Python: expected an answer within 1 s; "
        "see what ssh board python3 --version does"
    )


def test_missing_ssh_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert error_of(lambda: run_files(HOST, {}, [], print), MissingDependencyError) == (
        "there is no ssh on this machine: expected the OpenSSH client on the PATH; "
        "install it (on Debian: apt install openssh-client)"
    )


@pytest.mark.parametrize(
    "host",
    [
        *("", "-oProxyCommand=id", "pi@-x", "ssh://-x", "pi@", "a b", "a\nb", "a;id", "$(id)"),
        *("`id`", "a|b", "a&b", "a'b", 'a"b', "a\\b", "\0", "ä"),
    ],
)
def test_what_is_no_host_is_refused(host, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    message = error_of(lambda: run_files(host, {}, [], print), InvalidInputError)
    assert message.startswith("no host to connect to: expected USER@HOST, ")


@pytest.mark.parametrize(
    "host", ["pi@raspberrypi.local", "pi", "ssh://pi@10.0.0.2:2222", "pi@fe80::1%eth0", "a_b-c"]
)
def test_hosts_stand_behind_all_options(host):
    command = remote_process.build_ssh_command(host, ["-F", "config"])
    assert command[:3] == ["ssh", "-F", "config"]
    assert command[-3:-1] == ["--", host]
