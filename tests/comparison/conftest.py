import importlib.util
import os
import subprocess
import sys

import pytest

# On the CPU a seed fixes the weights to the bit; a GPU would not take part in that.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Those of peers alone need none of what the train extra brings.
collect_ignore_glob = [] if importlib.util.find_spec("tensorflow") else ["test_[!p]*.py"]

# What is slow to import.
HEAVY = {"tensorflow", "tf_keras", "onnx", "tf2onnx", "onnxruntime", "cv2", "matplotlib"}


@pytest.fixture(scope="session")
def twin(tmp_path_factory):
    """The shipped default model's twin."""
    from edge_mnist.comparison.peers import write_twin
    from edge_mnist.model_store import find_model

    return write_twin(find_model().read_bytes(), tmp_path_factory.mktemp("twin"))


@pytest.fixture
def run_fresh():
    """Return a function that runs a program in a process of its own.

    It returns the lines that are printed, and one of the heavy packages that were imported.
    """

    def run(program, *arguments):
        program += f"\nimport sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
        process = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout.splitlines()

    return run
