"""Explaining a model by several methods at once, with a picture of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import InvalidInputError
from edge_mnist.explanation.occlusion import measure_occlusion
from edge_mnist.explanation.results import Activation, Filters, GradCam, Occlusion
from edge_mnist.preprocessing import NUM_CLASSES

FILTERS, ACTIVATIONS, GRADCAM, OCCLUSION = METHODS = (
    "filters",
    "activations",
    "gradcam",
    "occlusion",
)
ALL = "all"


class Subject(Protocol):
    """A model that can be explained: TfliteSubject or KerasSubject."""

    name: str
    engine: str

    @property
    def layers(self) -> list[str]:
        """The names of the layers that have activations, in order."""

    @property
    def convolutions(self) -> list[str]:
        """The names of the convolutions, in order."""

    def read(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return probabilities, float64 [N, 10], of images, uint8 [N, 28, 28]."""

    def read_filters(self, layer: str) -> Filters:
        """Return what a convolution has learned."""

    def record(self, image: NDArray[np.uint8], layers: list[str]) -> list[Activation]:
        """Return what layers make of one image, uint8 [28, 28]."""

    def compute_gradcams(
        self, image: NDArray[np.uint8], digit: int, layers: list[str]
    ) -> list[GradCam]:
        """Return Grad-CAM of convolutions for one image, uint8 [28, 28]."""


@dataclass(frozen=True)
class ExplainConfig:
    """What to explain.

    Attributes:
        method: One of METHODS, or all.
        layer: The only layer to look at; None for all.
        digit: The digit to explain; None for the one that was read.
    """

    method: str = ALL
    layer: str | None = None
    digit: int | None = None

    def __post_init__(self) -> None:
        if self.method not in (*METHODS, ALL):
            expected = ", ".join((*METHODS, ALL))
            raise InvalidInputError("--method", expected=expected, got=repr(self.method))
        if self.digit is not None and not 0 <= self.digit < NUM_CLASSES:
            expected = f"0 to {NUM_CLASSES - 1}"
            raise InvalidInputError("--class", expected=expected, got=str(self.digit))

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that are asked for."""
        return METHODS if self.method == ALL else (self.method,)

    @property
    def needs_images(self) -> bool:
        """Whether there is nothing to explain without an image."""
        return self.methods != (FILTERS,)


@dataclass(frozen=True)
class ImageExplanation:
    """What was found out about one image.

    Attributes:
        source: Its name.
        digit: What was read.
        confidence: The probability of that, 0 to 1.
        explained_digit: What was explained.
        image: uint8 [28, 28], what the network saw.
    """

    source: str
    digit: int
    confidence: float
    explained_digit: int
    image: NDArray[np.uint8]
    activations: list[Activation] = field(default_factory=list)
    gradcams: list[GradCam] = field(default_factory=list)
    occlusion: Occlusion | None = None


@dataclass(frozen=True)
class Explanation:
    """What was found out about a model.

    Attributes:
        model: Its name.
        engine: What ran it.
        filters: Of its convolutions.
        images: In the order given.
    """

    model: str
    engine: str
    filters: list[Filters]
    images: list[ImageExplanation]


def explain(
    subject: Subject, images: Sequence[tuple[str, NDArray[np.uint8]]], config: ExplainConfig
) -> Explanation:
    """Explain a model, and what it makes of images.

    Args:
        subject: The model.
        images: Names, and uint8 [28, 28], 0 is paper and 255 is ink.
        config: What to explain.

    Raises:
        InvalidInputError: If no method that is asked for has the layer that is asked for.
        ModelError: If the network of a .tflite cannot be rebuilt for Grad-CAM.
    """
    chosen = _choose_layers(subject, config)
    filters = [subject.read_filters(layer) for layer in chosen.get(FILTERS, [])]
    explained = [_explain_image(subject, name, image, config, chosen) for name, image in images]
    return Explanation(subject.name, subject.engine, filters, explained)


def _choose_layers(subject: Subject, config: ExplainConfig) -> dict[str, list[str]]:
    """Return the layers that each method looks at."""
    listed = {
        FILTERS: subject.convolutions,
        ACTIVATIONS: subject.layers,
        GRADCAM: subject.convolutions,
    }
    chosen = {method: names for method, names in listed.items() if method in config.methods}
    if config.layer is None:
        return chosen
    known = list(dict.fromkeys(name for names in chosen.values() for name in names))
    if config.layer not in known:
        expected = ", ".join(known) or f"none with --method {config.method}"
        raise InvalidInputError("--layer", expected=expected, got=repr(config.layer))
    return {
        method: [name for name in names if name == config.layer] for method, names in chosen.items()
    }


def _explain_image(
    subject: Subject,
    name: str,
    image: NDArray[np.uint8],
    config: ExplainConfig,
    chosen: dict[str, list[str]],
) -> ImageExplanation:
    probabilities = subject.read(image[None])[0]
    read = int(probabilities.argmax())
    digit = read if config.digit is None else config.digit
    recorded, looked_at = chosen.get(ACTIVATIONS), chosen.get(GRADCAM)
    return ImageExplanation(
        name,
        read,
        float(probabilities[read]),
        digit,
        image,
        subject.record(image, recorded) if recorded else [],
        subject.compute_gradcams(image, digit, looked_at) if looked_at else [],
        measure_occlusion(subject.read, image, digit) if OCCLUSION in config.methods else None,
    )
