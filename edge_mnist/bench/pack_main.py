"""The start of the packed benchmark: its `__main__.py`, which old Pythons can read too.

It says what is missing, unpacks the package beside nothing of the user's, and runs what was asked.
"""

import compileall
import importlib
import importlib.util
import sys
import tempfile
import zipfile

OLDEST_PYTHON = (3, 10)
INSTALL = (
    "python3 -m pip install ai-edge-litert numpy, or on Linux with Python up to 3.11: "
    "python3 -m pip install 'tflite-runtime==2.14.0' 'numpy<2'"
)
ENGINE_PACKAGES = ("tflite_runtime", "ai_edge_litert")


def main() -> None:
    """Run the packed benchmark on the files that the command line names."""
    lack = find_lack()
    if lack:
        sys.exit(lack)
    # From a folder and compiled, as an installed package is: a zip file's modules are compiled
    # anew in every process, which would be part of each cold start.
    with tempfile.TemporaryDirectory(prefix="edge-mnist-") as folder:
        with zipfile.ZipFile(sys.path[0]) as packed:
            packed.extractall(folder)
        compileall.compile_dir(folder, quiet=2)
        sys.path[0] = folder
        importlib.import_module("edge_mnist.bench.remote_main").main(sys.argv[1:])


def find_lack() -> str:
    """Return what keeps this Python from running the benchmark, in one line; nothing if it can."""
    if sys.version_info < OLDEST_PYTHON:
        return (
            "this Python is too old: expected "
            + ".".join(str(part) for part in OLDEST_PYTHON)
            + " or newer, got "
            + ".".join(str(part) for part in sys.version_info[:3])
            + " ("
            + sys.executable
            + "); install a newer one and put it first on the PATH as python3"
        )
    if importlib.util.find_spec("numpy") is None:
        return "NumPy is not installed for " + sys.executable + "; " + INSTALL
    if not any(importlib.util.find_spec(name) for name in ENGINE_PACKAGES):
        return "no engine is installed for " + sys.executable + "; " + INSTALL
    return ""


if __name__ == "__main__":
    main()
