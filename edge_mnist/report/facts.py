"""What is told of a model in two columns: what it is called, and what it is."""

import dataclasses
from typing import Any

from edge_mnist.report.model_report import ModelReport
from edge_mnist.report.training import Training
from edge_mnist.training.config import TrainConfig

Facts = list[tuple[str, str]]

# What each field of a training is called, in the order in which they are told.
FIELDS = {
    "arch": "architecture",
    "recipe": "recipe",
    "data": "data",
    "epochs": "epochs",
    "batch_size": "images a step",
    "optimizer": "optimizer",
    "learning_rate": "learning rate",
    "schedule": "its schedule",
    "weight_decay": "weight decay",
    "label_smoothing": "label smoothing",
    "average_epochs": "weights averaged over, epochs",
    "branches": "branches of a convolution",
    "augmentation": "images vary by",
    "crops": "digits as crops, share",
    "handwriting": "digits of other habits, share",
    "styles": "digits drawn in other forms, share",
    "outliers": "images of no digit, share",
    "pairs": "digits that touch, share",
    "validation_split": "set aside for validation",
    "patience": "patience, epochs",
    "mixed_precision": "mixed precision",
    "seed": "seed",
}
# Told as a share of all.
SHARES = frozenset({"crops", "handwriting", "outliers", "pairs", "styles", "validation_split"})
# Not told where nothing is done with them, as by default.
OPTIONAL = frozenset(
    {
        "weight_decay",
        "label_smoothing",
        "average_epochs",
        "branches",
        "crops",
        "handwriting",
        "styles",
        "outliers",
        "pairs",
        "patience",
        "mixed_precision",
    }
)
DEFAULTS = {field.name: field.default for field in dataclasses.fields(TrainConfig)}


def list_headline(report: ModelReport) -> Facts:
    """Return the few figures that matter most."""
    facts: Facts = []
    if report.measurement is not None:
        found = report.measurement.evaluation
        facts.append(("accuracy", format_share(found.accuracy)))
    if report.inspection is not None:
        graph = report.inspection.graphs[0]
        facts.append(("bytes", f"{report.inspection.size_bytes:,}"))
        facts.append(("parameters in the file", f"{graph.parameters:,}"))
        facts.append(("multiply-adds", f"{graph.multiply_adds:,}"))
    elif report.training is not None and report.training.metrics is not None:
        facts.append(("parameters", f"{report.training.metrics.parameters:,}"))
        facts.append(("multiply-adds", f"{report.training.metrics.multiply_adds:,}"))
    if report.latency is not None:
        facts.append(("µs an image (median)", f"{report.latency.quickest.p50_us:.1f}"))
    return facts


def list_training(training: Training) -> Facts:
    """Return how a model was trained."""
    facts = []
    for name, told in FIELDS.items():
        value = training.config.get(name)
        if value is None and name not in OPTIONAL and name != "augmentation":
            continue
        if name in OPTIONAL and value in (None, DEFAULTS[name]):
            continue
        facts.append((told, _format_field(name, value)))
    if training.tuning is not None:
        tuning = training.tuning
        facts[:0] = [
            ("trained further from", tuning.base),
            ("on", tuning.data),
            ("MNIST's digits among them", format_share(tuning.replay)),
            ("layers left as they were", ", ".join(tuning.frozen) or "none"),
        ]
    if training.metrics is not None:
        metrics = training.metrics
        facts.append(("trained on", metrics.device))
        facts.append(("time", f"{metrics.seconds:,.0f} s"))
        facts.append(("SHA-256 of the data", metrics.data_sha256[:16] + "…"))
        if metrics.interrupted:
            facts.append(("interrupted", f"after {len(training.history)} epochs"))
    return facts


def list_quantization(report: ModelReport) -> Facts:
    """Return how the .tflite file was made, as far as its card tells."""
    card = report.subject.card
    if card is None:
        return []
    how = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in card.quantization.items()
    )
    engines = [
        f"{name} {version}: {card.agreement.get(name, 'not told')}"
        for name, version in card.engines.items()
    ]
    return [
        ("numbers", card.number_format),
        ("quantization", how),
        ("input", card.input),
        ("output", f"{card.output_kind}, temperature {card.temperature:.4g}"),
        ("read as the Keras model reads, in", "; ".join(engines)),
        ("SHA-256", card.sha256),
        ("made with", ", ".join(f"{name} {version}" for name, version in card.versions.items())),
    ]


def format_share(share: float) -> str:
    """Return a share as a percentage with two digits."""
    return f"{100 * share:.2f} %"


def _format_field(name: str, value: Any) -> str:
    if name == "augmentation":
        used = {} if value is None else {field: limit for field, limit in value.items() if limit}
        return ", ".join(f"{field} {limit:g}" for field, limit in used.items()) or "nothing"
    if name in SHARES:
        return format_share(value)
    return "yes" if value is True else str(value)
