"""From a .tflite file back to a Keras model: to fine-tune what is at hand only as an export."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray
from tensorflow.lite.python.schema_py_generated import (
    ActivationFunctionType,
    BuiltinOperator,
    Padding,
)
from tensorflow.lite.tools import flatbuffer_utils

from edge_mnist.errors import ModelError
from edge_mnist.model_file import INPUT_SHAPE
from edge_mnist.tflite_file import TfliteFile
from edge_mnist.tflite_schema import NO_TENSOR
from edge_mnist.tflite_tensor import FileTensor

layers = tf_keras.layers

PADDINGS = {Padding.SAME: "same", Padding.VALID: "valid"}

Weights = list[NDArray[Any]] | None
Built = tuple[Any, Weights]  # a layer, and its weights if it has any


def rebuild(content: bytes) -> Any:
    """Return the float network of a .tflite file of any number format.

    Weights and biases are dequantized; the rounding between the layers is left out. An int8 model
    is so read nearly as it was trained, a float one to the last digits.

    Args:
        content: The file's bytes: a plain row of convolutions, pooling, reshapes, dense layers and
            ReLUs, of uint8 [1, 28, 28, 1].

    Returns:
        A tf_keras functional model: float32 [N, 28, 28, 1] from 0 to 1 in; [N, 10] logits or
        probabilities out, as the file gives.

    Raises:
        ModelError: If it is no .tflite file, or has an operator or a shape that is not of those;
            the message names it.
    """
    try:
        file = TfliteFile(content)
    except ModelError as exc:
        raise ModelError(f"the model cannot be rebuilt: {exc}") from exc
    try:
        return _build(_Graph(content, file))
    # What reading a damaged file ends in.
    except (struct.error, IndexError, KeyError, TypeError, AttributeError, ValueError) as exc:
        raise ModelError("the model cannot be rebuilt", got=f"{type(exc).__name__}: {exc}") from exc


class _Graph:
    """The one graph of a file, and its constants."""

    def __init__(self, content: bytes, file: TfliteFile) -> None:
        self._file, self._tensors = file, file.graphs[0].tensors
        # The settings of operators, which TfliteFile passes over.
        self._model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
        graph = self._model.subgraphs[0]
        self.source, self.target = int(graph.inputs[0]), int(graph.outputs[0])
        # Float16 weights are widened by an operator each, before all others.
        self._widened: dict[int, int] = {}
        self.operators = []
        for operator in graph.operators:
            kind, start = self.kind(operator), int(operator.inputs[0])
            if kind == BuiltinOperator.DEQUANTIZE and self._tensors[start].buffer is not None:
                self._widened[int(operator.outputs[0])] = start
            else:
                self.operators.append(operator)

    def kind(self, operator: Any) -> int:
        """Return an operator's number in BuiltinOperator."""
        code = self._model.operatorCodes[operator.opcodeIndex]
        # Older files have it in the other field, as TensorFlow Lite's own reader knows.
        return max(int(code.builtinCode), int(code.deprecatedBuiltinCode))

    def shape(self, index: int) -> list[int]:
        """Return a tensor's shape."""
        return self._tensors[index].shape

    def is_quantized(self, index: int) -> bool:
        """Return whether a tensor's numbers stand for others."""
        return self._tensors[index].quantization is not None

    def weights(self, operator: Any) -> NDArray[np.float32]:
        """Return what an operator's weights stand for."""
        return self._file.dequantize(self._find(operator, 1))

    def bias(self, operator: Any, count: int) -> NDArray[np.float32]:
        """Return what an operator's bias stands for: float32 [count], zeros if it has none."""
        if len(operator.inputs) < 3 or operator.inputs[2] == NO_TENSOR:
            return np.zeros(count, np.float32)
        return self._file.dequantize(self._find(operator, 2))

    def factor(self, operator: Any) -> float:
        """Return what a multiplication multiplies all with."""
        values = self.read(operator, 1)
        if values.size != 1 or self.is_quantized(int(operator.inputs[1])):
            raise _refuse("MUL", "one float for all pixels", f"{values.dtype} {values.shape}")
        return float(values.item())

    def read(self, operator: Any, place: int) -> NDArray[Any]:
        """Return one of an operator's inputs as it stands in the file."""
        return self._file.read_constant(self._find(operator, place))

    def _find(self, operator: Any, place: int) -> FileTensor:
        """Return a constant that an operator takes, as the file holds it."""
        index = int(operator.inputs[place])
        tensor = self._tensors[self._widened.get(index, index)]
        if tensor.buffer is None:
            part = f"input {place} of {_name(self.kind(operator))}"
            raise _refuse(part, "a constant", "one that is computed")
        return tensor


