import os

# One thread for TensorFlow in every process that the tests start, as in the trainings of small
# networks: weights are the same to the bit only with the same number of threads.
os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"

import contextlib
import dataclasses
import struct
from dataclasses import dataclass, field
from itertools import accumulate, cycle
from types import SimpleNamespace

import numpy as np
import pytest

# tflite_runtime fails in a process that imported TensorFlow before it, as other tests here do.
# Where it is not installed there is ai-edge-litert, which does not mind.
with contextlib.suppress(ImportError):
    import tflite_runtime.interpreter  # noqa: F401

from edge_mnist import dataset, engines
from edge_mnist.engines import installed_engines
from edge_mnist.errors import DatasetError


@pytest.fixture(scope="session", autouse=True)
def config_folder(tmp_path_factory):
    """Keep the developer's own tuned settings out, also of the processes that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture
def tuned_file(tmp_path, monkeypatch):
    """Where a test that tunes keeps what it finds, so that no other test runs with it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "edge-mnist" / "tuned.json"


@pytest.fixture(scope="session")
def mnist():
    try:
        return dataset.load("mnist")
    except DatasetError as exc:
        pytest.skip(str(exc))


@pytest.fixture(scope="session")
def fewer_mnist(mnist):
    """MNIST with fewer images: enough to fine-tune on, and to measure flips with."""

    def cut(examples, count):
        return examples.take(np.arange(count))

    return dataclasses.replace(
        mnist,
        train=cut(mnist.train, 6000),
        validation=cut(mnist.validation, 2500),
        test=cut(mnist.test, 500),
    )


@pytest.fixture(params=list(installed_engines()))
def engine(request):
    return request.param


@dataclass
class FakeModel:
    """What a fake interpreter tells of its model, and what the model gives.

    Attributes:
        respond: Takes input codes [28, 28] and gives ten outputs.
        respond_resized: The same for each image of a resized batch; None if it cannot be resized.
        seen: Every input that was run, [N, 28, 28, 1].
        threads: What each interpreter was made with.
        kernels: And of which kind its kernels were.
    """

    respond: object = lambda codes: np.arange(10)
    respond_resized: object = None
    input_quantization: tuple = (1 / 255, 0)
    input_shape: tuple = (1, 28, 28, 1)
    input_dtype: type = np.uint8
    output_quantization: tuple = (0.1, 10)
    output_shape: tuple = (1, 10)
    output_dtype: type = np.uint8
    seen: list = field(default_factory=list)
    threads: list = field(default_factory=list)
    kernels: list = field(default_factory=list)
    # Enough of a .tflite file for the checks that come before the interpreter.
    content: bytes = struct.pack("<I4s", 16, b"TFL3") + bytes(120)

    def Interpreter(  # noqa: N802 - the engines' name
        self,
        model_content,
        num_threads,
        experimental_op_resolver_type,
        experimental_preserve_all_tensors,
    ):
        assert model_content == self.content
        self.threads.append(num_threads)
        self.kernels.append(experimental_op_resolver_type)
        return FakeInterpreter(self)

    class OpResolverType:
        AUTO = "default delegate"
        BUILTIN_WITHOUT_DEFAULT_DELEGATES = "no delegate"


class FakeInterpreter:
    def __init__(self, model):
        self.model, self.respond, self.size = model, model.respond, 1
        self.is_allocated = False

    def allocate_tensors(self):
        self.is_allocated = True

    def get_input_details(self):
        facts = self.model
        return [_details(3, facts.input_shape, facts.input_dtype, facts.input_quantization)]

    def get_output_details(self):
        facts = self.model
        return [_details(7, facts.output_shape, facts.output_dtype, facts.output_quantization)]

    def resize_tensor_input(self, index, shape):
        if self.model.respond_resized is None:
            raise ValueError("cannot resize")
        assert index == 3
        self.respond, self.size, self.is_allocated = self.model.respond_resized, shape[0], False

    def set_tensor(self, index, codes):
        assert index == 3
        assert self.is_allocated
        assert codes.dtype == np.uint8
        assert codes.shape == (self.size, 28, 28, 1)
        self.codes = codes.copy()

    def invoke(self):
        self.model.seen.append(self.codes)
        outputs = [self.respond(image) for image in self.codes[..., 0]]
        self.outputs = np.array(outputs, self.model.output_dtype)

    def get_tensor(self, index):
        assert index == 7
        return self.outputs


def _details(index, shape, dtype, quantization):
    return {"index": index, "shape": np.array(shape), "dtype": dtype, "quantization": quantization}


@pytest.fixture
def fake_model(monkeypatch):
    """Return a function that puts a FakeModel in the place of the engines."""

    def install(**facts):
        model = FakeModel(**facts)
        monkeypatch.setattr(engines, "import_engine", lambda engine: model)
        return model

    return install


@pytest.fixture
def image_clock(monkeypatch):
    """Return a function that makes resized batches seem faster, or slower, than single images."""

    def install(*, is_resized_faster):
        # In each trial the classifier reads the clock around the single images, and after the
        # resized batch.
        times = accumulate(cycle([0, 9, 1] if is_resized_faster else [0, 1, 9]))
        monkeypatch.setattr(
            "edge_mnist.batches.time", SimpleNamespace(perf_counter=lambda: next(times))
        )

    return install
