"""Quantization with TensorFlow; import its modules, this package alone brings nothing heavy in."""
