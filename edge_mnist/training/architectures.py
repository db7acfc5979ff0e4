"""The networks, as data: to add one, add an entry to ARCHITECTURES.

Every network takes float32 [N, 28, 28, 1] from 0 to 1 and gives float32 [N, 10] logits. The
softmax stays out: an int8 softmax would round most of the probability away, and the runtime
computes a calibrated one from the logits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import tf_keras

from edge_mnist.errors import TrainingError
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES
from edge_mnist.training.branches import normalize

layers = tf_keras.layers

# Dropout then draws from generators that have a state of their own: `fit` sets it each epoch, so
# that a resumed training draws what an unbroken one would have. Without this they draw from
# counters inside the compiled graph, which nothing can set.
tf_keras.backend.experimental.enable_tf_random_generator()


@dataclass(frozen=True)
class Conv:
    """A square convolution and ReLU, with batch normalisation between the two if asked for."""

    filters: int
    kernel: int
    stride: int = 1
    padding: Literal["same", "valid"] = "same"
    batch_norm: bool = False


@dataclass(frozen=True)
class MaxPool:
    """Max pooling over squares that do not overlap."""

    size: int = 2


@dataclass(frozen=True)
class GlobalAverage:
    """The mean of each channel over the whole picture."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer and ReLU."""

    units: int


@dataclass(frozen=True)
class Dropout:
    """Dropout while training."""

    rate: float


Layer = Conv | MaxPool | GlobalAverage | Dense | Dropout


@dataclass(frozen=True)
class Architecture:
    """A plain stack of layers; the ten logits at its end go without saying.

    Attributes:
        summary: One line for people who choose.
        layers: From the image on.
    """

    summary: str
    layers: tuple[Layer, ...]


ARCHITECTURES: dict[str, Architecture] = {
    "pico": Architecture(
        "fits in 4 KB",
        (
            Conv(8, 5, stride=2, padding="valid", batch_norm=True),
            Conv(8, 3, stride=2, padding="valid", batch_norm=True),
            Conv(8, 3, padding="valid", batch_norm=True),
        ),
    ),
    "nano": Architecture(
        "fits in 8 KB",
        (
            Conv(8, 5, stride=2, batch_norm=True),
            Conv(12, 3, stride=2, batch_norm=True),
            Conv(12, 3, padding="valid", batch_norm=True),
            Conv(15, 3, padding="valid", batch_norm=True),
        ),
    ),
    "micro": Architecture(
        "the default, fits in 16 KB: strides in place of pooling",
        (
            Conv(8, 5, stride=2, padding="valid", batch_norm=True),
            Conv(16, 3, batch_norm=True),
            Conv(16, 3, stride=2, padding="valid", batch_norm=True),
            Conv(39, 3, padding="valid", batch_norm=True),
        ),
    ),
    "small": Architecture(
        "fits in 64 KB",
        (
            Conv(16, 5, stride=2, batch_norm=True),
            Conv(32, 3, padding="valid", batch_norm=True),
            Conv(32, 3, batch_norm=True),
            Conv(48, 3, stride=2, batch_norm=True),
            Conv(52, 3, padding="valid", batch_norm=True),
        ),
    ),
    "large": Architecture(
        "the most accurate and the most robust, fits in 1 MB",
        (
            Conv(32, 3, padding="valid", batch_norm=True),
            Conv(32, 3, stride=2, batch_norm=True),
            Conv(64, 3, padding="valid", batch_norm=True),
            Conv(128, 3, stride=2, batch_norm=True),
            Conv(128, 3, padding="valid", batch_norm=True),
            Conv(192, 3, padding="valid", batch_norm=True),
            Dropout(0.3),
        ),
    ),
    "tutorial-3x3": Architecture(
        "the network of many tutorials, second convolution 3x3",
        (Conv(8, 4), MaxPool(), Conv(16, 3, padding="valid"), MaxPool(), Dense(10)),
    ),
    "tutorial-4x4": Architecture(
        "the same with a second convolution of 4x4",
        (Conv(8, 4), MaxPool(), Conv(16, 4, padding="valid"), MaxPool(), Dense(10)),
    ),
    "classic": Architecture(
        "two convolutions of 32 and 64 filters and a wide dense layer, as in the Keras examples",
        (
            Conv(32, 3, padding="valid"),
            MaxPool(),
            Conv(64, 3, padding="valid"),
            MaxPool(),
            Dense(128),
            Dropout(0.5),
        ),
    ),
    "classic-bn": Architecture(
        "classic with batch normalisation",
        (
            Conv(32, 3, padding="valid", batch_norm=True),
            MaxPool(),
            Conv(64, 3, padding="valid", batch_norm=True),
            MaxPool(),
            Dense(128),
            Dropout(0.5),
        ),
    ),
}
DEFAULT_ARCHITECTURE = "micro"


