"""Running a model: NumPy and an interpreter, nothing else."""

import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_mnist.engines import (
    EngineSetting,
    check_threads,
    create_interpreter,
    resolve_engine,
)
from edge_mnist.errors import InvalidInputError, ModelError
from edge_mnist.isolation import run_isolated
from edge_mnist.model_card import OutputKind, hash_bytes, load_card
from edge_mnist.model_file import INPUT_SHAPE, check_interface, check_structure
from edge_mnist.model_store import find_model
from edge_mnist.preprocessing import IMAGE_SIZE, NUM_CLASSES

UINT8 = np.dtype(np.uint8)
IMAGE_SHAPE = (IMAGE_SIZE, IMAGE_SIZE)
IMAGE_SHAPES = (IMAGE_SHAPE, (*IMAGE_SHAPE, 1))
# What the fixed-point softmax of TensorFlow Lite gives out (its quantization specification).
SOFTMAX_QUANTIZATION = (1 / 256, 0)

# Images of one call when the batch is resized. Larger ones gained nothing (benchmarks/runtime.py).
RESIZED_BATCH = 32


class _Reading(NamedTuple):
    """The part of a prediction that it unpacks to."""

    digit: int
    confidence: float
    probabilities: NDArray[np.float64]


class Prediction(_Reading):
    """What a model says of one image; it unpacks to digit, confidence and probabilities.

    Attributes:
        digit: The most probable digit, 0 to 9.
        confidence: Its probability, 0 to 1, if the image is a digit at all.
        probabilities: float64 [10], they sum to 1.
        rejection_score: 0 to 1: the more, the less the image is like any digit.
        rejected: Whether the score is above the model's threshold, which more than 99 % of the
            digits in its validation images stay below. Without one in its card a model rejects
            nothing.
    """

    rejection_score: float = 0.0
    rejected: bool = False


