"""A float model and the int8 model that was made of it, held against each other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_mnist.agreement import Agreement, compare_readings
from edge_mnist.dataset import Examples
from edge_mnist.layer_noise import Layer, LayerNoise, advise, measure_noise, run_layers
from edge_mnist.model_card import ModelCard
from edge_mnist.runtime import Classifier

# More say no more of a layer's noise.
LAYER_IMAGES = 500

Readings = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Digits, int64 [N], and their confidences, float64 [N] from 0 to 1."""


@dataclass(frozen=True)
class TwinComparison:
    """What quantization changed.

    Attributes:
        readings: First the float model, second the int8 one.
        layers: What both gave out in each layer with weights, on the first images.
        noises: What is lost in each of them.
        advice: Which one costs most, and what to try.
    """

    readings: Agreement
    layers: list[Layer]
    noises: list[LayerNoise]
    advice: str


def compare_twins(
    float_content: bytes,
    int8_content: bytes,
    card: ModelCard | None,
    classifier: Classifier,
    examples: Examples,
) -> TwinComparison:
    """Run both on the same images, in the same engine.

    Args:
        float_content: A float32 .tflite file's bytes.
        int8_content: The int8 one's.
        card: The int8 model's, if it has one; its temperature holds for both.
        classifier: The int8 model.
        examples: Images that neither was trained on, at least one.

    Raises:
        ModelError: As `run_layers`.
    """
    # First, since it refuses what is no pair.
    shown = examples.images[:LAYER_IMAGES]
    layers = run_layers(float_content, int8_content, shown, classifier.engine)
    float_classifier = Classifier(
        float_content,
        engine=classifier.engine,
        output_kind=card.output_kind if card else None,
        temperature=card.temperature if card else 1.0,
    )
    readings = compare_readings(
        read_digits(float_classifier, examples.images),
        read_digits(classifier, examples.images),
        examples.labels,
    )
    noises = measure_noise(layers)
    method = card.quantization.get("method") if card else None
    return TwinComparison(readings, layers, noises, advise(noises, method))


def read_digits(classifier: Classifier, images: NDArray[np.uint8]) -> Readings:
    """Return what a model reads in images, uint8 [N, 28, 28]."""
    predictions = classifier.predict_batch(images)
    return (
        np.array([prediction.digit for prediction in predictions]),
        np.array([prediction.confidence for prediction in predictions]),
    )
