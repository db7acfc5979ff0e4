"""Running a model: NumPy and an interpreter, nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.batches import RESIZED_BATCH, BatchRunner
from edge_mnist.decoding import OutputDecoder, compute_rejection_scores
from edge_mnist.engines import AUTO, EngineSetting, check_threads, resolve_engine
from edge_mnist.errors import InvalidInputError, ModelError
from edge_mnist.graph import Graph
from edge_mnist.model_card import OutputKind, hash_bytes, load_card
from edge_mnist.model_file import INPUT_SHAPE, check_structure
from edge_mnist.model_store import find_model
from edge_mnist.prediction import Prediction
from edge_mnist.preprocessing import IMAGE_SIZE
from edge_mnist.tuned_settings import load_tuned

__all__ = ["RESIZED_BATCH", "Classifier", "Prediction", "compute_rejection_scores"]

UINT8 = np.dtype(np.uint8)
IMAGE_SHAPE = (IMAGE_SIZE, IMAGE_SIZE)
IMAGE_SHAPES = (IMAGE_SHAPE, (*IMAGE_SHAPE, 1))
# What the fixed-point softmax of TensorFlow Lite gives out (its quantization specification).
SOFTMAX_QUANTIZATION = (1 / 256, 0)


class Classifier:
    """A model, loaded and ready. Use `Classifier.load`; one instance serves one thread at a time.

    Attributes:
        setting: How it is run: engine, delegate and threads.
        engine: The engine that runs it.
        output_kind: Whether its outputs are logits or probabilities.
        operators: The builtin operators of its graph, in order.
        tensor_dtypes: The NumPy names of the types of all its tensors.
    """

    def __init__(
        self,
        content: bytes,
        *,
        engine: str = AUTO,
        threads: int = 1,
        delegate: bool = True,
        batch_size: int = RESIZED_BATCH,
        output_kind: OutputKind | None = None,
        temperature: float = 1.0,
        rejection_threshold: float | None = None,
    ) -> None:
        """Load a model from bytes that are known to be good; `load` is for files.

        Args:
            content: A .tflite file's bytes.
            engine: "tflite-runtime", "ai-edge-litert", or "auto" for the first installed.
            threads: For one image's inference, or to share many images out to.
            delegate: Whether the engine's default delegate (XNNPACK) takes over what it can.
            batch_size: Images of one call of the interpreter where there are many; 1 for never
                more than one.
            output_kind: What its outputs are; None to tell by their quantization.
            temperature: What logits are divided by before the softmax, above 0.
            rejection_threshold: The rejection score above which an image is no digit; None to
                reject nothing.

        Raises:
            ModelError: If it is no model that takes uint8 [1, 28, 28, 1] and gives [1, 10].
            InvalidInputError: If `threads` or `batch_size` is below 1.
        """
        check_structure(content)
        if batch_size < 1:
            raise InvalidInputError("batch_size", expected="at least 1", got=str(batch_size))
        self.setting = EngineSetting(resolve_engine(engine), delegate, threads)
        self.engine = self.setting.engine
        self._graph = Graph(content, self.setting)
        self._batches = BatchRunner(self._graph, batch_size)
        self._pixel_codes = _pixel_codes(*self._graph.input_quantization)
        self.output_kind = output_kind or _guess_output_kind(self._graph)
        is_quantized = self._graph.output_dtype == UINT8
        self._decoder = OutputDecoder(
            self._graph.output_quantization if is_quantized else None,
            self.output_kind,
            temperature,
            rejection_threshold,
        )

    @classmethod
    def load(
        cls,
        model: str | Path | None = None,
        engine: str = AUTO,
        threads: int | None = None,
        delegate: bool | None = None,
    ) -> "Classifier":
        """Load a model from a file.

        A model with a card beside it must have the card's SHA-256. One without is read from end to
        end and tried in a process of its own first (0.2 s), so that a damaged file cannot crash
        this one.

        Args:
            model: A shipped model's name, a path, or None for the default model.
            engine: "tflite-runtime", "ai-edge-litert", or "auto" for what `edge-mnist bench --tune`
                found to be the quickest for this model on this machine, else the first installed.
            threads: For one image's inference, or to share many images out to, at least 1. None
                for what was tuned with "auto", else 1.
            delegate: Whether the engine's default delegate (XNNPACK) takes over what it can. None
                for what was tuned with "auto", else True.

        Raises:
            ModelError: If there is no such model, or it is damaged or of another kind.
            MissingDependencyError: If the engine is not installed.
            InvalidInputError: If there is no such engine, or `threads` is below 1.
        """
        path = find_model(model)
        default_engine = resolve_engine(engine)
        check_threads(1 if threads is None else threads)
        try:
            content = path.read_bytes()
        except OSError as exc:
            raise ModelError(f"cannot read the model {path}", got=str(exc)) from exc
        try:
            check_structure(content)
            card, sha256 = load_card(path), hash_bytes(content)
            if card is not None and sha256 != card.sha256:
                raise ModelError(
                    "it is not the file that its card describes",
                    expected=f"SHA-256 {card.sha256[:12]}…",
                    got=f"{sha256[:12]}…",
                    remedy="export or fetch both again",
                )
            tuned = load_tuned(sha256) if engine == AUTO else None
            setting = EngineSetting(default_engine) if tuned is None else tuned.setting
            options: dict[str, Any] = {
                "engine": setting.engine,
                "threads": setting.threads if threads is None else threads,
                "delegate": setting.delegate if delegate is None else delegate,
                "batch_size": RESIZED_BATCH if tuned is None else tuned.batch_size,
            }
            if card is None:
                from edge_mnist.isolation import run_isolated
                from edge_mnist.tflite_file import TfliteFile

                # Engines follow references out of a file, and it depends on what else is in memory
                # whether that crashes: what is well in a fresh process can still do so here.
                TfliteFile(content)
                blank = np.zeros((1, *IMAGE_SHAPE), np.uint8)
                run_isolated(
                    content,
                    blank,
                    engine=options["engine"],
                    threads=options["threads"],
                    delegate=options["delegate"],
                )
                return cls(content, **options)
            return cls(
                content,
                **options,
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
        return self._decoder.decode(self._graph.run(image.reshape(INPUT_SHAPE)))

    def predict_batch(self, images: NDArray[np.uint8]) -> list[Prediction]:
        """Read many digits; the results are those of `predict` on each.

        Args:
            images: uint8 [N, 28, 28] or [N, 28, 28, 1], 0 is paper and 255 is ink.

        Raises:
            InvalidInputError: If they are something else.
        """
        return self._decoder.decode_batch(self.run(images))

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
        return self._batches.run(np.ascontiguousarray(codes).reshape(-1, *INPUT_SHAPE[1:]))

    def dequantize(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return what raw outputs stand for: float64 of the same shape."""
        return self._decoder.dequantize(outputs)

    @property
    def operators(self) -> list[str]:
        """The builtin operators of the graph, in order, without what a delegate adds."""
        return self._graph.operators

    @property
    def tensor_dtypes(self) -> list[str]:
        """The NumPy names of the types of all tensors."""
        return self._graph.tensor_dtypes


def _guess_output_kind(graph: Graph) -> OutputKind:
    if graph.output_dtype == UINT8:
        found = graph.output_quantization
        return "probabilities" if found == SOFTMAX_QUANTIZATION else "logits"
    # Ten floats of a blank image that are all positive and sum to 1 are a softmax's.
    values = graph.run(np.zeros(INPUT_SHAPE, np.uint8))
    is_softmax = bool((values >= 0).all()) and abs(float(values.sum()) - 1) < 1e-3
    return "probabilities" if is_softmax else "logits"


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
