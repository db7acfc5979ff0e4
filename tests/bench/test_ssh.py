import shutil
import signal
import socket
import subprocess

import pytest
from board import HOST, error_of, running_board, wait_until

from edge_mnist.bench.remote_process import run_files
from edge_mnist.bench.ssh import build_ssh_command
from edge_mnist.errors import InvalidInputError


@pytest.fixture
def board(tmp_path):
    with running_board(tmp_path) as board:
        yield board


SHELLS = [shell for shell in ("sh", "bash", "zsh", "fish", "csh") if shutil.which(shell)]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_means_the_same_to_every_shell(shell):
    program = b"import os, sys; print(os.getcwd(), sys.stdin.buffer.read())"
    done = subprocess.run(
        [shell, "-c", build_ssh_command(HOST)[-1]],
        input=b"%d\n%srest" % (len(program), program),
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"/ b'rest'\n"


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
    command = build_ssh_command(host, ["-F", "config"])
    assert command[:3] == ["ssh", "-F", "config"]
    assert command[-3:-1] == ["--", host]
