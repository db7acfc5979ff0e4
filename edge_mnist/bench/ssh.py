"""Another machine, by way of the OpenSSH client that is installed, and what it says if it fails."""

import re
from collections.abc import Sequence

from edge_mnist.errors import HostError, InvalidInputError

CONNECT_TIMEOUT_S = 10

# The user's own configuration counts (ports, names, keys, jump hosts), so host keys are checked as
# it says, and strictly if it says nothing: ssh cannot ask here. Only what would get in the way of
# one command without a terminal is turned off.
OPTIONS = {
    "BatchMode": "yes",  # no questions: nobody would see them
    "ConnectTimeout": str(CONNECT_TIMEOUT_S),
    "ServerAliveInterval": "10",
    "ServerAliveCountMax": "3",
    "ControlMaster": "no",
    "ControlPath": "none",
    "ClearAllForwardings": "yes",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
    "LogLevel": "ERROR",
}

# What the other side runs, the same for all: Python reads a number and so many bytes of program
# from stdin. It serves any login shell, csh and fish among them: no character in it is special
# within single quotes. In / nobody leaves modules that Python would import by mistake.
REMOTE_COMMAND = (
    "exec /bin/sh -c 'cd / && exec python3 -c "
    '"import sys; size = int(sys.stdin.buffer.readline()); exec(sys.stdin.buffer.read(size))"\''
)
COMMAND_NOT_FOUND = 127

# Letters of names, addresses, ports and ssh:// addresses. ssh would take more, but a user's
# configuration may hand the name on to a shell (ProxyCommand, Match exec).
HOST = re.compile(r"(?!-)[A-Za-z0-9_.:@%+/\[\]-]+(?<!@)")
HOST_EXAMPLES = "USER@HOST, a name from ~/.ssh/config, or ssh://USER@HOST:PORT"


def check_host(host: str) -> None:
    """Refuse what is no host.

    Raises:
        InvalidInputError: If it is empty, could be taken for an option, or has characters in it
            that no host and no user has.
    """
    if not HOST.fullmatch(host) or "@-" in host or "//-" in host:
        raise InvalidInputError("no host to connect to", expected=HOST_EXAMPLES, got=repr(host))


def build_ssh_command(host: str, options: Sequence[str] = ()) -> list[str]:
    """Return the command that starts Python on a host, to read its program from stdin.

    Args:
        host: What `check_host` accepts.
        options: More arguments for ssh, before the others; of two settings ssh takes the first.
    """
    ours = [part for name, value in OPTIONS.items() for part in ("-o", f"{name}={value}")]
    return ["ssh", *options, *ours, "--", host, REMOTE_COMMAND]


def explain_failure(host: str, code: int, lines: Sequence[str]) -> HostError:
    """Return the error for an ssh that ended before Python answered.

    Args:
        host: What was connected to.
        code: ssh's exit code.
        lines: What it wrote to stderr, the last ones at least.
    """
    text = "\n".join(lines)
    last = lines[-1] if lines else f"ssh ended with exit code {code}"
    for pattern, what, remedy in FAILURES:
        if re.search(pattern, text):
            return HostError(
                what.format(host=host), got=last, remedy=remedy.format(host=host) or None
            )
    if code == COMMAND_NOT_FOUND:
        return HostError(
            f"no Python on {host}",
            expected="python3 on the PATH that ssh has there",
            got="none",
            remedy="install Python 3.10 or newer there",
        )
    return HostError(f"cannot run anything on {host}", expected="ssh to start python3", got=last)


# In ssh's words (OpenSSH 7 to 10, of which no version translates them), ours, and what to do.
FAILURES = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "the host key of {host} has changed: it is another machine or was set up anew",
        "if you know why, remove the old key (ssh-keygen -R), connect once with ssh {host} and "
        "compare the fingerprint",
    ),
    (
        "Host key verification failed|host key is known",
        "the host key of {host} is not known",
        "connect once with ssh {host} and compare the fingerprint",
    ),
    (
        "Permission denied|Too many authentication failures",
        "{host} does not let you in",
        "set up a key with ssh-copy-id {host}; if it has a passphrase, unlock it with ssh-add",
    ),
    (
        "Could not resolve hostname",
        "there is no host of the name {host}",
        "check the name, or give its address",
    ),
    (
        "Connection refused",
        "{host} runs no ssh server",
        "turn it on there, or give its port as ssh://USER@HOST:PORT",
    ),
    (
        "timed out|No route to host|Network is unreachable|Host is down",
        "{host} does not answer",
        "check that it is on, and in the same network",
    ),
)