class Classifier:
    """A model, loaded and ready. Use `Classifier.load`; one instance serves one thread at a time.

    Attributes:
        engine: The engine that runs it.
        output_kind: Whether its outputs are logits or probabilities.
        operators: The builtin operators of its graph, in order.
        tensor_dtypes: The NumPy names of the types of all its tensors.
    """

    def __init__(
        self,
        content: bytes,
        *,
        engine: str = "auto",
        threads: int = 1,
        output_kind: OutputKind | None = None,
        temperature: float = 1.0,
        rejection_threshold: float | None = None,
    ) -> None:
        """Load a model from bytes that are known to be good; `load` is for files.

        Args:
            content: A .tflite file's bytes.
            engine: "tflite-runtime", "ai-edge-litert", or "auto" for the first installed.
            threads: For one inference.
            output_kind: What its outputs are; None to tell by their quantization.
            temperature: What logits are divided by before the softmax, above 0.
            rejection_threshold: The rejection score above which an image is no digit; None to
                reject nothing.

        Raises:
            ModelError: If it is no model that takes uint8 [1, 28, 28, 1] and gives [1, 10].
        """
        check_structure(content)
        self.engine = resolve_engine(engine)
        self._content = content
        self._setting = EngineSetting(self.engine, threads=threads)
        self._interpreter = create_interpreter(content, self._setting)
        graph_input = self._interpreter.get_input_details()[0]
        graph_output = self._interpreter.get_output_details()[0]
        check_interface(graph_input, graph_output)
        self._input_index, self._output_index = graph_input["index"], graph_output["index"]
        self._pixel_codes = _pixel_codes(*graph_input["quantization"])
        self._output_scale, self._output_zero_point = graph_output["quantization"]
        self._is_uint8_output = graph_output["dtype"] is np.uint8
        self._temperature = temperature
        # No score is above 1.
        self._rejection_threshold = 1.0 if rejection_threshold is None else rejection_threshold
        self.output_kind = output_kind or self._guess_output_kind()
        # The weight of an output that lies k codes below the highest: its softmax's numerator.
        # Ten look-ups take a third of the time of NumPy's exp and sum on ten numbers.
        self._weights_below = [
            math.exp(-code * self._output_scale / temperature) for code in range(256)
        ]
        # The odds of each code's logit against one of 0, that of the class "no digit".
        self._odds = [
            math.exp(min((code - self._output_zero_point) * self._output_scale / temperature, 700))
            for code in range(256)
        ]
        self._resized: Any = None
        self._batches_are_faster: bool | None = None

    @classmethod
    def load(
        cls, model: str | Path | None = None, engine: str = "auto", threads: int = 1
    ) -> "Classifier":
        """Load a model from a file.

        A model with a card beside it must have the card's SHA-256. One without is tried in a
        process of its own first (0.2 s), so that a damaged file cannot crash this one.

        Args:
            model: A shipped model's name, a path, or None for the default model.
            engine: "tflite-runtime", "ai-edge-litert", or "auto" for the first installed.
            threads: For one inference, at least 1.

        Raises:
            ModelError: If there is no such model, or it is damaged or of another kind.
            MissingDependencyError: If the engine is not installed.
            InvalidInputError: If there is no such engine, or `threads` is below 1.
        """
        path = find_model(model)
        engine = resolve_engine(engine)
        check_threads(threads)
        try:
            content = path.read_bytes()
        except OSError as exc:
            raise ModelError(f"cannot read the model {path}", got=str(exc)) from exc
        try:
            check_structure(content)
            card = load_card(path)
            if card is None:
                blank = np.zeros((1, *IMAGE_SHAPE), np.uint8)
                run_isolated(content, blank, engine=engine, threads=threads)
                return cls(content, engine=engine, threads=threads)
            if hash_bytes(content) != card.sha256:
                raise ModelError(
                    "it is not the file that its card describes",
                    expected=f"SHA-256 {card.sha256[:12]}…",
                    got=f"{hash_bytes(content)[:12]}…",
                    remedy="export or fetch both again",
                )
            return cls(
                content,
                engine=engine,
                threads=threads,
                output_kind=card.output_kind,
                temperature=card.temperature,
                rejection_threshold=card.rejection_threshold,
            )
        except ModelError as exc:
            raise ModelError(f"cannot use the model {path}: {exc}") from exc

    def predict(self, image: NDArray[np.uint8]) -> Prediction:
        """Read one digit.

        Args:
            image: uint8 [28, 28] or [28, 28, 1], 0 is paper and 255 is ink.

        Raises:
            InvalidInputError: If it is something else.
        """
        if (
            not isinstance(image, np.ndarray)
            or image.dtype != UINT8
            or image.shape not in IMAGE_SHAPES
        ):
            raise _wrong_image(image, "uint8 [28, 28] or [28, 28, 1]")
        if self._pixel_codes is not None:
            image = self._pixel_codes[image]
        interpreter = self._interpreter
        interpreter.set_tensor(self._input_index, image.reshape(INPUT_SHAPE))
        interpreter.invoke()
        return self._interpret(interpreter.get_tensor(self._output_index)[0])

    def predict_batch(self, images: NDArray[np.uint8]) -> list[Prediction]:
        """Read many digits; the results are those of `predict` on each.

        Args:
            images: uint8 [N, 28, 28] or [N, 28, 28, 1], 0 is paper and 255 is ink.

        Raises:
            InvalidInputError: If they are something else.
        """
        return [self._interpret(row) for row in self.run(images)]

    def run(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the model's raw outputs: [N, 10], uint8 or float32 as the model gives them.

        Args:
            images: uint8 [N, 28, 28] or [N, 28, 28, 1].

        Raises:
            InvalidInputError: If they are something else.
        """
        if (
            not isinstance(images, np.ndarray)
            or images.dtype != UINT8
            or images.shape[1:] not in IMAGE_SHAPES
        ):
            raise _wrong_image(images, "uint8 [N, 28, 28]")
        codes = images if self._pixel_codes is None else self._pixel_codes[images]
        codes = np.ascontiguousarray(codes).reshape(-1, *INPUT_SHAPE)
        if len(codes) < RESIZED_BATCH or not self._can_batch(codes):
            return self._run_one_by_one(codes)
        whole = len(codes) - len(codes) % RESIZED_BATCH
        parts = [
            self._run_resized(codes[start : start + RESIZED_BATCH])
            for start in range(0, whole, RESIZED_BATCH)
        ]
        return np.concatenate([*parts, self._run_one_by_one(codes[whole:])])

    def dequantize(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return what raw outputs stand for: float64 of the same shape."""
        if not self._is_uint8_output:
            return outputs.astype(np.float64)
        values = (outputs.astype(np.float64) - self._output_zero_point) * self._output_scale
        return np.asarray(values, np.float64)

    @property
    def operators(self) -> list[str]:
        """The builtin operators of the graph, in order, without what a delegate adds."""
        # The interpreters have no public list; both have had this one since TensorFlow 2.4.
        names = (op["op_name"] for op in self._interpreter._get_ops_details())
        return [name for name in names if name != "DELEGATE"]

    @property
    def tensor_dtypes(self) -> list[str]:
        """The NumPy names of the types of all tensors."""
        return [np.dtype(t["dtype"]).name for t in self._interpreter.get_tensor_details()]

    def _interpret(self, output: NDArray[Any]) -> Prediction:
        """Turn one output [10] into a prediction."""
        if self._is_uint8_output and self.output_kind == "logits":
            codes: list[int] = output.tolist()
            highest = max(codes)
            weights_below = self._weights_below
            weights = [weights_below[highest - code] for code in codes]
            total = sum(weights)
            prediction = Prediction(
                codes.index(highest), 1 / total, np.array([w / total for w in weights])
            )
            score = 1 / (1 + self._odds[highest] * total)
        else:
            values = self.dequantize(output)
            digit = int(output.argmax())
            if self.output_kind == "logits":
                values = values / self._temperature
                score = compute_rejection_scores(values[None])[0]
                values = np.exp(values - values.max())
            else:
                score = 1 - values[digit]
            probabilities = values / values.sum()
            prediction = Prediction(digit, float(probabilities[digit]), probabilities)
        prediction.rejection_score = float(score)
        prediction.rejected = bool(score > self._rejection_threshold)
        return prediction

    def _guess_output_kind(self) -> OutputKind:
        if self._is_uint8_output:
            found = (self._output_scale, self._output_zero_point)
            return "probabilities" if found == SOFTMAX_QUANTIZATION else "logits"
        # Ten floats of a blank image that are all positive and sum to 1 are a softmax's.
        values = self._run_one_by_one(np.zeros((1, *INPUT_SHAPE), np.uint8))
        is_softmax = bool((values >= 0).all()) and abs(float(values.sum()) - 1) < 1e-3
        return "probabilities" if is_softmax else "logits"

    def _run_one_by_one(self, codes: NDArray[np.uint8]) -> NDArray[Any]:
        dtype = np.uint8 if self._is_uint8_output else np.float32
        outputs = np.empty((len(codes), NUM_CLASSES), dtype)
        interpreter = self._interpreter
        for index, code in enumerate(codes):
            interpreter.set_tensor(self._input_index, code)
            interpreter.invoke()
            outputs[index] = interpreter.get_tensor(self._output_index)[0]
        return outputs

    def _run_resized(self, codes: NDArray[np.uint8]) -> NDArray[Any]:
        self._resized.set_tensor(self._input_index, codes.reshape(-1, *INPUT_SHAPE[1:]))
        self._resized.invoke()
        outputs: NDArray[Any] = self._resized.get_tensor(self._output_index)
        return outputs

    def _can_batch(self, codes: NDArray[np.uint8]) -> bool:
        """Return whether a resized batch is faster here and gives the same; tried once.

        It depends on the network, the engine and the processor, so it is measured.
        """
        if self._batches_are_faster is None:
            codes = codes[:RESIZED_BATCH]
            try:
                self._resized = create_interpreter(self._content, self._setting)
                self._resized.resize_tensor_input(
                    self._input_index, (RESIZED_BATCH, *INPUT_SHAPE[1:])
                )
                self._resized.allocate_tensors()
                resized = self._run_resized(codes)
            except (ModelError, ValueError, RuntimeError):
                # A graph that was written for one image only, by a reshape to [1, n].
                self._batches_are_faster = False
            else:
                started = time.perf_counter()
                single = self._run_one_by_one(codes)
                single_s = time.perf_counter() - started
                started = time.perf_counter()
                self._run_resized(codes)
                resized_s = time.perf_counter() - started
                self._batches_are_faster = (
                    resized.shape == single.shape
                    and np.array_equal(resized, single)
                    and resized_s < single_s
                )
        return self._batches_are_faster


def compute_rejection_scores(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how little each row of logits speaks for any digit.

    The probability of an eleventh class whose logit is always 0, which is what networks are
    trained to give to outliers; a monotonous function of the energy of Liu, Wang, Owens and Li,
    "Energy-based Out-of-distribution Detection", NeurIPS 2020.

    Args:
        logits: float64 [N, 10], divided by the temperature.

    Returns:
        float64 [N], 0 to 1.
    """
    peaks = logits.max(axis=1)
    energies = peaks + np.log(np.exp(logits - peaks[:, None]).sum(axis=1))
    scores: NDArray[np.float64] = 1 / (1 + np.exp(np.minimum(energies, 700)))
    return scores


def _pixel_codes(scale: float, zero_point: int) -> NDArray[np.uint8] | None:
    """Return the input code of each pixel value, uint8 [256]; None if they are the same.

    A scale of 0 marks an input that is not quantized: the graph takes raw pixels and scales them.
    """
    if scale == 0:
        return None
    pixels = np.arange(256)
    codes = np.clip(np.rint(pixels / 255 / scale) + zero_point, 0, 255).astype(np.uint8)
    return None if np.array_equal(codes, pixels) else codes


def _wrong_image(image: object, expected: str) -> InvalidInputError:
    if not isinstance(image, np.ndarray):
        return InvalidInputError(
            "wrong image", expected=expected, got=type(image).__name__, remedy="use a NumPy array"
        )
    got, remedy = f"{image.dtype} {list(image.shape)}", None
    if image.dtype.kind == "f":
        remedy = "scale it to 0 to 255 and convert it: np.rint(image).astype(np.uint8)"
        if np.isnan(image).any():
            got += " with NaN"
    elif image.dtype.kind == "b":
        remedy = "convert it: image.astype(np.uint8) * 255"
    elif image.dtype != UINT8:
        remedy = "convert it: image.astype(np.uint8)"
    else:
        remedy = "bring a picture into shape with edge_mnist.preprocessing.normalize_digit"
    return InvalidInputError("wrong image", expected=expected, got=got, remedy=remedy)