def find_architecture(name: str) -> Architecture:
    """Return an architecture by name.

    Raises:
        TrainingError: If there is none of that name.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise TrainingError(
            "unknown architecture", expected=", ".join(ARCHITECTURES), got=repr(name)
        ) from None


def build(name: str, branches: int = 1) -> Any:
    """Build the Keras model of an architecture, with fresh weights.

    Args:
        name: The architecture's.
        branches: How many convolutions each one with batch normalisation is the sum of.

    Returns:
        A tf_keras functional model: float32 [N, 28, 28, 1] from 0 to 1 in, logits [N, 10] out.

    Raises:
        TrainingError: If there is no architecture of that name, or nothing to branch in it.
    """
    stack = find_architecture(name).layers
    if branches > 1 and not any(isinstance(layer, Conv) and layer.batch_norm for layer in stack):
        raise TrainingError(
            "branches",
            expected="an architecture whose convolutions have batch normalisation",
            got=name,
            remedy="leave --branches out, or choose another --arch",
        )
    return build_stack(name, stack, NUM_CLASSES, branches)


def build_stack(name: str, stack: Sequence[Layer], outputs: int, branches: int = 1) -> Any:
    """Build the Keras model of a plain stack of layers, with fresh weights.

    Returns:
        A tf_keras functional model: float32 [N, 28, 28, 1] from 0 to 1 in, logits [N, outputs] out.
    """
    image = layers.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="image")
    tensor = image
    for layer in stack:
        tensor = _apply(layer, tensor, branches)
    logits = layers.Dense(outputs, name="logits")(_flatten(tensor))
    return tf_keras.Model(image, logits, name=name)


def plan_multiply_adds(name: str) -> int:
    """Return the multiply-adds of one inference, without building the model.

    Building it starts TensorFlow, and what depends on this has to be settled before.

    Raises:
        TrainingError: If there is no architecture of that name.
    """
    size, depth, total = IMAGE_SIZE, 1, 0
    for layer in (*find_architecture(name).layers, Dense(NUM_CLASSES)):
        match layer:
            case Conv(filters, kernel, stride, padding):
                size = size - kernel + 1 if padding == "valid" else size
                size = -(-size // stride)
                total += size**2 * kernel**2 * depth * filters
                depth = filters
            case MaxPool(pool):
                size //= pool
            case GlobalAverage():
                size = 1
            case Dense(units):
                total += size**2 * depth * units
                size, depth = 1, units
    return total


def count_multiply_adds(model: Any) -> int:
    """Return the multiply-adds of one inference in the model's convolutions and dense layers."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            _, height, width, filters = layer.output_shape
            total += height * width * filters * int(layer.kernel_size[0] * layer.kernel_size[1])
        elif isinstance(layer, layers.Conv2D):
            _, height, width, filters = layer.output_shape
            depth = layer.input_shape[-1] // layer.groups
            total += (
                height * width * filters * depth * int(layer.kernel_size[0] * layer.kernel_size[1])
            )
        elif isinstance(layer, layers.Dense):
            total += layer.input_shape[-1] * layer.units
    return total


def _apply(layer: Layer, tensor: Any, branches: int) -> Any:
    match layer:
        case Conv(filters, kernel, stride, padding, batch_norm):
            # The activation stands on its own and not inside the convolution: only so does the
            # batch normalisation between the two fold into the weights when quantized.
            if batch_norm:
                tensor = layers.Conv2D(filters * branches, kernel, stride, padding, use_bias=False)(
                    tensor
                )
                tensor = normalize(tensor, branches)
            else:
                tensor = layers.Conv2D(filters, kernel, stride, padding)(tensor)
            return layers.ReLU()(tensor)
        case MaxPool(size):
            return layers.MaxPool2D(size)(tensor)
        case GlobalAverage():
            return layers.AveragePooling2D(tensor.shape[1])(tensor)
        case Dense(units):
            return layers.ReLU()(layers.Dense(units)(_flatten(tensor)))
        case Dropout(rate):
            return layers.Dropout(rate)(tensor)


def _flatten(tensor: Any) -> Any:
    return tensor if len(tensor.shape) == 2 else layers.Flatten()(tensor)
