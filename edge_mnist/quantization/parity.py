"""Proof that what was exported is what was trained: each engine runs it in a fresh process."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_mnist.dataset import Examples
from edge_mnist.engines import installed_engines, resolve_engine
from edge_mnist.errors import ExportError, ModelError
from edge_mnist.isolation import IsolatedRun, run_isolated

# One image in this many, or part of as many, may be read differently by the export and the Keras
# model.
IMAGES_PER_FLIP = 500

# int32 is for biases and shapes; uint8 for the two ends.
INT8_DTYPES = frozenset({"int8", "uint8", "int32"})


@dataclass(frozen=True)
class ParityReport:
    """What the engines did with an export that passed.

    Attributes:
        run: The first engine's run on the validation images.
        agreement: By engine: the share of images read as the Keras model reads them.
        engines: By engine: its version.
    """

    run: IsolatedRun
    agreement: dict[str, float]
    engines: dict[str, str]


def check_parity(
    content: bytes,
    examples: Examples,
    keras_logits: NDArray[np.float32],
    *,
    is_int8: bool,
    max_bytes: int,
) -> ParityReport:
    """Run an export in every installed engine and hold it against its Keras model.

    Args:
        content: The .tflite file's content.
        examples: Validation images.
        keras_logits: float32 [N, 10], the Keras model's outputs on them.
        is_int8: Whether all of the graph must be integers.
        max_bytes: How large the file may be.

    Raises:
        ExportError: If it is too large, an engine refuses it, an int8 graph holds floats, or more
            than one image in 500 is read differently.
    """
    if len(content) > max_bytes:
        raise ExportError(
            "the export is too large",
            expected=f"at most {max_bytes:,} bytes",
            got=f"{len(content):,}",
            remedy="train a smaller architecture, or raise --max-bytes",
        )
    resolve_engine()  # an error of its own where no engine is installed
    expected = keras_logits.argmax(axis=1)
    agreement: dict[str, float] = {}
    runs = []
    for engine in installed_engines():
        try:
            run = run_isolated(content, examples.images, engine=engine)
        except ModelError as exc:
            raise ExportError(f"{engine} does not run the export", got=str(exc)) from exc
        flips = int((run.outputs.argmax(axis=1) != expected).sum())
        if flips > math.ceil(len(expected) / IMAGES_PER_FLIP):
            raise ExportError(
                f"the export in {engine} does not agree with the Keras model",
                expected=f"at most 1 image in {IMAGES_PER_FLIP} read differently",
                got=f"{flips} of {len(expected):,}",
                remedy="try the other --method",
            )
        agreement[engine] = 1 - flips / len(expected)
        runs.append(run)
    if is_int8 and not set(runs[0].tensor_dtypes) <= INT8_DTYPES:
        raise ExportError(
            "the export is not int8 throughout",
            expected=", ".join(sorted(INT8_DTYPES)),
            got=", ".join(sorted(set(runs[0].tensor_dtypes))),
        )
    return ParityReport(runs[0], agreement, installed_engines())
