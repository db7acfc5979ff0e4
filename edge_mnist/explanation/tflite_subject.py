"""A .tflite file to be explained: its filters, and what the engine's own tensors hold."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.engines import AUTO, EngineSetting, create_interpreter
from edge_mnist.explanation.results import Activation, Filters, GradCam
from edge_mnist.model_store import find_model
from edge_mnist.runtime import Classifier
from edge_mnist.tflite_file import FileGraph, FileOperator, TfliteFile
from edge_mnist.tflite_tensor import FileTensor, dequantize

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
# They change no value, only how values are laid out.
SHAPES_ONLY = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


class TfliteSubject:
    """A .tflite file in an engine.

    Attributes:
        name: The file's name without its ending.
        engine: What runs it.
    """

    def __init__(self, model: str | Path | None, engine: str = AUTO) -> None:
        """Load it, as `Classifier.load` does; one that could crash is tried elsewhere first.

        Args:
            model: A shipped model's name or a path.
            engine: An engine's name or "auto".

        Raises:
            ModelError: If it is no model that reads digits.
        """
        path = find_model(model)
        self.name = path.stem
        # The default delegate fuses operators: what happens between them could not be seen.
        self._classifier = Classifier.load(model, engine, threads=1, delegate=False)
        self.engine = self._classifier.engine
        self._content = path.read_bytes()
        self._file = TfliteFile(self._content)

    @property
    def layers(self) -> list[str]:
        """The names of the layers that have activations, in order."""
        return [operator.layer for operator in self._list_layers()]

    @property
    def convolutions(self) -> list[str]:
        """The names of the convolutions, in order."""
        graph = self._graph
        return [op.layer for op in graph.operators if op.kind in CONVOLUTIONS]

    def read(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return probabilities, float64 [N, 10], of images, uint8 [N, 28, 28]."""
        predictions = self._classifier.predict_batch(images)
        return np.array([prediction.probabilities for prediction in predictions])

    def read_filters(self, layer: str) -> Filters:
        """Return what a convolution has learned, dequantized with its own scales."""
        graph = self._graph
        operator = next(op for op in graph.operators if op.layer == layer)
        index = operator.inputs[1]
        # Weights in float16 are made float32 by an operator of their own.
        widened = {op.outputs[0]: op.inputs[0] for op in graph.operators if op.kind == "DEQUANTIZE"}
        held = graph.tensors[widened.get(index, index)]
        weights = self._file.dequantize(held)  # [out, height, width, in]
        if operator.kind == "DEPTHWISE_CONV_2D":  # [1, height, width, out]
            return Filters(layer, weights.transpose(3, 0, 1, 2))
        return Filters(layer, weights.transpose(0, 3, 1, 2))

    def record(self, image: NDArray[np.uint8], layers: list[str]) -> list[Activation]:
        """Run the file on one image and return what the engine's tensors hold after it.

        Args:
            image: uint8 [28, 28].
            layers: Which.
        """
        setting = EngineSetting(self.engine, delegate=False)
        interpreter = create_interpreter(self._content, setting, keeps_activations=True)
        source = self._graph.tensors[self._graph.inputs[0]]
        interpreter.set_tensor(source.index, _encode(image, source))
        interpreter.invoke()
        return [
            self._read_activation(interpreter, operator)
            for operator in self._list_layers()
            if operator.layer in layers
        ]

    def compute_gradcams(
        self, image: NDArray[np.uint8], digit: int, layers: list[str]
    ) -> list[GradCam]:
        """Return Grad-CAM of the float network that the file was made from; needs TensorFlow.

        Raises:
            ModelError: If that network cannot be rebuilt.
        """
        from edge_mnist.explanation.gradcam import compute_gradcam
        from edge_mnist.quantization.rebuild import rebuild

        model = rebuild(self._content)
        # The operators and the layers come in the same order.
        kinds = {"Conv2D": CONVOLUTIONS[0], "DepthwiseConv2D": CONVOLUTIONS[1]}
        found = [layer for layer in model.layers if type(layer).__name__ in kinds]
        named = dict(zip(self.convolutions, found, strict=True))
        return [compute_gradcam(model, image, digit, named[name], name) for name in layers]

    @property
    def _graph(self) -> FileGraph:
        return self._file.graphs[0]

    def _list_layers(self) -> list[FileOperator]:
        """Return the operators that make something of the image, and not only of constants."""
        made = set(self._graph.inputs)
        listed = []
        for operator in self._graph.operators:
            if made.intersection(operator.inputs):
                made.update(operator.outputs)
                if operator.kind not in SHAPES_ONLY:
                    listed.append(operator)
        return listed

    def _read_activation(self, interpreter: Any, operator: FileOperator) -> Activation:
        tensor = self._graph.tensors[operator.outputs[0]]
        codes = interpreter.get_tensor(tensor.index)
        values = dequantize(codes, tensor)[0]
        is_output = tensor.index in self._graph.outputs
        return Activation(
            operator.layer, values, tensor.dtype, tensor.quantization, codes[0], is_output
        )


def _encode(image: NDArray[np.uint8], source: FileTensor) -> NDArray[np.uint8]:
    """Return the input codes of an image: the pixels if the input has no scale."""
    pixels = image.reshape(source.shape)
    if source.quantization is None:
        return pixels
    scale, zero_point = source.quantization.scale[0], source.quantization.zero_point[0]
    codes: NDArray[np.uint8] = np.clip(np.rint(pixels / 255 / scale) + zero_point, 0, 255).astype(
        np.uint8
    )
    return codes
