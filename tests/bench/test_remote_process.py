import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from board import HOST, error_of, is_running, running_board, wait_until

from edge_mnist.bench import remote_process
from edge_mnist.bench.remote_process import run_files
from edge_mnist.errors import HostError, MissingDependencyError


@pytest.fixture
def board(tmp_path):
    with running_board(tmp_path) as board:
        yield board


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


def test_what_a_login_prints_does_not_matter(board):
    script = f'echo Welcome; echo -n \'{{"ended": 0}} \'; exec {sys.executable} "$@"'
    board.install("python3", script)
    assert board.run("print('result')") == "result\n"


def test_installed_edge_mnist_lends_its_python(board):
    board.install_bare_python()
    # As pipx installs it: a command on the PATH, with an environment of its own.
    (board.bin / "edge-mnist").write_text(f"#!{sys.executable}\nimport edge_mnist\n")
    (board.bin / "edge-mnist").chmod(0o755)
    assert board.run("import sys; print(sys.executable)") == f"{sys.executable}\n"


def test_command_of_that_name_that_is_no_python_lends_nothing(board):
    python, _ = board.install_bare_python()
    board.install("edge-mnist", "exit 1")
    assert board.run("import sys; print(sys.executable)") == f"{python}\n"


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


def test_two_signals_there_end_what_runs_there(endless):
    def end(_program, _child, landing):
        # Both are there when it goes on: else it may have ended before the second comes.
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGHUP, signal.SIGCONT):
            os.kill(landing, number)

    assert endless(end) == "the benchmark on board ended without a result: got exit code 1"


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
    monkeypatch.setattr(remote_process, "SILENCE_S", 2.0)
    assert board.run("import time; time.sleep(3); print('done')") == "done\n"


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
