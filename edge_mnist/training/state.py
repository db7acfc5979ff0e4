"""The state of a training after an epoch, in one file: what resuming starts from."""

import io
import json
import math
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import TrainingError
from edge_mnist.files import write_atomically
from edge_mnist.training.history import EpochResult

# What a file that is no state, or another training's, ends in.
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)


@dataclass
class Progress:
    """How far a training is, besides the model's weights and the optimizer's variables.

    Attributes:
        history: A line an epoch.
        best_val_loss: The lowest validation loss so far.
        best_epoch: The epoch it was seen in, from 1; 0 before the first.
        best_weights: The model's weights then; empty if the best epoch does not count.
    """

    history: list[EpochResult] = field(default_factory=list)
    best_val_loss: float = math.inf
    best_epoch: int = 0
    best_weights: list[NDArray[Any]] = field(default_factory=list)


def save_state(path: Path, model: Any, optimizer: Any, progress: Progress) -> None:
    """Write the state whole or not at all."""
    arrays = {
        **_numbered("model", model.get_weights()),
        **_numbered("optimizer", [variable.numpy() for variable in optimizer.variables]),
        **_numbered("best", progress.best_weights),
    }
    meta = {
        "history": [asdict(result) for result in progress.history],
        "best_val_loss": progress.best_val_loss,
        "best_epoch": progress.best_epoch,
    }
    buffer = io.BytesIO()
    np.savez(buffer, meta=np.frombuffer(json.dumps(meta).encode(), np.uint8), **arrays)
    write_atomically(path, buffer.getvalue())


def load_state(path: Path, model: Any, optimizer: Any) -> Progress:
    """Put a saved state into a model and its optimizer.

    Raises:
        TrainingError: If the file cannot be read or is the state of another training.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as state:
            meta = json.loads(state["meta"].tobytes())
            weights, variables, best = (
                [state[f"{kind}/{i}"] for i in range(_count(state.files, kind))]
                for kind in ("model", "optimizer", "best")
            )
        model.set_weights(weights)
        for variable, value in zip(optimizer.variables, variables, strict=True):
            variable.assign(value)
        history = _read_history(meta)
    except _UNREADABLE as exc:
        raise _wrong_state(path, exc) from exc
    return Progress(history, meta["best_val_loss"], meta["best_epoch"], best)


def load_history(path: Path) -> list[EpochResult]:
    """Return the history in a saved state.

    Raises:
        TrainingError: If the file cannot be read.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as state:
            return _read_history(json.loads(state["meta"].tobytes()))
    except _UNREADABLE as exc:
        raise _wrong_state(path, exc) from exc


def _read_history(meta: dict[str, Any]) -> list[EpochResult]:
    return [EpochResult(**result) for result in meta["history"]]


def _wrong_state(path: Path, exc: Exception) -> TrainingError:
    return TrainingError(
        f"cannot resume from {path}",
        expected="the state of this training",
        got=str(exc),
        remedy="delete the run's folder to start anew",
    )


def _numbered(kind: str, arrays: list[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{kind}/{index}": array for index, array in enumerate(arrays)}


def _count(names: list[str], kind: str) -> int:
    return sum(name.startswith(f"{kind}/") for name in names)
