"""Quantization-aware training: fine-tuning with the rounding of int8 in the forward pass."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import tensorflow_model_optimization as tfmot

from edge_mnist.dataset import Dataset
from edge_mnist.errors import ExportError
from edge_mnist.training.config import TrainConfig
from edge_mnist.training.fit import Reporter, fit

# The fine-tuning's peak rate, as a share of the training's: enough to move weights by a few int8
# steps, not enough to leave the minimum that the training found.
LEARNING_RATE_SHARE = 0.1


def plan_qat(config: TrainConfig, epochs: int) -> TrainConfig:
    """Return the fine-tuning that follows a training: the same, shorter, slower, to its end."""
    return dataclasses.replace(
        config,
        recipe="qat",
        epochs=epochs,
        learning_rate=config.learning_rate * LEARNING_RATE_SHARE,
        branches=1,
        schedule="cosine",
        patience=None,
        mixed_precision=False,
    )


def fine_tune(
    model: Any,
    dataset: Dataset,
    config: TrainConfig,
    *,
    state_folder: Path | None = None,
    reporter: Reporter | None = None,
) -> Any:
    """Return a copy of a model that was fine-tuned for int8; the model itself stays as it was.

    Its state is kept after each epoch under a name made of the model, the data and the
    configuration: the same call after an interruption goes on, any other starts anew.

    Args:
        model: A tf_keras functional model: [N, 28, 28, 1] in, [N, 10] out.
        dataset: Its training images are fitted to; validation is only reported.
        config: From `plan_qat`.
        state_folder: Where the state is kept until the fine-tuning is done.
        reporter: Told about progress.

    Returns:
        A tf_keras model with the rounding of int8 built in.

    Raises:
        ExportError: If the model has layers that cannot be quantized so.
        KeyboardInterrupt: If Ctrl-C stopped it.
    """
    try:
        quantized = tfmot.quantization.keras.quantize_model(model)
    except (ValueError, RuntimeError) as exc:
        raise ExportError(
            "cannot prepare the model for quantization-aware training",
            got=str(exc)[:300],
            remedy="use --method ptq",
        ) from exc
    state_path = None
    if state_folder is not None:
        state_path = state_folder / f".qat-{_identify(model, dataset, config)}.npz"
    result = fit(
        quantized,
        dataset.train,
        dataset.validation,
        config,
        state_path=state_path,
        reporter=reporter,
    )
    if result.interrupted:
        raise KeyboardInterrupt
    if state_path is not None:
        state_path.unlink(missing_ok=True)
    return quantized


def _identify(model: Any, dataset: Dataset, config: TrainConfig) -> str:
    digest = hashlib.sha256((config.to_json() + dataset.sha256).encode())
    for weights in model.get_weights():
        digest.update(weights.tobytes())
    return digest.hexdigest()[:16]
