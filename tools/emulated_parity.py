"""Outputs on emulated processors and in TensorFlow Lite Micro, bit by bit beside this machine's."""

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from emulated_processors import ENGINE_WHEEL, Processor
from emulated_system import (
    PROGRAMS,
    build_command,
    build_environment,
    describe_failure,
    set_up_system,
)
from numpy.typing import NDArray

from edge_mnist.engines import INSTALL_REMEDY, installed_engines
from edge_mnist.errors import MissingDependencyError, ModelError

MICRO_PACKAGE = "tflite-micro"
# More than any model here needs; what it took is measured.
ARENA_BYTES = 16 << 20


@dataclass(frozen=True)
class MicroRun:
    """What TensorFlow Lite Micro did with a model.

    Attributes:
        outputs: [N, 10], as the model gives them.
        arena_bytes: What it took of the tensor arena.
        tensor_bytes: The part of it for tensors, which share their places.
    """

    outputs: NDArray[Any]
    arena_bytes: int
    tensor_bytes: int

    @property
    def persistent_bytes(self) -> int:
        """The part of the arena for structures that stay."""
        return self.arena_bytes - self.tensor_bytes


def run_emulated(
    paths: Sequence[Path], images: NDArray[np.uint8], processor: Processor
) -> list[NDArray[Any]]:
    """Run models on an emulated processor.

    Args:
        paths: .tflite files that take uint8.
        images: uint8 [N, 28, 28].
        processor: What to run them on.

    Returns:
        Each model's outputs, [N, 10].

    Raises:
        MissingDependencyError: If QEMU is missing, or the set-up fails.
        ModelError: If one of the models does not run.
    """
    system = set_up_system(processor.architecture)
    return _infer(
        build_command(processor, system),
        paths,
        images,
        where=f"an emulated {processor.name}",
        environment=build_environment(system),
    )


def run_here(
    paths: Sequence[Path], images: NDArray[np.uint8], *, reference_kernels: bool = False
) -> list[NDArray[Any]]:
    """Run models in this machine's tflite-runtime; the rest as `run_emulated`.

    Args:
        paths: .tflite files that take uint8.
        images: uint8 [N, 28, 28].
        reference_kernels: Whether to run those that TensorFlow Lite Micro has too.

    Raises:
        MissingDependencyError: If tflite-runtime of the emulated version is not installed.
        ModelError: If one of the models does not run.
    """
    name, _, version = ENGINE_WHEEL.partition("==")
    installed = installed_engines().get(name)
    if installed != version:
        raise MissingDependencyError(
            "there is nothing to compare with",
            expected=f"{name} {version}",
            got=installed or "none",
            remedy=INSTALL_REMEDY,
        )
    # A process of its own: TensorFlow may have been imported in this one.
    options = ["--reference"] if reference_kernels else []
    return _infer([sys.executable], paths, images, where="this machine", options=options)


def run_micro(path: Path, images: NDArray[np.uint8], arena_bytes: int = ARENA_BYTES) -> MicroRun:
    """Run a model in TensorFlow Lite Micro, built for this machine.

    Args:
        path: A .tflite file that takes uint8.
        images: uint8 [N, 28, 28], N at least 1.
        arena_bytes: What it may take.

    Raises:
        MissingDependencyError: If tflite-micro is not installed.
        ModelError: If the model does not run: an operator is not supported, or the arena too small.
    """
    require_micro()
    with tempfile.TemporaryDirectory() as folder:
        pictures, outputs = Path(folder) / "images.npy", Path(folder) / "outputs.npy"
        np.save(pictures, images)
        process = subprocess.run(
            [sys.executable, PROGRAMS / "micro.py", pictures, outputs, path, str(arena_bytes)],
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            raise ModelError(
                f"{path} does not run in TensorFlow Lite Micro", got=describe_failure(process)
            )
        total, head = (_find_allocation(process.stderr, part) for part in ("total", "head"))
        return MicroRun(np.load(outputs), total, head)


def require_micro() -> None:
    """Raise MissingDependencyError if tflite-micro is not installed."""
    if importlib.util.find_spec("tflite_micro") is None:
        raise MissingDependencyError(
            f"this needs {MICRO_PACKAGE}, which is not installed",
            remedy=f"on Linux for x86-64: pip install {MICRO_PACKAGE}",
        )


def find_differences(outputs: NDArray[Any], expected: NDArray[Any]) -> list[int]:
    """Return the indices of the images whose outputs are not the same to the bit."""
    if outputs.dtype != expected.dtype or outputs.shape != expected.shape:
        return list(range(len(expected)))
    # Bytes, so that a float's NaN is equal to itself and 0 is not to -0.
    same = outputs.view(np.uint8) == expected.view(np.uint8)
    return np.flatnonzero(~same.all(axis=1)).tolist()


def _infer(
    python: Sequence[str],
    paths: Sequence[Path],
    images: NDArray[np.uint8],
    *,
    where: str,
    options: Sequence[str] = (),
    environment: dict[str, str] | None = None,
) -> list[NDArray[Any]]:
    """Run the program that both sides run."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "images.npy"
        np.save(pictures, images)
        results = [Path(folder) / f"{number:06}.npy" for number in range(len(paths))]
        process = subprocess.run(
            [
                *(*python, str(PROGRAMS / "infer.py"), *options, str(pictures), folder),
                *(str(path.resolve()) for path in paths),
            ],
            cwd=folder,  # where QEMU leaves what a crash dumps
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            failed = next(
                (path for path, result in zip(paths, results, strict=True) if not result.exists()),
                paths[0],
            )
            raise ModelError(f"{failed} does not run on {where}", got=describe_failure(process))
        return [np.load(result) for result in results]


def _find_allocation(told: str, part: str) -> int:
    match = re.search(rf"Arena allocation {part} (\d+) bytes", told)
    if match is None:
        raise ModelError(
            "TensorFlow Lite Micro does not tell what it took of the arena",
            expected=f"a line on the {part}",
            got=repr(told[-200:]),
        )
    return int(match[1])
