"""What `edge-mnist evaluate` measures beyond a data set's images, and how it is told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.cli.console import format_percent, needs, render_table, say
from edge_mnist.corruptions import CORRUPTIONS, STRENGTHS, choose_indices, corrupt
from edge_mnist.dataset import Examples
from edge_mnist.errors import InvalidInputError


@dataclass(frozen=True)
class Readings:
    """What a model said of N images.

    Attributes:
        digits: Integers [N], 0 to 9.
        confidences: [N], 0 to 1; None for a Keras model, which has no temperature.
        rejected: Whether it took each for no digit, [N]; None for a Keras model.
    """

    digits: NDArray[Any]
    confidences: NDArray[np.float64] | None = None
    rejected: NDArray[np.bool_] | None = None


# Reads images, uint8 [N, 28, 28].
Predictor = Callable[[NDArray[np.uint8]], Readings]


@dataclass(frozen=True)
class CorruptionReport:
    """A model's accuracy on images that were changed in one way."""

    kind: str
    unit: str  # of the amounts
    amounts: tuple[float, ...]  # at strengths 1 to 5
    images: int
    uncorrupted: float  # accuracy, 0 to 1, on the same images as they were
    accuracy: list[float]  # at strengths 1 to 5
    # The share that it took for no digit, at strengths 1 to 5; None for a Keras model.
    rejected: list[float] | None


@dataclass(frozen=True)
class NonDigitReport:
    """The share of some pictures without a digit that a model turned down."""

    kind: str
    images: int
    rejected: float


@dataclass(frozen=True)
class NonDigitReports:
    """All kinds, and what the threshold costs."""

    kinds: list[NonDigitReport]
    rejected: float  # of all pictures without a digit
    digits_kept: float  # of the digits that accuracy was measured on


def measure_corruptions(
    predict: Predictor, examples: Examples, predicted: NDArray[Any]
) -> list[CorruptionReport]:
    """Measure accuracy by kind and strength.

    Args:
        predict: The model.
        examples: What to change.
        predicted: What the model reads of them as they are, [N].
    """
    is_right = predicted == examples.labels
    reports = []
    for kind, corruption in CORRUPTIONS.items():
        indices = choose_indices(examples, kind)
        if len(indices) == 0:
            continue
        say(f"{kind}: {len(indices):,} images at five strengths")
        chosen = examples.take(indices)
        readings = [predict(corrupt(chosen.images, kind, strength)) for strength in STRENGTHS]
        rejected = [float(r.rejected.mean()) for r in readings if r.rejected is not None]
        reports.append(
            CorruptionReport(
                kind,
                corruption.unit,
                corruption.amounts,
                len(chosen),
                float(is_right[indices].mean()),
                [float((reading.digits == chosen.labels).mean()) for reading in readings],
                rejected or None,
            )
        )
    return reports


def measure_non_digits(
    predict: Predictor, examples: Examples, rejected_digits: float | None
) -> NonDigitReports:
    """Measure what share of pictures without a digit a model rejects.

    Args:
        predict: The model.
        examples: Digits to cut in half.
        rejected_digits: The share of the digits that it rejects; None if it cannot tell.

    Raises:
        InvalidInputError: If it cannot tell.
        MissingDependencyError: If OpenCV is not installed.
    """
    if rejected_digits is None:
        raise InvalidInputError("--non-digits", expected="a .tflite file", got="a Keras model")
    with needs("vision", "drawing what is no digit"):
        from edge_mnist.vision.non_digits import make_non_digits
    flags = {kind: predict(images).rejected for kind, images in make_non_digits(examples).items()}
    shares = {kind: (len(f), float(f.mean())) for kind, f in flags.items() if f is not None}
    images = sum(count for count, _ in shares.values())
    return NonDigitReports(
        [NonDigitReport(kind, count, share) for kind, (count, share) in shares.items()],
        sum(count * share for count, share in shares.values()) / images,
        1 - rejected_digits,
    )


def render_corruptions(reports: list[CorruptionReport]) -> str:
    """Return accuracies as a table for people, and the rejected shares as another if there are."""
    header = ("accuracy by strength", "images", "none", *map(str, STRENGTHS))
    rows = [
        [
            report.kind,
            str(report.images),
            *map(format_percent, [report.uncorrupted, *report.accuracy]),
        ]
        for report in reports
    ]
    rejected = [
        [report.kind, *map(format_percent, report.rejected)]
        for report in reports
        if report.rejected
    ]
    tables = [render_table(header, rows)]
    if rejected:
        tables.append(render_table(("rejected by strength", *map(str, STRENGTHS)), rejected))
    return "\n\n".join(tables)


def render_non_digits(reports: NonDigitReports) -> str:
    """Return rejected shares as a table for people."""
    rows = [
        [report.kind, str(report.images), format_percent(report.rejected)]
        for report in reports.kinds
    ]
    images = sum(report.images for report in reports.kinds)
    rows.append(["all", str(images), format_percent(reports.rejected)])
    table = render_table(("no digits", "images", "rejected"), rows)
    return f"{table}\n\ndigits kept: {format_percent(reports.digits_kept)}"
