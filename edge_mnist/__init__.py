"""Handwritten digits on small devices: train, quantize, run and measure."""

from edge_mnist.runtime import Classifier, Prediction

__version__ = "0.1.0"
__all__ = ["Classifier", "Prediction", "__version__"]
