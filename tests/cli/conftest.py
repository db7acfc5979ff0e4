import contextlib
import importlib.util
import io
import json
import os
import re
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edge_mnist.cli.app import main

# What the trainings here give does not depend on a GPU, and one test is about its absence.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        """The one line of an error."""
        assert self.code == 1, self.err
        assert "Traceback" not in self.err
        line = self.err.splitlines()[-1]
        assert line.startswith("edge-mnist: "), self.err
        return line.removeprefix("edge-mnist: ")


def call(*arguments):
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as exc:
            code = exc.code or 0
    return Outcome(code, ANSI.sub("", out.getvalue()), ANSI.sub("", err.getvalue()))


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="session")
def call_edge_mnist():
    """What `edge_mnist` calls, for fixtures that outlive a test; in the folder that is current."""
    return call


@pytest.fixture
def edge_mnist(monkeypatch, tmp_path):
    """Return a function that runs `edge-mnist` in this process and an empty folder."""
    monkeypatch.chdir(tmp_path)
    return call


@pytest.fixture
def edge_mnist_process(tmp_path):
    """Return a function that runs `edge-mnist` in a fresh process without some packages."""

    def run(*arguments, without=(), env=None):
        hidden = "".join(f"sys.modules[{name!r}] = None; " for name in without)
        program = f"import sys; {hidden}from edge_mnist.cli.app import main; main()"
        process = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
        )
        return Outcome(process.returncode, process.stdout, process.stderr)

    return run


@pytest.fixture(scope="session")
def tensorflow():
    """Skip where the train extra is not installed."""
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("needs TensorFlow: pip install 'edge-mnist[train]'")


@pytest.fixture(scope="session")
def trained(tensorflow, tmp_path_factory):
    """The folder of a run of two seconds on optdigits, and what the command said."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    options = ("--data", "optdigits", "--epochs", "3", "--batch-size", "32", "--device", "cpu")
    outcome = call("train", *options, "--out", folder, "--json")
    assert outcome.code == 0, outcome.err
    return folder, outcome


@pytest.fixture(scope="session")
def quantized(trained, tmp_path_factory):
    """A run of two seconds, and the int8 model that was made of it."""
    folder, _ = trained
    out = tmp_path_factory.mktemp("int8")
    outcome = call("quantize", folder, "--int8", "--method", "ptq", "--out", out, "--json")
    assert outcome.code == 0, outcome.err
    (path,) = out.glob("*.tflite")
    return folder, path


@pytest.fixture
def write_idx(tmp_path):
    """Return a function that writes labelled images as a folder of IDX files."""

    def write(name, **splits):
        folder = tmp_path / name
        folder.mkdir()
        for prefix, (images, labels) in splits.items():
            arrays = {f"{prefix}-images-idx3-ubyte": images, f"{prefix}-labels-idx1-ubyte": labels}
            for file, array in arrays.items():
                shape = struct.pack(f">{array.ndim}I", *array.shape)
                header = b"\0\0\x08" + bytes([array.ndim]) + shape
                (folder / file).write_bytes(header + array.astype(np.uint8).tobytes())
        return folder

    return write


@pytest.fixture
def write_picture(tmp_path):
    """Return a function that writes pixels as a picture file."""
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV: pip install 'edge-mnist[vision]'")

    def write(name, pixels):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(path), pixels)
        return path

    return write


@pytest.fixture(scope="session")
def draw_page(mnist):
    """Return a function that draws numbers in digits of MNIST, 60 px high, on light paper."""
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV: pip install 'edge-mnist[vision]'")

    def draw(numbers):
        """Return two numbers, each in a line of its own: uint8 [480, 640]."""
        page = np.full((480, 640), 235, np.uint8)
        chosen = dict.fromkeys(range(10), 1)  # the first 5 of MNIST looks like a 6
        for row, text in enumerate(numbers):
            for column, digit in enumerate(map(int, text)):
                image = mnist.test.images[mnist.test.labels == digit][chosen[digit]]
                ink = cv2.resize(image, (60, 60), interpolation=cv2.INTER_CUBIC)
                chosen[digit] += 1
                y, x = 120 + 150 * row, 60 + 60 * column
                page[y : y + 60, x : x + 60] -= (ink * 0.8).astype(np.uint8)
        return page

    return draw


@pytest.fixture(scope="session")
def pages():
    docs = Path(__file__).parent.parent.parent / "docs"
    return {path.name: path.read_text() for path in docs.glob("*.md")}


@pytest.fixture
def form(tmp_path):
    """Fields around the numbers of the page; a rule says that the second is wrong."""
    path = tmp_path / "FIELDS.toml"
    path.write_text(
        '[page]\nfind = "whole"\n'
        '[[field]]\nname = "date"\nbox = [0.05, 0.2, 0.9, 0.2]\ndigits = 8\n'
        '[[field]]\nname = "sum"\nbox = [0.05, 0.52, 0.9, 0.2]\ndigits = 3\nrange = [0, 99]\n'
        '[[field]]\nname = "left"\nbox = [0.05, 0.8, 0.9, 0.15]\ndigits = [0, 3]\n'
    )
    return path
