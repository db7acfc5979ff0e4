"""What a model looks at: its filters, and what spoke for the digits that it read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_mnist.errors import ModelError
from edge_mnist.explanation.explain import Subject as Explained
from edge_mnist.explanation.occlusion import measure_occlusion
from edge_mnist.explanation.results import Filters, GradCam, Occlusion
from edge_mnist.report.measurement import Measurement, Reading

RIGHT_ONES, WRONG_ONES = 3, 2


@dataclass(frozen=True)
class ExplainedReading:
    """One image, and where the network saw what speaks for the digit that it read."""

    reading: Reading
    gradcams: list[GradCam]
    occlusion: Occlusion


@dataclass(frozen=True)
class Insight:
    """What a model looks at.

    Attributes:
        filters: Of its convolutions.
        readings: Of a few images; none where there are no images.
        no_gradcam: Why there is no Grad-CAM; None if there is.
    """

    filters: list[Filters]
    readings: list[ExplainedReading]
    no_gradcam: str | None


def look_into(explained: Explained, measurement: Measurement | None) -> Insight:
    """Return what a model looks at.

    Args:
        explained: The model.
        measurement: What it read; the worst mistakes are explained, and a few samples.
    """
    filters = [explained.read_filters(layer) for layer in explained.convolutions]
    chosen = [] if measurement is None else _choose(measurement)
    no_gradcam: str | None = None
    found = []
    for reading in chosen:
        gradcams: list[GradCam] = []
        if no_gradcam is None:
            try:
                gradcams = explained.compute_gradcams(
                    reading.image, reading.digit, explained.convolutions
                )
            except ModelError as exc:
                no_gradcam = str(exc)
        occlusion = measure_occlusion(explained.read, reading.image, reading.digit)
        found.append(ExplainedReading(reading, gradcams, occlusion))
    return Insight(filters, found, no_gradcam)


def _choose(measurement: Measurement) -> Sequence[Reading]:
    """Return the worst mistakes, and samples of digits that lie apart."""
    right = [reading for reading in measurement.samples if reading.is_right]
    places = np.linspace(0, len(right) - 1, min(RIGHT_ONES, len(right)), dtype=int)
    return [*(right[place] for place in places), *measurement.mistakes[:WRONG_ONES]]