def _build(graph: _Graph) -> Any:
    place = graph.source
    if graph.shape(place) != list(INPUT_SHAPE):
        raise _refuse("an input", f"shape {list(INPUT_SHAPE)}", str(graph.shape(place)))
    # An input without a scale takes raw pixels: the first weights take 0 to 1 in their place.
    gain = 1.0 if graph.is_quantized(place) else 255.0
    is_weighted = False
    image = tensor = layers.Input(INPUT_SHAPE[1:], name="image")
    for operator in graph.operators:
        kind = graph.kind(operator)
        if int(operator.inputs[0]) != place:
            raise _refuse(_name(kind), "a plain row of operators", "one that branches")
        if kind == BuiltinOperator.MUL and not is_weighted:
            gain *= graph.factor(operator)
            place = int(operator.outputs[0])
            continue
        if kind not in BUILDERS:
            raise _refuse("an operator", ", ".join(sorted(map(_name, BUILDERS))), _name(kind))
        for layer, weights in BUILDERS[kind](graph, operator):
            tensor = layer(tensor)
            if weights:
                layer.set_weights([weights[0] * np.float32(gain), *weights[1:]])
                gain = 1.0
                is_weighted = True
        place = int(operator.outputs[0])
    if place != graph.target:
        raise _refuse("the output", "that of the last operator", "another one")
    return tf_keras.Model(image, tensor, name="rebuilt")


def _keep(graph: _Graph, operator: Any) -> list[Built]:
    return []


def _build_conv(graph: _Graph, operator: Any) -> list[Built]:
    options = operator.builtinOptions
    kernel = graph.weights(operator)  # [out, height, width, in]
    depth = graph.shape(int(operator.inputs[0]))[-1]
    if kernel.shape[-1] != depth:
        raise _refuse("CONV_2D", f"kernels over all {depth} channels", f"{kernel.shape[-1]}")
    layer = layers.Conv2D(
        kernel.shape[0],
        kernel.shape[1:3],
        strides=(options.strideH, options.strideW),
        padding=PADDINGS[options.padding],
        dilation_rate=(options.dilationHFactor, options.dilationWFactor),
    )
    weights = [kernel.transpose(1, 2, 3, 0), graph.bias(operator, len(kernel))]
    return _activate(layer, weights, options)


def _build_depthwise(graph: _Graph, operator: Any) -> list[Built]:
    options = operator.builtinOptions
    kernel = graph.weights(operator)[0]  # [height, width, out], the outputs of a channel in a row
    depth = graph.shape(int(operator.inputs[0]))[-1]
    if options.strideH != options.strideW:
        got = f"{options.strideH} by {options.strideW}"
        raise _refuse("DEPTHWISE_CONV_2D", "the same stride both ways", got)
    layer = layers.DepthwiseConv2D(
        kernel.shape[:2],
        strides=(options.strideH, options.strideW),
        padding=PADDINGS[options.padding],
        dilation_rate=(options.dilationHFactor, options.dilationWFactor),
        depth_multiplier=kernel.shape[-1] // depth,
    )
    weights = [
        kernel.reshape(*kernel.shape[:2], depth, -1),
        graph.bias(operator, kernel.shape[-1]),
    ]
    return _activate(layer, weights, options)


