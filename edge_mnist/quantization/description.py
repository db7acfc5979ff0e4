"""What an export is and how well it reads: its model card."""

import dataclasses
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.dataset import Dataset, Examples
from edge_mnist.evaluation import evaluate
from edge_mnist.isolation import run_isolated
from edge_mnist.model_card import KEPT_SHARE, Accuracy, ModelCard, hash_bytes
from edge_mnist.quantization.parity import ParityReport
from edge_mnist.quantization.temperature import fit_temperature
from edge_mnist.runtime import compute_rejection_scores
from edge_mnist.trained_on import TrainedOn
from edge_mnist.training.architectures import count_multiply_adds
from edge_mnist.training.config import TrainConfig
from edge_mnist.training.run import predict_logits

INPUT_MEANING = "uint8 [1, 28, 28, 1], raw pixels: 0 is paper, 255 is ink"
MADE_WITH = ("edge-mnist", "tensorflow", "tf-keras", "tensorflow-model-optimization", "numpy")


@dataclass(frozen=True)
class TrainedModel:
    """A model and where it comes from.

    Attributes:
        model: A tf_keras model: float32 [N, 28, 28, 1] from 0 to 1 in, [N, 10] out.
        training: How it was trained; fine-tuning follows it.
        dataset: What it was trained on, or what was named instead, which it is quantized with.
        seen: What it was trained on, as far as that is known.
    """

    model: Any
    training: TrainConfig
    dataset: Dataset
    seen: TrainedOn | None = None


@dataclass(frozen=True)
class Candidate:
    """A conversion that passed its checks.

    Attributes:
        content: The .tflite file's.
        number_format: int8, float16, dynamic or float32.
        quantization: The method, and what it was done with.
        parity: What the engines did with it.
        validation_accuracy: 0 to 1.
    """

    content: bytes
    number_format: str
    quantization: dict[str, Any]
    parity: ParityReport
    validation_accuracy: float


def describe(name: str, candidate: Candidate, source: TrainedModel) -> ModelCard:
    """Measure an export, on the test images last, and return its card."""
    run, validation = candidate.parity.run, source.dataset.validation
    trained_on = TrainedOn((source.dataset.sha256,)).joined(source.seen)
    temperature, rejection_threshold = 1.0, None
    if run.output_kind == "logits":
        temperature = fit_temperature(run.values, validation.labels)
        scores = compute_rejection_scores(run.values / temperature)
        rejection_threshold = float(np.quantile(scores, KEPT_SHARE))
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
        rejection_threshold=rejection_threshold,
        operators=run.operators,
        training=dataclasses.asdict(source.training),
        data={"name": source.dataset.name, **trained_on.to_json()},
        accuracy=_measure(candidate, source),
        agreement={
            engine: f"{100 * share:.2f} %" for engine, share in candidate.parity.agreement.items()
        },
        engines=candidate.parity.engines,
        versions={package: metadata.version(package) for package in MADE_WITH},
    )


def _measure(candidate: Candidate, source: TrainedModel) -> dict[str, Accuracy]:
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
