"""What is found out about a network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.tflite_tensor import TensorQuantization


@dataclass(frozen=True)
class Filters:
    """What a convolution has learned.

    Attributes:
        layer: Its name.
        weights: float32 [filters, input channels, height, width]; of a depthwise convolution, where
            each filter looks at one channel, [filters, 1, height, width].
    """

    layer: str
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Activation:
    """What a layer made of one image.

    Attributes:
        layer: Its name.
        values: float32 [height, width, channels] or [units], dequantized.
        dtype: The type in which the engine holds them.
        quantization: What those numbers stand for; None if for themselves.
        codes: As the engine holds them, in the shape of `values`.
        is_output: Whether it is what the network gives: the units stand for the digits.
    """

    layer: str
    values: NDArray[np.float32]
    dtype: str
    quantization: TensorQuantization | None
    codes: NDArray[Any]
    is_output: bool = False


@dataclass(frozen=True)
class GradCam:
    """Where a layer saw what speaks for a digit.

    Attributes:
        layer: Its name.
        digit: What for.
        heat: float32 [height, width] of the layer's maps, 0 or more, in the digit's logits; all 0
            if nothing the layer saw speaks for the digit.
    """

    layer: str
    digit: int
    heat: NDArray[np.float32]


@dataclass(frozen=True)
class Occlusion:
    """What covering parts of an image does to the belief in a digit.

    Attributes:
        digit: Which one.
        patch_px: The side of the square that covers.
        log_odds: Of the digit in the image as it is: ln(p / (1 - p)).
        lost: float32 [28, 28]: by how much the log-odds fall where a pixel is covered, the mean
            over the squares that cover it; below 0 where covering it helps.
    """

    digit: int
    patch_px: int
    log_odds: float
    lost: NDArray[np.float32]
