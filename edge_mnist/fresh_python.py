"""Starting a part of this package in a Python process of its own."""

import signal
import sys
from pathlib import Path

# The folder that holds the package: site-packages or a checkout, or the zip file that it runs from.
PACKAGE_HOME = Path(__file__).absolute().parent.parent

# `python -m` would search the caller's folder first, which may hold anything, and would run a
# module twice that its own package imports. An installed package is on the path already; putting
# site-packages first would hide the standard library behind whatever is installed there.
BOOT = (
    "import sys; home, module = sys.argv[1:3]; "
    "sys.path[:] = [place for place in sys.path if place]; "
    "home in sys.path or sys.path.insert(0, home); "
    "import importlib; importlib.import_module(module).main(*sys.argv[3:])"
)


def build_fresh_command(module: str, *arguments: str) -> list[str]:
    """Return the command that calls a module's `main` in a fresh process.

    It works in any folder, with the package installed, in a checkout or in a zip file.

    Args:
        module: The module's full name, as `edge_mnist.isolation`.
        arguments: What its `main` is given, in order. They can be seen in the list of processes,
            and Linux limits each to 128 KiB: larger or private things go over stdin.
    """
    return [sys.executable, "-c", BOOT, str(PACKAGE_HOME), module, *arguments]


def name_signal(number: int) -> str:
    """Return the name of a signal that ended a process; not all have one."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
