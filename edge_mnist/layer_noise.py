"""What quantization costs, layer by layer: a float model and its int8 twin on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.anatomy import WEIGHTS_INPUT
from edge_mnist.engines import EngineSetting, create_interpreter
from edge_mnist.errors import ModelError
from edge_mnist.inspection import inspect_model
from edge_mnist.model_file import INPUT_SHAPE
from edge_mnist.tflite_file import TfliteFile
from edge_mnist.tflite_tensor import FileTensor, dequantize

# float32 numbers that differ in their last bit only are nearer than this.
MAX_DB = 200.0

# A layer that gives out less than this share of its codes wastes more than half a bit.
WELL_USED = 0.7

CODES = np.array([-128, 127], np.int8)


@dataclass(frozen=True)
class Layer:
    """One layer with weights, in both models.

    Attributes:
        values: float32 [N, ...], what the float model gives out.
        quantized_values: float32 [N, ...], what the int8 model's codes stand for.
        code_range: What the lowest and the highest code stand for.
        weights: float32, of the float model.
        quantized_weights: float32 of the same shape, what the int8 model's stand for.
    """

    number: int  # among those with weights, from 1
    name: str  # in the int8 model, as `inspect` tells it
    values: NDArray[np.float32]
    quantized_values: NDArray[np.float32]
    code_range: tuple[float, float]
    weights: NDArray[np.float32]
    quantized_weights: NDArray[np.float32]


@dataclass(frozen=True)
class LayerNoise:
    """What is lost up to and in one layer.

    Attributes:
        sqnr_db: Signal to quantization noise of what it gives out, in decibels: with all that the
            layers before it have lost. 6 dB are one bit.
        added: The noise that it adds, its power as a share of the signal's; what it passes on of
            earlier noise is not in it. Below 0 if it evens noise out.
        weights_sqnr_db: The same of its weights alone, up to a common factor: the first layer of a
            converted model takes pixels of 0 to 255 or of 0 to 1.
        used_codes: The share of its 256 codes that lie between the lowest and the highest it gave.
    """

    number: int
    name: str
    shape: list[int]
    sqnr_db: float
    added: float
    weights_sqnr_db: float
    used_codes: float


def run_layers(
    float_content: bytes,
    int8_content: bytes,
    images: NDArray[np.uint8],
    engine: str,
) -> list[Layer]:
    """Run both models on images and return every layer with weights, in order.

    What is no such pair is refused before anything runs.

    Args:
        float_content: A float32 .tflite file's bytes.
        int8_content: An int8 one's of the same network.
        images: uint8 [N, 28, 28], N at least 1.
        engine: An installed engine's name; its own kernels run, without a delegate.

    Raises:
        ModelError: If the engine refuses one, it has another number format, or they are not the
            same network.
    """
    for content, expected in ((float_content, "float32"), (int8_content, "int8")):
        found = inspect_model(content).number_format
        if found != expected:
            raise ModelError(
                "cannot compare these models",
                expected="a float32 one, and the int8 one that was made of it",
                got=f"{found} for the {expected} one",
            )
    ours, others = (_Watched(content, engine) for content in (float_content, int8_content))
    if ours.shapes != others.shapes:
        raise ModelError(
            "these are not the same network",
            expected=f"layers of {ours.shapes}",
            got=str(others.shapes),
            remedy="name a model and what was quantized from it",
        )
    for image in images:
        for watched in (ours, others):
            watched.run(image)
    return [
        Layer(
            number=place + 1,
            name=name,
            values=ours.values(place),
            quantized_values=others.values(place),
            code_range=others.code_range(place),
            weights=ours.weights(place),
            quantized_weights=others.weights(place),
        )
        for place, name in enumerate(others.layers)
    ]


def measure_noise(layers: list[Layer]) -> list[LayerNoise]:
    """Return what is lost in each layer."""
    noises: list[LayerNoise] = []
    share_before = 0.0
    for layer in layers:
        sqnr_db = signal_to_noise_db(layer.values, layer.quantized_values)
        share = 10 ** (-sqnr_db / 10)
        low, high = layer.code_range
        span = float(layer.quantized_values.max() - layer.quantized_values.min())
        noises.append(
            LayerNoise(
                number=layer.number,
                name=layer.name,
                shape=list(layer.values.shape[1:]),
                sqnr_db=sqnr_db,
                added=share - share_before,
                weights_sqnr_db=signal_to_noise_db(layer.weights, _fit_weights(layer)),
                used_codes=span / (high - low) if high > low else 0.0,
            )
        )
        share_before = share
    return noises


def find_noisiest(noises: Sequence[LayerNoise]) -> LayerNoise:
    """Return the layer that adds the most noise."""
    return max(noises, key=lambda noise: noise.added)


def advise(noises: list[LayerNoise], method: str | None = None) -> str:
    """Return which layer costs most, and what to try.

    Args:
        noises: Of all layers, in order.
        method: How the int8 model was made: qat, ptq, or None if that is not known.
    """
    worst = find_noisiest(noises)
    if worst.used_codes < WELL_USED:
        remedy = (
            f"it gives out {100 * worst.used_codes:.0f} % of its codes only, its range is wider "
            "than its values: train longer with quantization (--qat-epochs)"
        )
    elif method == "qat":
        remedy = (
            "its weights went on training with quantization, so part of this is no loss; if the "
            "accuracy is lower too, give this layer more channels"
        )
    else:
        remedy = "train it for int8 (--method qat), or give it more channels"
    share = 100 * worst.added
    return f"layer {worst.number} ({worst.name}) costs most, {share:.2g} % of noise: {remedy}"


def signal_to_noise_db(signal: NDArray[np.float32], quantized: NDArray[np.float32]) -> float:
    """Return 10 log10 of the signal's power over that of the difference, -MAX_DB to MAX_DB.

    Args:
        signal: float32 of any shape.
        quantized: float32 of the same shape.
    """
    power = float(np.square(signal.astype(np.float64)).sum())
    noise = float(np.square(signal.astype(np.float64) - quantized).sum())
    if noise == 0:
        return MAX_DB
    return float(np.clip(10 * np.log10(power / noise), -MAX_DB, MAX_DB)) if power else -MAX_DB


def _fit_weights(layer: Layer) -> NDArray[np.float32]:
    """Return the quantized weights times the factor that brings them nearest to the others."""
    quantized = layer.quantized_weights.astype(np.float64)
    power = float(np.square(quantized).sum())
    factor = float((quantized * layer.weights).sum()) / power if power > 0 else 1.0
    return (factor * quantized).astype(np.float32)


class _Watched:
    """A model whose layers can be looked at while it runs."""

    def __init__(self, content: bytes, engine: str) -> None:
        self._file = TfliteFile(content)
        self._graph = self._file.graphs[0]
        self._operators = [op for op in self._graph.operators if op.kind in WEIGHTS_INPUT]
        self.layers = [operator.layer for operator in self._operators]
        self.shapes = [self._output(place).shape for place in range(len(self.layers))]
        setting = EngineSetting(engine, delegate=False)
        self._interpreter = create_interpreter(content, setting, keeps_activations=True)
        self._seen: list[list[NDArray[Any]]] = [[] for _ in self.layers]

    def run(self, image: NDArray[np.uint8]) -> None:
        """Run one image, uint8 [28, 28], and keep what the layers give out."""
        self._interpreter.set_tensor(self._graph.inputs[0], image.reshape(INPUT_SHAPE))
        self._interpreter.invoke()
        for place, seen in enumerate(self._seen):
            seen.append(self._interpreter.get_tensor(self._output(place).index)[0])

    def values(self, place: int) -> NDArray[np.float32]:
        """Return what a layer gave out, float32 [N, ...]."""
        return dequantize(np.stack(self._seen[place]), self._output(place))

    def code_range(self, place: int) -> tuple[float, float]:
        """Return what the lowest and the highest code of an int8 layer's output stand for."""
        low, high = dequantize(CODES, self._output(place))
        return float(low), float(high)

    def weights(self, place: int) -> NDArray[np.float32]:
        """Return what a layer's weights stand for, float32."""
        operator = self._operators[place]
        index = operator.inputs[WEIGHTS_INPUT[operator.kind]]
        return self._file.dequantize(self._graph.tensors[index])

    def _output(self, place: int) -> FileTensor:
        return self._graph.tensors[self._operators[place].outputs[0]]
