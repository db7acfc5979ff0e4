import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fuzz_models import corrupt

from edge_mnist import Classifier
from edge_mnist.engines import installed_engines
from edge_mnist.errors import ModelError
from edge_mnist.model_store import find_model

DRIVER = Path(__file__).parent / "fuzz_models.py"
COPIES = 1000
WORKERS = 2


def test_no_corrupted_model_without_a_card_crashes_the_process_that_loads_it(tmp_path):
    engines = list(installed_engines())
    workers = [
        subprocess.Popen(
            [
                *(sys.executable, "-W", "error", DRIVER, find_model()),
                *(engines[seed % len(engines)], str(seed), str(COPIES // WORKERS), tmp_path),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(WORKERS)
    ]
    answers = [worker.communicate() for worker in workers]
    for worker, (output, told) in zip(workers, answers, strict=True):
        assert worker.returncode == 0, told[-2000:]
        outcomes = json.loads(output)
        assert outcomes["refused"] + outcomes["predicted"] == COPIES // WORKERS
        assert min(outcomes.values()) > 0, outcomes


def fail_to_run(*args, **kwargs):
    raise AssertionError("a process was started")


def test_no_model_cut_short_reaches_an_interpreter(tmp_path, monkeypatch):
    # An engine would read on behind its end, and crash or not as memory happens to be.
    monkeypatch.setattr("edge_mnist.isolation.subprocess.run", fail_to_run)
    content, path = find_model("pico").read_bytes(), tmp_path / "cut.tflite"
    for size in range(0, len(content), 50):
        path.write_bytes(content[:size])
        with pytest.raises(ModelError, match=r"^cannot use the model .*cut\.tflite: it is "):
            Classifier.load(path)


def test_no_corrupted_model_with_a_card_reaches_an_interpreter(tmp_path, monkeypatch, fake_model):
    shutil.copy(find_model().with_suffix(".json"), tmp_path / "damaged.json")
    content, path = find_model().read_bytes(), tmp_path / "damaged.tflite"
    model = fake_model(content=content)
    monkeypatch.setattr("edge_mnist.isolation.subprocess.run", fail_to_run)
    rng = np.random.default_rng(7)
    for _ in range(200):
        path.write_bytes(corrupt(content, rng))
        with pytest.raises(ModelError, match=r"^cannot use the model .*damaged\.tflite: it is "):
            Classifier.load(path)
    assert model.threads == []
    # The undamaged file does reach it.
    path.write_bytes(content)
    Classifier.load(path)
    assert model.threads == [1]
