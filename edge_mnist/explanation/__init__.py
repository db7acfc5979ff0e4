"""What a network looks at: filters, activations, Grad-CAM, occlusion, and pictures of them.

Filters, activations and occlusion of a .tflite need NumPy and an engine only. pictures.py needs
matplotlib; gradcam.py and keras_subject.py need TensorFlow: the train extra has both.
"""
