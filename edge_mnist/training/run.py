"""One training from its configuration to a run folder, and back.

A run folder holds config.json, history.csv, model.keras, metrics.json, plots (PNG), and state.npz,
which a training that was cut off goes on from.
"""

import dataclasses
import json
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from edge_mnist.dataset import Dataset, Examples
from edge_mnist.errors import ModelError
from edge_mnist.evaluation import Evaluation, evaluate
from edge_mnist.files import write_atomically
from edge_mnist.trained_on import TrainedOn
from edge_mnist.training import plots
from edge_mnist.training.architectures import (
    build,
    count_multiply_adds,
    plan_multiply_adds,
)
from edge_mnist.training.branches import merge_branches
from edge_mnist.training.config import TrainConfig, load_config
from edge_mnist.training.device import select_device
from edge_mnist.training.fit import FitResult, Reporter, fit
from edge_mnist.training.history import render_csv
from edge_mnist.training.plan import (
    CONFIG_FILE,
    HISTORY_FILE,
    METRICS_FILE,
    MODEL_FILE,
    STATE_FILE,
)
from edge_mnist.training.precision import as_float32, build_in_precision

PREDICTION_BATCH_SIZE = 500


@dataclass(frozen=True)
class RunMetrics:
    """What came out of a run.

    Attributes:
        validation: On the validation images.
        test: On the test images, which chose nothing; None if the data has none.
    """

    arch: str
    parameters: int
    multiply_adds: int
    epochs: int
    interrupted: bool
    device: str
    seconds: float
    data_sha256: str
    validation: Evaluation
    test: Evaluation | None


def train_run(
    config: TrainConfig, dataset: Dataset, folder: Path, reporter: Reporter | None = None
) -> RunMetrics:
    """Train, save, measure and plot one run; go on with it if its state is in the folder.

    The training sees the training and validation images only. The test images are measured on
    once, at the end.

    Args:
        config: What to train.
        dataset: As `config.data` and `config.validation_split` say.
        folder: The run folder.
        reporter: Told about progress.

    Returns:
        The metrics, as written to metrics.json.

    Raises:
        TrainingError: If the architecture is unknown, the device is missing, the training diverges
            or its state is another's.
    """
    device = select_device(config.device, count_step_multiply_adds(config))
    started = time.perf_counter()
    write_atomically(folder / CONFIG_FILE, config.to_json())
    visible = dataset.without_test()
    build_network = partial(build, config.arch, config.branches)
    model = build_in_precision(build_network, config)
    result = fit(
        model,
        visible.train,
        visible.validation,
        config,
        state_path=folder / STATE_FILE,
        reporter=reporter,
    )
    model = as_float32(model, build_network, config)
    if config.branches > 1:
        plain = build(config.arch)
        merge_branches(model, plain, visible.train.images)
        model = plain
    save_model(model, folder / MODEL_FILE)
    write_atomically(folder / HISTORY_FILE, render_csv(result.history))
    metrics = _measure(model, config, dataset, result, device, time.perf_counter() - started)
    metrics_json = json.dumps(dataclasses.asdict(metrics), indent=2) + "\n"
    write_atomically(folder / METRICS_FILE, metrics_json)
    plots.plot_run(folder, result.history, dataset, predict_logits(model, _shown(dataset).images))
    return metrics


def count_step_multiply_adds(config: TrainConfig) -> int:
    """Return the multiply-adds of the forward pass of one training step, of one branch."""
    return config.batch_size * plan_multiply_adds(config.arch)


def load_run(path: Path) -> Any:
    """Load the trained model of a run folder, or of a .keras file.

    Raises:
        ModelError: If there is no model, or it is one of another kind.
    """
    return load_model(path / MODEL_FILE if path.is_dir() else path)


def load_run_config(path: Path) -> TrainConfig | None:
    """Return the configuration in a run folder or beside a .keras file, None if there is none.

    Raises:
        TrainingError: If it cannot be read.
    """
    config_path = (path if path.is_dir() else path.parent) / CONFIG_FILE
    return load_config(config_path) if config_path.exists() else None


def load_trained_on(path: Path) -> TrainedOn | None:
    """Return what a run folder's or .keras file's model was trained on.

    None where no metrics.json that tells it stands there.
    """
    metrics_path = (path if path.is_dir() else path.parent) / METRICS_FILE
    try:
        fields = json.loads(metrics_path.read_text())
        data = TrainedOn((str(fields["data_sha256"]),))
        return data.joined(TrainedOn(**fields["before"]) if "before" in fields else None)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save_model(model: Any, path: Path) -> None:
    """Write a Keras model whole or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / MODEL_FILE
        model.save(temporary)
        write_atomically(path, temporary.read_bytes())


def load_model(path: Path) -> Any:
    """Load a .keras file of a model that takes [N, 28, 28, 1] and gives [N, 10].

    Raises:
        ModelError: If there is none, it cannot be read, or it is of another kind.
    """
    if not path.is_file():
        raise ModelError(
            "cannot find the trained model",
            expected=f"a run folder with {MODEL_FILE}, or a .keras file",
            got=str(path),
            remedy="make one with edge-mnist train",
        )
    try:
        model = tf_keras.models.load_model(path, compile=False)
    # Keras raises what its many layers raise; whatever it is, the file is at fault.
    except Exception as exc:
        raise ModelError(
            f"cannot read the model {path}",
            expected="a .keras file that tf_keras can load",
            got=f"{type(exc).__name__}: {exc}"[:300],
        ) from exc
    if model.input_shape != (None, 28, 28, 1) or model.output_shape != (None, 10):
        raise ModelError(
            f"cannot use the model {path}",
            expected="[N, 28, 28, 1] in and [N, 10] out",
            got=f"{model.input_shape} in and {model.output_shape} out",
        )
    return model


def predict_logits(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Run a Keras model.

    Args:
        model: A tf_keras model: float32 [N, 28, 28, 1] from 0 to 1 in, [N, 10] out.
        images: uint8 [N, 28, 28].

    Returns:
        float32 [N, 10], whatever the model's outputs are.
    """
    batches = range(0, len(images), PREDICTION_BATCH_SIZE)
    scaled = (
        images[start : start + PREDICTION_BATCH_SIZE, ..., None].astype(np.float32) / 255
        for start in batches
    )
    return np.concatenate([model(batch, training=False).numpy() for batch in scaled])


def _measure(
    model: Any,
    config: TrainConfig,
    dataset: Dataset,
    result: FitResult,
    device: str,
    seconds: float,
) -> RunMetrics:
    def score(examples: Examples) -> Evaluation:
        return evaluate(predict_logits(model, examples.images).argmax(axis=1), examples.labels)

    return RunMetrics(
        arch=config.arch,
        parameters=int(model.count_params()),
        multiply_adds=count_multiply_adds(model),
        epochs=len(result.history),
        interrupted=result.interrupted,
        device=device,
        seconds=seconds,
        data_sha256=dataset.sha256,
        validation=score(dataset.validation),
        test=score(dataset.test) if dataset.test is not None else None,
    )


def _shown(dataset: Dataset) -> Examples:
    return dataset.validation if dataset.test is None else dataset.test
