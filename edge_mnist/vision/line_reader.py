"""Reading a number as a whole: no ink has to be told from other ink first."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.engines import EngineSetting, resolve_engine
from edge_mnist.graph import Graph
from edge_mnist.model_file import check_structure
from edge_mnist.preprocessing import NUM_CLASSES, GrayImage
from edge_mnist.vision.own_models import load_own_model, own_model_path
from edge_mnist.vision.strips import STRIP_HEIGHT, STRIP_WIDTH

# Columns of a strip that one of the outputs stands for.
COLUMN_STEP = 2
COLUMNS = STRIP_WIDTH // COLUMN_STEP
CLASSES = NUM_CLASSES + 1
STRIP_SHAPE = (1, STRIP_HEIGHT, STRIP_WIDTH, 1)


def line_model_path() -> Path:
    """Return where the model that ships stands; its card stands beside it."""
    return own_model_path("lines")


class LineReader:
    """Reads strips; one instance serves one thread at a time."""

    def __init__(self, content: bytes, setting: EngineSetting, temperature: float) -> None:
        """Load a model from bytes that are known to be good; `load` is for the one that ships.

        Args:
            content: A .tflite file's bytes.
            setting: What runs it.
            temperature: What logits are divided by before the softmax, above 0.

        Raises:
            ModelError: If it is no model that takes uint8 [1, 32, 256, 1] and gives uint8
                [1, 128 * 11].
        """
        check_structure(content)
        self._graph = Graph(content, setting, outputs=COLUMNS * CLASSES, input_shape=STRIP_SHAPE)
        self._temperature = temperature

    @classmethod
    def load(cls) -> "LineReader":
        """Load the model that ships, into the first engine that is installed.

        Raises:
            ModelError: If it is missing or damaged.
            MissingDependencyError: If there is no engine.
        """
        model = load_own_model("lines", "whole numbers")
        return cls(model.content, EngineSetting(resolve_engine()), model.temperature)

    def read(self, image: GrayImage) -> NDArray[np.float64]:
        """Return the probability of each digit in each column, and of none, the blank.

        Args:
            image: uint8 [32, 256] of a strip.

        Returns:
            float64 [128, 11]; each row sums to 1, and the last column is the blank's.
        """
        scale, zero_point = self._graph.output_quantization
        codes = self._graph.run(image.reshape(STRIP_SHAPE)).reshape(COLUMNS, CLASSES)
        logits = (codes.astype(np.float64) - zero_point) * scale / self._temperature
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return probabilities
