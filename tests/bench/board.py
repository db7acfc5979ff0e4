"""A host for tests: a real sshd on this machine, with keys that live as long as the test."""

import os
import shutil
import socket
import subprocess
import sys
import time
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edge_mnist.bench.remote_process import run_files
from edge_mnist.engines import ENGINE_MODULES, resolve_engine
from edge_mnist.errors import HostError

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
HOST = "board"


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

    def install_bare_python(self, *packages):
        """Let the host's Python be one with only some packages; return it and their folder."""
        python, folder = make_bare_python(self.home / "bare", *packages)
        self.install("python3", f'exec {python} "$@"')
        return python, folder

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


@contextmanager
def running_board(folder):
    """Run a host for tests in an empty folder."""
    if sys.platform != "linux":
        pytest.skip("what runs is looked up in Linux's /proc")
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("no sshd: apt-get install -y --no-install-recommends openssh-server")
    places = {name: folder / name for name in ("bin", "temporary", "home")}
    for place in places.values():
        place.mkdir()
    folder = folder / "ssh"
    folder.mkdir(mode=0o700)
    for key in ("host", "other", "client", "stranger"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / key]
        subprocess.run(command, check=True)
    (folder / "authorized").write_text((folder / "client.pub").read_text())
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


def make_bare_python(folder, *packages):
    """Make a virtual environment with only some of the packages that are installed here.

    Returns:
        Its Python, and its folder of packages.
    """
    venv.create(folder, symlinks=True)
    (own,) = (folder / "lib").glob("python3*/site-packages")
    for package in packages:
        for path in Path(np.__file__).parent.parent.glob(f"{package}*"):
            (own / path.name).symlink_to(path)
    return folder / "bin/python3", own


def engine_package():
    """Return the package of the engine that is used here."""
    return ENGINE_MODULES[resolve_engine()].partition(".")[0]


def error_of(call, kind=HostError):
    with pytest.raises(kind) as error:
        call()
    return str(error.value)