def _build_dense(graph: _Graph, operator: Any) -> list[Built]:
    options = operator.builtinOptions
    kernel = graph.weights(operator)  # [out, in]
    built: list[Built] = []
    # The operator flattens what it gets.
    if len(graph.shape(int(operator.inputs[0]))) > 2 and not options.keepNumDims:
        built.append((layers.Flatten(), None))
    weights = [kernel.T, graph.bias(operator, len(kernel))]
    return [*built, *_activate(layers.Dense(len(kernel)), weights, options)]


def _build_pool(graph: _Graph, operator: Any) -> list[Built]:
    options = operator.builtinOptions
    is_max = graph.kind(operator) == BuiltinOperator.MAX_POOL_2D
    layer = (layers.MaxPool2D if is_max else layers.AveragePooling2D)(
        (options.filterHeight, options.filterWidth),
        strides=(options.strideH, options.strideW),
        padding=PADDINGS[options.padding],
    )
    return _activate(layer, None, options)


def _build_mean(graph: _Graph, operator: Any) -> list[Built]:
    rank = len(graph.shape(int(operator.inputs[0])))
    axes = sorted(int(axis) % rank for axis in graph.read(operator, 1))
    if (rank, axes) != (4, [1, 2]):
        raise _refuse("MEAN", "one over height and width", f"axes {axes} of {rank}")
    return [(layers.GlobalAveragePooling2D(keepdims=operator.builtinOptions.keepDims), None)]


def _build_reshape(graph: _Graph, operator: Any) -> list[Built]:
    shape = graph.shape(int(operator.outputs[0]))
    return [(layers.Flatten() if len(shape) == 2 else layers.Reshape(shape[1:]), None)]


def _build_softmax(graph: _Graph, operator: Any) -> list[Built]:
    if operator.builtinOptions.beta != 1:
        raise _refuse("SOFTMAX", "beta 1", f"{operator.builtinOptions.beta:g}")
    return [(layers.Softmax(), None)]


def _build_relu(graph: _Graph, operator: Any) -> list[Built]:
    is_capped = graph.kind(operator) == BuiltinOperator.RELU6
    return [(layers.ReLU(6.0 if is_capped else None), None)]


def _activate(layer: Any, weights: Weights, options: Any) -> list[Built]:
    """Return a layer with the activation that its operator ends in."""
    activation = options.fusedActivationFunction
    if activation == ActivationFunctionType.NONE:
        return [(layer, weights)]
    if activation == ActivationFunctionType.RELU and hasattr(layer, "activation"):
        layer.activation = tf_keras.activations.relu
        return [(layer, weights)]
    if activation in (ActivationFunctionType.RELU, ActivationFunctionType.RELU6):
        is_capped = activation == ActivationFunctionType.RELU6
        return [(layer, weights), (layers.ReLU(6.0 if is_capped else None), None)]
    raise _refuse("a fused activation", "RELU or RELU6", _name(activation, ActivationFunctionType))


BUILDERS: dict[int, Callable[[_Graph, Any], list[Built]]] = {
    # Floats stand for themselves: there is nothing to do on the way between two number formats.
    BuiltinOperator.QUANTIZE: _keep,
    BuiltinOperator.DEQUANTIZE: _keep,
    BuiltinOperator.CAST: _keep,
    BuiltinOperator.CONV_2D: _build_conv,
    BuiltinOperator.DEPTHWISE_CONV_2D: _build_depthwise,
    BuiltinOperator.FULLY_CONNECTED: _build_dense,
    BuiltinOperator.MAX_POOL_2D: _build_pool,
    BuiltinOperator.AVERAGE_POOL_2D: _build_pool,
    BuiltinOperator.MEAN: _build_mean,
    BuiltinOperator.RESHAPE: _build_reshape,
    BuiltinOperator.SOFTMAX: _build_softmax,
    BuiltinOperator.RELU: _build_relu,
    BuiltinOperator.RELU6: _build_relu,
}


def _name(number: int, names: Any = BuiltinOperator) -> str:
    return next((name for name, value in vars(names).items() if value == number), str(number))


def _refuse(part: str, expected: str, got: str) -> ModelError:
    return ModelError(f"the model cannot be rebuilt: {part}", expected=expected, got=got)
