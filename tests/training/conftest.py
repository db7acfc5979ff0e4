import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

# On the CPU a seed fixes the weights to the bit; a GPU would not take part in that.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

collect_ignore_glob = [] if importlib.util.find_spec("tensorflow") else ["test_*.py"]


@dataclass(frozen=True)
class Run:
    """A finished training."""

    config: object
    folder: Path
    metrics: object


@pytest.fixture(scope="session")
def optdigits():
    from edge_mnist import dataset

    return dataset.load("optdigits")


@pytest.fixture(scope="session")
def tiny():
    """A training of two seconds."""
    from edge_mnist.training.config import TrainConfig

    return TrainConfig(
        arch="micro", epochs=2, recipe="tiny", data="optdigits", batch_size=64, device="cpu"
    )


@pytest.fixture(scope="session")
def tiny_run(tiny, optdigits, tmp_path_factory):
    from edge_mnist.training.run import train_run

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    return Run(tiny, folder, train_run(tiny, optdigits, folder))
