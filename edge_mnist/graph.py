"""A model in an interpreter."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.engines import EngineSetting, create_interpreter
from edge_mnist.model_file import INPUT_SHAPE, check_interface
from edge_mnist.preprocessing import NUM_CLASSES


class Graph:
    """A model in an interpreter, ready for so many images at a time.

    Attributes:
        setting: How it is run.
        size: Images of a run.
        input_quantization: Scale and zero point of the input; a scale of 0 for none.
        output_quantization: And of the output.
        output_dtype: uint8 or float32.
    """

    def __init__(
        self,
        content: bytes,
        setting: EngineSetting,
        size: int = 1,
        outputs: int = NUM_CLASSES,
        input_shape: tuple[int, ...] = INPUT_SHAPE,
    ) -> None:
        """Load it.

        Args:
            content: A .tflite file's bytes, of which the structure has been checked.
            setting: With an engine that is installed.
            size: Images of a run, at least 1.
            outputs: What it gives for each.
            input_shape: Of one image, as a batch of one.

        Raises:
            InvalidInputError: If the setting's threads are out of range.
            ModelError: If it is no model that takes uint8 of that shape and gives [1, outputs], or
                the engine refuses it.
            ValueError: If the graph cannot be resized.
            RuntimeError: Likewise.
        """
        self.setting = setting
        self.size = size
        self._outputs, self._input_shape = outputs, input_shape
        self._content = content
        self._interpreter = create_interpreter(content, setting)
        graph_input = self._interpreter.get_input_details()[0]
        graph_output = self._interpreter.get_output_details()[0]
        check_interface(graph_input, graph_output, outputs, input_shape)
        self._input_index, self._output_index = graph_input["index"], graph_output["index"]
        self.input_quantization: tuple[float, int] = graph_input["quantization"]
        self.output_quantization: tuple[float, int] = graph_output["quantization"]
        self.output_dtype = np.dtype(graph_output["dtype"])
        if size > 1:
            self._interpreter.resize_tensor_input(self._input_index, (size, *input_shape[1:]))
            self._interpreter.allocate_tensors()

    def run(self, codes: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the outputs [size, outputs], uint8 or float32 as the model gives them.

        Args:
            codes: uint8 [size, ...] as the model's input takes them.
        """
        interpreter = self._interpreter
        interpreter.set_tensor(self._input_index, codes)
        interpreter.invoke()
        outputs: NDArray[Any] = interpreter.get_tensor(self._output_index)
        return outputs

    def load_again(self, setting: EngineSetting, size: int) -> "Graph":
        """Return the same model in another interpreter."""
        return Graph(self._content, setting, size, self._outputs, self._input_shape)

    @property
    def operators(self) -> list[str]:
        """The builtin operators, in order, without what a delegate adds."""
        # The interpreters have no public list; both have had this one since TensorFlow 2.4.
        names = (op["op_name"] for op in self._interpreter._get_ops_details())
        return [name for name in names if name != "DELEGATE"]

    @property
    def tensor_dtypes(self) -> list[str]:
        """The NumPy names of the types of all tensors."""
        return [np.dtype(t["dtype"]).name for t in self._interpreter.get_tensor_details()]
