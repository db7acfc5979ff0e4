import re
import subprocess
import sys
from importlib import metadata

import pytest

import edge_mnist

HEAVY = {"tensorflow", "tf_keras", "keras", "cv2", "matplotlib", "sklearn", "scipy", "pandas"}

PREDICT = """
import sys, numpy as np
from edge_mnist import Classifier
classifier = Classifier.load(engine=sys.argv[1])
classifier.predict(np.zeros((28, 28), np.uint8))
classifier.predict_batch(np.zeros((64, 28, 28), np.uint8))
"""

TELL_EXIT_CODE = """
from edge_mnist.cli.app import main
try:
    main()
except SystemExit as end:
    print(end.code)
"""

LIST_COMMANDS = """
import sys
from edge_mnist.cli.app import COMMANDS, main
try:
    main()
except SystemExit:
    print([name for name in COMMANDS if f"edge_mnist.cli.{name}" in sys.modules])
"""


def run_listing_imports(*arguments):
    """Run Python; return its output and the top-level packages that it imported."""
    process = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True
    )
    modules = re.findall(r"^import time:.*\|\s*(\S+)$", process.stderr, re.MULTILINE)
    return process.stdout, {module.partition(".")[0] for module in modules}


def test_import_brings_in_nothing_heavy():
    _, packages = run_listing_imports("-c", "import edge_mnist")
    assert "numpy" in packages
    assert not packages & HEAVY


def test_predicting_brings_in_the_interpreter_and_nothing_heavy(engine):
    _, packages = run_listing_imports("-c", PREDICT, engine)
    assert engine.replace("-", "_") in packages
    assert not packages & HEAVY


def test_predicting_waits_for_no_import_that_it_does_not_need():
    _, packages = run_listing_imports("-c", PREDICT, "auto")
    assert not packages & {"email", "http", "logging", "platformdirs", "ssl", "subprocess"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--recipe", "nothing"],
        ["train", "--resume", "--out", "nothing"],
        ["quantize", "runs/micro"],
        ["quantize", "runs/micro", "--int8", "--name", "runs/mine"],
    ],
)
def test_work_that_cannot_be_is_refused_at_once(arguments):
    """TensorFlow's import takes seconds."""
    code, packages = run_listing_imports("-c", TELL_EXIT_CODE, *arguments)
    assert code == "1\n"
    assert not packages & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["models"]])
def test_command_line_brings_in_nothing_heavy(arguments):
    output, packages = run_listing_imports("-m", "edge_mnist", *arguments)
    assert output
    assert "typer" in packages
    assert not packages & HEAVY


def test_command_imports_nothing_of_the_others():
    process = subprocess.run(
        [sys.executable, "-c", LIST_COMMANDS, "models"], capture_output=True, text=True, check=True
    )
    assert process.stdout.splitlines()[-1] == "['models']"


def test_package_exports_what_all_says():
    namespace = {}
    exec("from edge_mnist import *", namespace)  # noqa: S102
    exported = namespace.keys() - {"__builtins__"}
    assert exported == {"Classifier", "Prediction", "__version__"} == set(edge_mnist.__all__)


def test_version_is_the_installed_one():
    assert edge_mnist.__version__ == metadata.version("edge-mnist")
