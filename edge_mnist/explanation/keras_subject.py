"""A Keras model to be explained: of a run folder or a .keras file."""

from pathlib import Path
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from edge_mnist.explanation.gradcam import compute_gradcam
from edge_mnist.explanation.results import Activation, Filters, GradCam
from edge_mnist.training.run import load_run, predict_logits

# They change no value when a network reads.
SHAPES_ONLY = (
    tf_keras.layers.InputLayer,
    tf_keras.layers.Flatten,
    tf_keras.layers.Reshape,
    tf_keras.layers.Dropout,
)
CONVOLUTIONS = (tf_keras.layers.Conv2D, tf_keras.layers.DepthwiseConv2D)
# What can follow a convolution before its maps are whole.
FINISHING = (
    tf_keras.layers.BatchNormalization,
    tf_keras.layers.ReLU,
    tf_keras.layers.Activation,
)


class KerasSubject:
    """A Keras model.

    Attributes:
        name: The run's folder, or the file's name without its ending.
        engine: What runs it.
    """

    engine = "keras"

    def __init__(self, path: Path) -> None:
        """Load it.

        Args:
            path: A run folder, or a .keras file.

        Raises:
            ModelError: If there is none, or it is of another kind.
        """
        self.name = path.resolve().stem
        self._model = load_run(path)

    @property
    def layers(self) -> list[str]:
        """The names of the layers that have activations, in order."""
        listed = (layer for layer in self._model.layers if not isinstance(layer, SHAPES_ONLY))
        return [layer.name for layer in listed if len(layer.output.shape) in (2, 4)]

    @property
    def convolutions(self) -> list[str]:
        """The names of the convolutions, in order."""
        return [layer.name for layer in self._model.layers if isinstance(layer, CONVOLUTIONS)]

    def read(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return probabilities, float64 [N, 10], of images, uint8 [N, 28, 28]."""
        outputs = predict_logits(self._model, images).astype(np.float64)
        if (outputs >= 0).all() and np.abs(outputs.sum(axis=1) - 1).max() < 1e-3:
            return outputs  # a softmax has been there already
        weights = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return probabilities

    def read_filters(self, layer: str) -> Filters:
        """Return what a convolution has learned."""
        convolution = self._model.get_layer(layer)
        kernel = convolution.get_weights()[0]
        if isinstance(convolution, tf_keras.layers.DepthwiseConv2D):
            kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
        return Filters(layer, kernel.transpose(3, 2, 0, 1))  # [height, width, in, out] before

    def record(self, image: NDArray[np.uint8], layers: list[str]) -> list[Activation]:
        """Return what layers make of one image.

        Args:
            image: uint8 [28, 28].
            layers: Which.
        """
        outputs = [self._model.get_layer(name).output for name in layers]
        batch = image[None, ..., None].astype(np.float32) / 255
        made = tf_keras.Model(self._model.inputs, outputs)(batch, training=False)
        values = [value.numpy()[0] for value in (made if len(layers) > 1 else [made])]
        return [
            Activation(name, value, value.dtype.name, None, value, name == self.layers[-1])
            for name, value in zip(layers, values, strict=True)
        ]

    def compute_gradcams(
        self, image: NDArray[np.uint8], digit: int, layers: list[str]
    ) -> list[GradCam]:
        """Return Grad-CAM of convolutions, as they are after normalisation and activation."""
        model = self._model
        return [
            compute_gradcam(model, image, digit, self._finish(model.get_layer(name)), name)
            for name in layers
        ]

    def _finish(self, layer: Any) -> Any:
        """Return the layer that ends what a convolution starts: its ReLU, if that follows."""
        while True:
            following = [node.outbound_layer for node in layer.outbound_nodes]
            if len(following) != 1 or not isinstance(following[0], FINISHING):
                return layer
            layer = following[0]
