"""Reading two digits that touch as a whole: a cut takes from one what it gives to the other."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.decoding import OutputDecoder
from edge_mnist.engines import EngineSetting, resolve_engine
from edge_mnist.graph import Graph
from edge_mnist.model_file import check_structure
from edge_mnist.prediction import Prediction
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES, GrayImage, scale_ink
from edge_mnist.vision.own_models import load_own_model, own_model_path

# A pair is stretched to this: each of its digits is about as wide as in MNIST, and higher.
PAIR_HEIGHT, PAIR_WIDTH = 24, 26

# Narrower and wider ink, in heights, is no pair.
MIN_PAIR_ASPECT, MAX_PAIR_ASPECT = 0.6, 2.4

# What is more likely no pair than one is rejected.
MAX_REJECTION_SCORE = 0.5

# Ten logits for the left digit, ten for the right one.
PAIR_OUTPUTS = 2 * NUM_CLASSES


def pair_model_path() -> Path:
    """Return where the model that ships stands; its card stands beside it."""
    return own_model_path("pairs")


def fit_pair(ink: NDArray[np.float32]) -> GrayImage:
    """Turn the ink of two digits that touch into the model's input.

    Args:
        ink: float32 [height, width], 0 is paper and 1 is a full stroke, cut to its box. Somewhere
            it is above 0.

    Returns:
        uint8 [28, 28], 0 is paper and 255 is ink.
    """
    top, left = (IMAGE_SIZE - PAIR_HEIGHT) // 2, (IMAGE_SIZE - PAIR_WIDTH) // 2
    image = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    fitted = scale_ink(ink, (PAIR_HEIGHT, PAIR_WIDTH))
    image[top : top + PAIR_HEIGHT, left : left + PAIR_WIDTH] = np.rint(fitted * 255)
    return image


class PairReader:
    """Reads pairs of digits; one instance serves one thread at a time."""

    def __init__(self, content: bytes, setting: EngineSetting, temperature: float) -> None:
        """Load a model from bytes that are known to be good; `load` is for the one that ships.

        Args:
            content: A .tflite file's bytes.
            setting: What runs it.
            temperature: What logits are divided by before the softmax, above 0.

        Raises:
            ModelError: If it is no model that takes uint8 [1, 28, 28, 1] and gives uint8 [1, 20].
        """
        check_structure(content)
        self._graph = Graph(content, setting, outputs=PAIR_OUTPUTS)
        self._decoder = OutputDecoder(
            self._graph.output_quantization, "logits", temperature, MAX_REJECTION_SCORE
        )

    @classmethod
    def load(cls) -> "PairReader":
        """Load the model that ships, into the first engine that is installed.

        Raises:
            ModelError: If it is missing or damaged.
            MissingDependencyError: If there is no engine.
        """
        model = load_own_model("pairs", "touching digits")
        return cls(model.content, EngineSetting(resolve_engine()), model.temperature)

    def read(self, image: GrayImage) -> tuple[Prediction, Prediction]:
        """Return the left digit and the right one.

        Where the image shows no two digits, both have a rejection score near 1.

        Args:
            image: uint8 [28, 28] from `fit_pair`.
        """
        left, right = self._run(image)
        return self._decoder.decode(left), self._decoder.decode(right)

    def run(self, image: GrayImage) -> NDArray[np.float64]:
        """Return the logits of both digits, float64 [2, 10].

        Args:
            image: uint8 [28, 28] from `fit_pair`.
        """
        return self._decoder.dequantize(self._run(image)).reshape(2, NUM_CLASSES)

    def _run(self, image: GrayImage) -> NDArray[np.uint8]:
        """Return the codes of both digits' logits, uint8 [2, 1, 10]."""
        outputs = self._graph.run(image.reshape(1, IMAGE_SIZE, IMAGE_SIZE, 1))
        return outputs.reshape(2, 1, NUM_CLASSES)
