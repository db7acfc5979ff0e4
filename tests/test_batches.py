from types import SimpleNamespace

import numpy as np
import pytest

from edge_mnist.batches import BatchRunner
from edge_mnist.engines import EngineSetting
from edge_mnist.graph import Graph

CODES = np.zeros((8, 28, 28, 1), np.uint8)


@pytest.fixture
def run(fake_model, monkeypatch):
    """Return a function that runs eight images, and tells how many went in at each call.

    It gets how many ms it takes to run the images one by one, and resized, in each try.
    """

    def run(*tries_ms):
        model = fake_model(respond_resized=lambda codes: np.arange(10))
        steps = [0.0, *(ms / 1000 for one in tries_ms for ms in (*one, 0.0))]
        times = iter(np.cumsum(steps).tolist())
        clock = SimpleNamespace(perf_counter=lambda: next(times))
        monkeypatch.setattr("edge_mnist.batches.time", clock)
        runner = BatchRunner(Graph(model.content, EngineSetting("tflite-runtime")), len(CODES))
        runner.run(CODES)  # where it finds out
        model.seen.clear()
        runner.run(CODES)
        return [len(codes) for codes in model.seen]

    return run


def test_disturbed_try_does_not_choose(run):
    assert run((2, 30), (2, 1), (2, 1)) == [8]
    assert run((30, 2), (1, 2), (1, 2)) == [1] * 8


def test_what_takes_long_is_tried_once(run):
    assert run((60, 50)) == [8]
    assert run((50, 60)) == [1] * 8
