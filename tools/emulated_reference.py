"""benchmarks/reference: what was counted and measured without a device, to hold later runs against.

The files' SHA-256 stand beside the figures: a model that was made again needs them made again.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from emulated_count import CAVEAT, count_instructions
from emulated_images import draw_strokes
from emulated_parity import MICRO_PACKAGE, find_differences, run_here, run_micro
from emulated_processors import ENGINE_WHEEL, PROCESSORS
from emulated_system import read_qemu_version

from edge_mnist.errors import MissingDependencyError, ModelError
from edge_mnist.files import write_atomically
from edge_mnist.model_card import hash_bytes
from edge_mnist.model_store import shipped_models
from edge_mnist.preprocessing import IMAGE_SIZE

REFERENCE = Path(__file__).parent.parent / "benchmarks" / "reference"
INSTRUCTIONS_FILE = REFERENCE / "instructions.json"
ARENA_FILE = REFERENCE / "arena.json"

# How far a later count may be from the stored one.
TOLERANCE = 0.01

# Networks of published tutorials, with fresh weights: instructions hardly depend on them.
TUTORIALS = ("tutorial-4x4", "tutorial-3x3")
SEED, OTHER_SEED = 0, 1

ARENA_IMAGES = 100


def write_reference() -> list[Path]:
    """Count and measure all shipped models and the tutorial networks; return the files written.

    Raises:
        MissingDependencyError: If QEMU, a compiler, tflite-micro or TensorFlow is missing.
        ModelError: If a model does not run, or TensorFlow Lite Micro gives other outputs.
    """
    with tempfile.TemporaryDirectory() as folder:
        models = {model.name: model.path for model in shipped_models()}
        untrained, others = (
            {name: convert_untrained(name, seed, Path(folder)) for name in TUTORIALS}
            for seed in (SEED, OTHER_SEED)
        )
        instructions = measure_instructions(models, untrained, others)
        arena = measure_arena({**models, **untrained})
    for path, content in ((INSTRUCTIONS_FILE, instructions), (ARENA_FILE, arena)):
        write_atomically(path, json.dumps(content, indent=2) + "\n")
    return [INSTRUCTIONS_FILE, ARENA_FILE]


def load_reference(path: Path) -> dict[str, Any]:
    """Load one of the two files.

    Raises:
        ModelError: If it is not there.
    """
    if not path.is_file():
        raise ModelError(f"cannot find {path}", remedy="python tools/emulate.py reference")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def convert_untrained(name: str, seed: int, folder: Path) -> Path:
    """Convert an architecture with fresh weights of a seed to int8.

    Returns:
        The .tflite file, in `folder`.

    Raises:
        MissingDependencyError: If TensorFlow is not installed.
    """
    try:
        import tf_keras

        from edge_mnist.quantization.convert import convert_int8
        from edge_mnist.training.architectures import build
    except ImportError as exc:
        raise MissingDependencyError(
            "the tutorial networks need TensorFlow", remedy="pip install 'edge-mnist[train]'"
        ) from exc
    tf_keras.utils.set_random_seed(seed)
    noise = np.random.default_rng(seed).integers(0, 256, (100, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    path = folder / f"{name}-{seed}.tflite"
    path.write_bytes(convert_int8(build(name), noise))
    return path


def measure_instructions(
    models: Mapping[str, Path], untrained: Mapping[str, Path], others: Mapping[str, Path]
) -> dict[str, Any]:
    """Return the content of instructions.json.

    Args:
        models: By name: those that ship.
        untrained: By name: the tutorial networks.
        others: The same with weights of another seed, to tell how much that changes.
    """
    paths = [*models.values(), *untrained.values(), *others.values()]
    counts = {
        name: dict(zip(paths, count_instructions(paths, processor), strict=True))
        for name, processor in PROCESSORS.items()
    }

    def describe(path: Path) -> dict[str, Any]:
        instructions = {name: count[path] for name, count in counts.items()}
        return {"sha256": hash_bytes(path.read_bytes()), "instructions": instructions}

    changes = [
        abs(count[others[name]] / count[path] - 1)
        for name, path in untrained.items()
        for count in counts.values()
    ]
    return {
        "what": "instructions of one inference on one thread of an emulated processor, the median "
        "over several images",
        "note": CAVEAT,
        "command": "python tools/emulate.py reference",
        "engine": ENGINE_WHEEL,
        "qemu": {
            processor.name: read_qemu_version(processor.architecture)
            for processor in PROCESSORS.values()
        },
        "tolerance": TOLERANCE,
        "models": {name: describe(path) for name, path in models.items()},
        "untrained": {name: {"seed": SEED, **describe(path)} for name, path in untrained.items()},
        "largest_change_by_seed": round(max(changes), 6),
    }


def measure_arena(models: Mapping[str, Path]) -> dict[str, Any]:
    """Return the content of arena.json.

    Raises:
        ModelError: If TensorFlow Lite Micro gives other outputs than the reference kernels.
    """
    images = draw_strokes(ARENA_IMAGES)
    expected = run_here(list(models.values()), images, reference_kernels=True)
    found = {}
    for (name, path), outputs in zip(models.items(), expected, strict=True):
        run = run_micro(path, images)
        differing = find_differences(run.outputs, outputs)
        if differing:
            raise ModelError(
                f"{path} gives other outputs in TensorFlow Lite Micro",
                expected="those of the reference kernels",
                got=describe_differences(differing, len(images)),
            )
        found[name] = {
            "sha256": hash_bytes(path.read_bytes()),
            "arena_bytes": run.arena_bytes,
            "tensor_bytes": run.tensor_bytes,
            "persistent_bytes": run.persistent_bytes,
        }
    return {
        "what": "bytes of TensorFlow Lite Micro's tensor arena for one inference, built for this "
        "machine: with pointers of 32 bits the persistent part is smaller",
        "command": "python tools/emulate.py reference",
        "engine": f"{MICRO_PACKAGE} {metadata.version(MICRO_PACKAGE)}",
        "models": found,
    }


def describe_differences(indices: Sequence[int], count: int) -> str:
    """Return in words which of so many images differ."""
    if not indices:
        return f"bit-identical on {count:,} images"
    first = ", ".join(str(index) for index in indices[:10])
    rest = ", …" if len(indices) > 10 else ""
    return f"{len(indices):,} of {count:,} images differ: {first}{rest}"
