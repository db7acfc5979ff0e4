"""All that a report tells about one model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.dataset import Examples
from edge_mnist.errors import ModelError
from edge_mnist.explanation.explain import Subject as Explained
from edge_mnist.explanation.keras_subject import KerasSubject
from edge_mnist.explanation.tflite_subject import TfliteSubject
from edge_mnist.inspection import Inspection, inspect_model
from edge_mnist.quantization.convert import convert_float
from edge_mnist.quantization.rebuild import rebuild
from edge_mnist.report.insight import Insight, look_into
from edge_mnist.report.latency import Latency, find_latency
from edge_mnist.report.measurement import Measurement, Reader, measure, read_with_classifier
from edge_mnist.report.repetition import bench_commands, list_commands, quantize_command
from edge_mnist.report.subject import INT8, Subject
from edge_mnist.report.training import Training
from edge_mnist.training.run import load_run
from edge_mnist.twins import TwinComparison, compare_twins

Say = Callable[[str], None]
"""Told what is under way."""


@dataclass(frozen=True)
class ReportData:
    """The images that all models of a report are measured on.

    Attributes:
        examples: None if there are none.
        name: As `--data` takes it; None if there are no images.
        told: What they are in words, or why there are none.
    """

    examples: Examples | None
    name: str | None
    told: str


@dataclass(frozen=True)
class ModelReport:
    """One model's chapter. What could not be had is None.

    Attributes:
        engine: What ran it; Keras for a run without an export.
        twin: Float against int8.
        rebuilt: Whether the float twin was made from the int8 file itself.
        missing: Why, by the name of the attribute that is None.
        remedies: The commands that bring it about, by the same name.
        commands: Those that make the model again.
    """

    subject: Subject
    training: Training | None
    engine: str
    measurement: Measurement | None
    insight: Insight
    twin: TwinComparison | None
    rebuilt: bool
    inspection: Inspection | None
    latency: Latency | None
    commands: list[str]
    missing: dict[str, str] = field(default_factory=dict)
    remedies: dict[str, list[str]] = field(default_factory=dict)


def report_on(
    subject: Subject, training: Training | None, data: ReportData, bench: Path | None, say: Say
) -> ModelReport:
    """Find out all about one model.

    Args:
        subject: The model.
        training: How it was trained, if that is known.
        data: What it is measured on.
        bench: What `edge-mnist bench` wrote, if it was named.
        say: Told what is under way.

    Raises:
        ModelError: If the model cannot be run or read.
        InvalidInputError: If `bench` is no benchmark's result.
    """
    missing: dict[str, str] = {}
    remedies: dict[str, list[str]] = {}
    explained, read = _open(subject, training)
    measurement = None
    if data.examples is None:
        missing["measurement"] = data.told
    else:
        say(f"{subject.title}: reading {len(data.examples):,} images")
        measurement = measure(read, data.examples)
    say(f"{subject.title}: looking into it")
    insight = look_into(explained, measurement)
    inspection = latency = None
    if subject.model is None:
        missing["inspection"] = "It is a Keras model: there is no .tflite file yet."
        missing["latency"] = "It is a Keras model; what is measured is a .tflite file."
        remedies["inspection"] = [quantize_command(subject)]
    else:
        inspection = inspect_model(subject.model.read_bytes())
        latency = find_latency(subject.model, bench)
        if latency is None:
            where = f"{bench} has nothing of this file." if bench else "It was not measured here."
            missing["latency"] = where
            remedies["latency"] = bench_commands(subject, subject.model)
    say(f"{subject.title}: float against int8")
    twin, rebuilt, why = _compare(subject, training, data, inspection)
    if twin is None:
        missing["twin"] = why
    return ModelReport(
        subject,
        training,
        explained.engine,
        measurement,
        insight,
        twin,
        rebuilt,
        inspection,
        latency,
        list_commands(subject, training, data.name),
        missing,
        remedies,
    )


def _open(subject: Subject, training: Training | None) -> tuple[Explained, Reader]:
    if subject.classifier is not None:
        named = subject.name if subject.trained is None else subject.model
        return TfliteSubject(named, subject.classifier.engine), read_with_classifier(
            subject.classifier
        )
    if training is None or training.keras is None:
        raise ModelError(f"there is no model in {subject.name}")
    keras = KerasSubject(training.keras)

    def read(images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], None]:
        return keras.read(images), None

    return keras, read


def _compare(
    subject: Subject,
    training: Training | None,
    data: ReportData,
    inspection: Inspection | None,
) -> tuple[TwinComparison | None, bool, str]:
    """Return float against int8, whether the float model was rebuilt, and why there is none."""
    if subject.model is None or subject.classifier is None or inspection is None:
        return None, False, "There is no int8 file to compare with."
    if inspection.number_format != INT8:
        return None, False, f"This is a {inspection.number_format} file, not an int8 one."
    if data.examples is None:
        return None, False, data.told
    content = subject.model.read_bytes()
    keras = None if training is None else training.keras
    is_rebuilt = keras is None
    try:
        network = rebuild(content) if keras is None else load_run(keras)
        float_content = convert_float(network, "float32")
        twin = compare_twins(
            float_content, content, subject.card, subject.classifier, data.examples
        )
    except ModelError as exc:
        return None, is_rebuilt, f"There is no float network to compare with: {exc}."
    return twin, is_rebuilt, ""
