"""From a trained model to checked .tflite files with their cards."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_mnist import dataset
from edge_mnist.dataset import Dataset
from edge_mnist.errors import ExportError
from edge_mnist.files import write_atomically
from edge_mnist.model_card import ModelCard, save_card
from edge_mnist.quantization.config import ExportConfig
from edge_mnist.quantization.convert import REPRESENTATIVE_IMAGES, convert_float, convert_int8
from edge_mnist.quantization.description import Candidate, TrainedModel, describe
from edge_mnist.quantization.parity import check_parity
from edge_mnist.quantization.qat import fine_tune, plan_qat
from edge_mnist.training.config import Device
from edge_mnist.training.device import select_device
from edge_mnist.training.fit import Reporter
from edge_mnist.training.recipes import DEFAULT_RECIPE, find_recipe
from edge_mnist.training.run import (
    count_step_multiply_adds,
    load_run,
    load_run_config,
    load_trained_on,
    predict_logits,
)


@dataclass(frozen=True)
class Export:
    """One file that was written, with its card."""

    path: Path
    card: ModelCard


def open_source(
    path: Path,
    data: str | None = None,
    load_dataset: Callable[[str, float], Dataset] | None = None,
) -> TrainedModel:
    """Load a trained model with the data that it was trained on.

    Args:
        path: A run folder, or a .keras file; one without a config.json beside it is taken to
            have been trained by the default recipe.
        data: The data's name if the user gave it; None for the run's.
        load_dataset: Loads data by name and validation split; None for `dataset.load`.

    Raises:
        ModelError: If there is no such model or it is of another kind.
        DatasetError: If the data is missing or broken.
    """
    training = load_run_config(path)
    # A model that was trained on a GPU can be quantized without one.
    device: Device = "cpu" if training is not None and training.device == "cpu" else "auto"
    # Before the model is loaded, since that starts TensorFlow.
    select_device(device, count_step_multiply_adds(training) if training else None)
    model = load_run(path)
    if training is None:
        default = find_recipe(DEFAULT_RECIPE)
        training = dataclasses.replace(default, recipe="unknown", arch=model.name)
    training = dataclasses.replace(training, device=device, data=data or training.data)
    load = load_dataset or _load_dataset
    loaded = load(training.data, training.validation_split)
    return TrainedModel(model, training, loaded, load_trained_on(path))


def export_model(
    source: TrainedModel,
    config: ExportConfig,
    *,
    folder: Path,
    reporter: Reporter | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Export]:
    """Convert, check, measure and write.

    Only training and validation images are looked at until a file is settled; the test images
    measure it last. A file that fails a check is not written, and what stood there stays.

    Args:
        source: What to convert.
        config: What to make of it.
        folder: Where the files go.
        reporter: Told about the fine-tuning's progress.
        say: Told what is under way.

    Raises:
        ExportError: If a conversion or a check fails.
        KeyboardInterrupt: If Ctrl-C stopped the fine-tuning; the same call goes on with it.
    """
    visible = dataclasses.replace(source, dataset=source.dataset.without_test())
    name = config.name or source.training.arch
    folder.mkdir(parents=True, exist_ok=True)  # a folder that cannot be is noticed before the work
    candidates = {}
    if config.int8:
        candidates[name] = _make_int8(visible, config, folder, reporter, say)
    for number_format in config.floats:
        say(f"converting to {number_format}")
        content = convert_float(source.model, number_format)
        candidates[f"{name}-{number_format}"] = _check(
            content, visible, visible.model, number_format, {"method": "none"}, config.max_bytes
        )
    return [
        _write(folder / f"{stem}.tflite", candidate, source)
        for stem, candidate in candidates.items()
    ]


def _load_dataset(data: str, validation_split: float) -> Dataset:
    return dataset.load(data, validation_split=validation_split)


def _make_int8(
    source: TrainedModel,
    config: ExportConfig,
    folder: Path,
    reporter: Reporter | None,
    say: Callable[[str], None],
) -> Candidate:
    """Return the int8 model, the better one on validation if both methods are asked for."""
    candidates, failures = [], []
    for method in ("ptq", "qat") if config.method == "both" else (config.method,):
        try:
            if method == "qat":
                candidate = _make_qat(source, config, folder, reporter, say)
            else:
                candidate = _make_ptq(source, config, say)
        except ExportError as exc:
            if config.method != "both":
                raise
            failures.append(f"{method}: {exc}")
            say(f"{method} fails: {exc}")
            continue
        say(f"{method}: {100 * candidate.validation_accuracy:.2f} % on validation")
        candidates.append(candidate)
    if not candidates:
        raise ExportError("neither method gives a good export", got="; ".join(failures))
    return max(candidates, key=lambda candidate: candidate.validation_accuracy)


def _make_qat(
    source: TrainedModel,
    config: ExportConfig,
    folder: Path,
    reporter: Reporter | None,
    say: Callable[[str], None],
) -> Candidate:
    say(f"fine-tuning for int8, {config.qat_epochs} epochs")
    plan = plan_qat(source.training, config.qat_epochs)
    tuned = fine_tune(source.model, source.dataset, plan, state_folder=folder, reporter=reporter)
    content = convert_int8(tuned, None)
    how = {"method": "qat", "epochs": plan.epochs, "learning_rate": plan.learning_rate}
    return _check(content, source, tuned, "int8", how, config.max_bytes)


def _make_ptq(source: TrainedModel, config: ExportConfig, say: Callable[[str], None]) -> Candidate:
    say("converting to int8 after training")
    representative = source.dataset.train.images[:REPRESENTATIVE_IMAGES]
    content = convert_int8(source.model, representative)
    how = {"method": "ptq", "representative_images": len(representative)}
    return _check(content, source, source.model, "int8", how, config.max_bytes)


def _check(
    content: bytes,
    source: TrainedModel,
    converted_from: Any,
    number_format: str,
    quantization: dict[str, Any],
    max_bytes: int,
) -> Candidate:
    validation = source.dataset.validation
    parity = check_parity(
        content,
        validation,
        predict_logits(converted_from, validation.images),
        is_int8=number_format == "int8",
        max_bytes=max_bytes,
    )
    right = parity.run.outputs.argmax(axis=1) == validation.labels
    return Candidate(content, number_format, quantization, parity, float(right.mean()))


def _write(path: Path, candidate: Candidate, source: TrainedModel) -> Export:
    card = describe(path.stem, candidate, source)
    # The card last: should this stop between the two, the runtime refuses the mismatch.
    write_atomically(path, candidate.content)
    save_card(card, path)
    return Export(path, card)
