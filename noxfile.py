"""The core's tests on every Python that edge-mnist supports: `make test-all`."""

import os
from pathlib import Path

import nox

# pyenv keeps its Pythons off the PATH until one is chosen; all of them are wanted here.
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
os.environ["PATH"] = os.pathsep.join(
    [os.environ["PATH"], *map(str, sorted(PYENV.glob("versions/*/bin")))]
)

nox.options.error_on_missing_interpreters = False
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


@nox.session(python=PYTHONS)
def core(session: nox.Session) -> None:
    """Test a plain install with pictures: the engine and NumPy that pip picks for this Python."""
    tools = ("pytest>=8.3", "pytest-timeout>=2.3", "pytest-xdist>=3.6", "build>=1.2")
    session.install(".[vision]", *tools)
    session.run("pip", "list", silent=False)
    session.run(
        "pytest",
        "-q",
        "-n2",
        "--dist=loadfile",
        "-m",
        "not slow",
        *session.posargs,
        # The package under test is the installed one, not the checkout's.
        env={"PYTHONSAFEPATH": "1"},
    )
