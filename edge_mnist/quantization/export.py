"""From a trained model to checked .tflite files with their cards."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edge_mnist.dataset import Dataset, Examples
from edge_mnist.errors import ExportError, InvalidInputError
from edge_mnist.evaluation import evaluate
from edge_mnist.files import write_atomically
from edge_mnist.isolation import run_isolated
from edge_mnist.model_card import Accuracy, ModelCard, hash_bytes, save_card
from edge_mnist.quantization.convert import (
    REPRESENTATIVE_IMAGES,
    convert_float,
    convert_int8,
)
from edge_mnist.quantization.parity import ParityReport, check_parity
from edge_mnist.quantization.qat import DEFAULT_QAT_EPOCHS, fine_tune, plan_qat
from edge_mnist.quantization.temperature import fit_temperature
from edge_mnist.training.architectures import count_multiply_adds
from edge_mnist.training.config import TrainConfig
from edge_mnist.training.device import select_device
from edge_mnist.training.fit import Reporter
from edge_mnist.training.recipes import DEFAULT_RECIPE, find_recipe
from edge_mnist.training.run import load_run, predict_logits

METHODS = ("qat", "ptq", "both")
DEFAULT_MAX_BYTES = 1_000_000
INPUT_MEANING = "uint8 [1, 28, 28, 1], raw pixels: 0 is paper, 255 is ink"
MADE_WITH = ("edge-mnist", "tensorflow", "tf-keras", "tensorflow-model-optimization", "numpy")


@dataclass(frozen=True)
class ExportConfig:
    """What to export.

    Raises:
        InvalidInputError: If nothing is asked for or a field is out of its range.
    """

    int8: bool = False
    method: str = "qat"  # one of METHODS
    floats: tuple[str, ...] = ()  # of float32, float16, dynamic
    max_bytes: int = DEFAULT_MAX_BYTES
    qat_epochs: int = DEFAULT_QAT_EPOCHS

    def __post_init__(self) -> None:
        if not self.int8 and not self.floats:
            raise InvalidInputError(
                "nothing to export",
                expected="at least one of --int8, --float16, --dynamic, --float32",
                got="none",
            )
        if self.method not in METHODS:
            raise InvalidInputError("--method", expected=", ".join(METHODS), got=repr(self.method))
        if self.max_bytes < 1:
            raise InvalidInputError("--max-bytes", expected="at least 1", got=str(self.max_bytes))
        if self.qat_epochs < 1:
            raise InvalidInputError("--qat-epochs", expected="at least 1", got=str(self.qat_epochs))


@dataclass(frozen=True)
class Export:
    """One file that was written, with its card."""

    path: Path
    card: ModelCard


@dataclass(frozen=True)
class TrainedModel:
    """A model and where it comes from.

    Attributes:
        model: A tf_keras model: float32 [N, 28, 28, 1] from 0 to 1 in, [N, 10] out.
        training: How it was trained; fine-tuning follows it.
        dataset: What it was trained on.
    """

    model: Any
    training: TrainConfig
    dataset: Dataset


@dataclass(frozen=True)
class _Candidate:
    """A conversion that passed its checks."""

    content: bytes
    number_format: str
    quantization: dict[str, Any]
    parity: ParityReport
    validation_accuracy: float


def open_source(
    path: Path, data: str | None, load_dataset: Callable[[str, float], Dataset]
) -> TrainedModel:
    """Load a trained model with the data that it was trained on.

    Args:
        path: A run folder, or a .keras file; one without a config.json beside it is taken to
            have been trained by the default recipe.
        data: The data's name if the user gave it; None for the run's.
        load_dataset: Loads data by name and validation split.

    Raises:
        ModelError: If there is no such model or it is of another kind.
        DatasetError: If the data is missing or broken.
    """
    model, training = load_run(path)
    if training is None:
        default = find_recipe(DEFAULT_RECIPE)
        training = dataclasses.replace(default, recipe="unknown", arch=model.name)
    if data is not None:
        training = dataclasses.replace(training, data=data)
    select_device(training.device)
    return TrainedModel(model, training, load_dataset(training.data, training.validation_split))


def export_model(
    source: TrainedModel,
    config: ExportConfig,
    *,
    name: str | None = None,
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
        name: Of the int8 file, without .tflite; the others add their format. None for the
            architecture's.
        folder: Where the files go.
        reporter: Told about the fine-tuning's progress.
        say: Told what is under way.

    Raises:
        ExportError: If a conversion or a check fails.
        KeyboardInterrupt: If Ctrl-C stopped the fine-tuning; the same call goes on with it.
    """
    visible = dataclasses.replace(source, dataset=source.dataset.without_test())
    name = name or source.training.arch
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


