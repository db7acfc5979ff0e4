import json
import struct
import subprocess
import sys

import numpy as np
import pytest

from edge_mnist import Classifier
from edge_mnist.errors import ModelError
from edge_mnist.isolation import run_isolated
from edge_mnist.model_store import find_model

MICRO = find_model().read_bytes()
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)


@pytest.fixture
def other_python(monkeypatch, tmp_path):
    """Return a function that runs a shell script in the place of the fresh Python."""
    if sys.platform == "win32":
        pytest.skip("Windows has no shell scripts")

    def install(script):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    return install


def test_fresh_process_gives_what_this_one_does(engine):
    answer = run_isolated(MICRO, IMAGES, engine=engine)
    classifier = Classifier.load(engine=engine)
    outputs = classifier.run(IMAGES)
    np.testing.assert_array_equal(answer.outputs, outputs, strict=True)
    np.testing.assert_array_equal(answer.values, classifier.dequantize(outputs), strict=True)
    assert answer.engine == engine
    assert answer.output_kind == "logits"


def test_fresh_process_tells_the_graphs_operators_and_types(engine):
    answer = run_isolated(MICRO, IMAGES[:1], engine=engine)
    card = json.loads(find_model().with_suffix(".json").read_text())
    assert answer.operators == card["operators"]
    # An int8 graph with uint8 at both ends, biases in int32.
    assert set(answer.tensor_dtypes) == {"uint8", "int8", "int32"}


def test_fresh_process_tells_its_start_and_memory():
    answer = run_isolated(MICRO, IMAGES[:1])
    assert answer.cold_start_ms > 1
    if sys.platform != "win32":
        # Python and NumPy take 20 MB; this process's own data is no part of it.
        assert 15e6 < answer.resident_bytes < 200e6


@pytest.mark.parametrize("folder", ["edge_mnist", "numpy"])
def test_callers_folder_is_not_searched_for_modules(tmp_path, monkeypatch, folder):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "__init__.py").write_text("raise SystemError('the wrong module')")
    monkeypatch.chdir(tmp_path)
    assert run_isolated(MICRO, IMAGES[:1]).outputs.shape == (1, 10)


def test_model_that_is_refused_there_is_refused_here():
    with pytest.raises(ModelError) as error:
        run_isolated(b"no model" * 10, IMAGES)
    assert str(error.value) == ("it is not a .tflite file: expected TFL3 at byte 4, got b'odel'")


LIMITED = """
import numpy as np
from edge_mnist import isolation
isolation.TRIAL_MEMORY_BYTES = 1 << 29
np.empty(1 << 29, np.uint8)  # which is not used, so that it costs nothing
isolation._limit_memory()
try:
    np.empty(1 << 29, np.uint8)
except MemoryError:
    print("refused")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to the limit")
def test_memory_there_is_limited():
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("refused\n", "")


CRASHABLE = """
import resource
from edge_mnist import isolation
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
isolation._limit_memory()
print(resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows writes no core files")
def test_crash_there_leaves_no_core_file():
    done = subprocess.run(
        [sys.executable, "-c", CRASHABLE], capture_output=True, text=True, check=True
    )
    assert done.stdout == "0\n"


@pytest.mark.parametrize("shape", [(1, 28_000, 28_000, 1), (1, 80_000, 80_000, 1)])
def test_model_that_asks_for_gigabytes_is_refused(engine, shape):
    own, huge = struct.pack("<4i", 1, 28, 28, 1), struct.pack("<4i", *shape)
    assert own in MICRO
    with pytest.raises(ModelError, match=f"^{engine} cannot load the model: got "):
        run_isolated(MICRO.replace(own, huge), IMAGES[:1], engine=engine)


@pytest.mark.parametrize("name", ["SEGV", "ABRT"])
def test_crash_there_is_an_error_here(other_python, name):
    other_python(f"kill -{name} $$")
    with pytest.raises(ModelError) as error:
        run_isolated(MICRO, IMAGES)
    assert str(error.value) == (
        f"the model crashes the interpreter: got SIG{name} in a process of its own; "
        "the file is damaged or made for another runtime: export or fetch it again"
    )


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo a note >&2; echo the reason >&2; exit 1", "the reason"),
        ("exit 3", "the model's process ended 3"),
    ],
)
def test_failure_there_is_told_here(other_python, script, message):
    other_python(script)
    with pytest.raises(ModelError) as error:
        run_isolated(MICRO, IMAGES)
    assert str(error.value) == message


def test_model_without_end_is_stopped(other_python):
    other_python("exec sleep 60")
    with pytest.raises(ModelError) as error:
        run_isolated(MICRO, IMAGES, timeout_s=0.2)
    assert str(error.value) == ("the model does not come to an end: expected a result within 0.2 s")
