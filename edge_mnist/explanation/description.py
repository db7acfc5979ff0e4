"""An explanation in plain types, as the command prints it in JSON."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.explanation.explain import Explanation, ImageExplanation
from edge_mnist.explanation.results import Activation

DECIMALS = 5


def describe_explanation(explanation: Explanation) -> dict[str, Any]:
    """Return what was found out; of filters and activations the figures, of the maps all values."""
    return {
        "model": explanation.model,
        "engine": explanation.engine,
        "filters": [
            {
                "layer": filters.layer,
                "shape": list(filters.weights.shape),
                **_describe_values(filters.weights),
            }
            for filters in explanation.filters
        ],
        "images": [_describe_image(image) for image in explanation.images],
    }


def _describe_image(image: ImageExplanation) -> dict[str, Any]:
    occlusion = image.occlusion
    return {
        "source": image.source,
        "digit": image.digit,
        "confidence": image.confidence,
        "explained_digit": image.explained_digit,
        "activations": [_describe_activation(activation) for activation in image.activations],
        "gradcam": [{"layer": found.layer, "heat": _round(found.heat)} for found in image.gradcams],
        "occlusion": occlusion
        and {**dataclasses.asdict(occlusion), "lost": _round(occlusion.lost)},
    }


def _describe_activation(activation: Activation) -> dict[str, Any]:
    quantization = activation.quantization
    return {
        "layer": activation.layer,
        "shape": list(activation.values.shape),
        "dtype": activation.dtype,
        "scale": None if quantization is None else quantization.scale[0],
        "zero_point": None if quantization is None else quantization.zero_point[0],
        **_describe_values(activation.values),
        "zero_share": float((activation.values == 0).mean()),
    }


def _describe_values(values: NDArray[np.float32]) -> dict[str, float]:
    return {"least": float(values.min()), "largest": float(values.max())}


def _round(values: NDArray[np.float32]) -> Any:
    return np.round(values.astype(np.float64), DECIMALS).tolist()