def _make_int8(
    source: TrainedModel,
    config: ExportConfig,
    folder: Path,
    reporter: Reporter | None,
    say: Callable[[str], None],
) -> _Candidate:
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
) -> _Candidate:
    say(f"fine-tuning for int8, {config.qat_epochs} epochs")
    plan = plan_qat(source.training, config.qat_epochs)
    tuned = fine_tune(source.model, source.dataset, plan, state_folder=folder, reporter=reporter)
    content = convert_int8(tuned, None)
    how = {"method": "qat", "epochs": plan.epochs, "learning_rate": plan.learning_rate}
    return _check(content, source, tuned, "int8", how, config.max_bytes)


def _make_ptq(source: TrainedModel, config: ExportConfig, say: Callable[[str], None]) -> _Candidate:
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
) -> _Candidate:
    validation = source.dataset.validation
    parity = check_parity(
        content,
        validation,
        predict_logits(converted_from, validation.images),
        is_int8=number_format == "int8",
        max_bytes=max_bytes,
    )
    right = parity.run.outputs.argmax(axis=1) == validation.labels
    return _Candidate(content, number_format, quantization, parity, float(right.mean()))


def _write(path: Path, candidate: _Candidate, source: TrainedModel) -> Export:
    card = _describe(path.stem, candidate, source)
    # The card last: should this stop between the two, the runtime refuses the mismatch.
    write_atomically(path, candidate.content)
    save_card(card, path)
    return Export(path, card)


def _describe(name: str, candidate: _Candidate, source: TrainedModel) -> ModelCard:
    run, validation = candidate.parity.run, source.dataset.validation
    temperature = 1.0
    if run.output_kind == "logits":
        temperature = fit_temperature(run.values, validation.labels)
    return ModelCard(
        name=name,
        architecture=source.training.arch,
        parameters=int(source.model.count_params()),
        multiply_adds=count_multiply_adds(source.model),
        size_bytes=len(candidate.content),
        sha256=hash_bytes(candidate.content),
        number_format=candidate.number_format,
        quantization=candidate.quantization,
        input=INPUT_MEANING,
        output_kind=run.output_kind,
        temperature=temperature,
        operators=run.operators,
        training=dataclasses.asdict(source.training),
        data={"name": source.dataset.name, "sha256": source.dataset.sha256},
        accuracy=_measure(candidate, source),
        agreement={
            engine: f"{100 * share:.2f} %" for engine, share in candidate.parity.agreement.items()
        },
        engines=candidate.parity.engines,
        versions={package: metadata.version(package) for package in MADE_WITH},
    )


def _measure(candidate: _Candidate, source: TrainedModel) -> dict[str, Accuracy]:
    """Measure the Keras model and the export on validation, then on the test images."""
    run, validation, test = candidate.parity.run, source.dataset.validation, source.dataset.test
    number_format, keras = candidate.number_format, "float32 in Keras"
    export = f"{number_format} in {run.engine}"
    chosen = "epochs and method may have been chosen on these images"
    logits = predict_logits(source.model, validation.images)
    accuracy = {
        "float validation": _score(logits, validation, f"{keras}; {chosen}"),
        f"{number_format} validation": _score(run.outputs, validation, f"{export}; {chosen}"),
    }
    if test is not None:
        once = "measured at the end; these images chose nothing"
        logits = predict_logits(source.model, test.images)
        outputs = run_isolated(candidate.content, test.images, engine=run.engine).outputs
        accuracy["float test"] = _score(logits, test, f"{keras}; {once}")
        accuracy[f"{number_format} test"] = _score(outputs, test, f"{export}; {once}")
    return accuracy


def _score(outputs: NDArray[Any], examples: Examples, protocol: str) -> Accuracy:
    result = evaluate(outputs.argmax(axis=1), examples.labels)
    return Accuracy(result.accuracy, result.low, result.high, result.images, protocol)
