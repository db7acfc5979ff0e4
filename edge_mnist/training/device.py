"""Where TensorFlow computes: the GPU if there is one, or what the user said."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from edge_mnist.errors import TrainingError
from edge_mnist.training.config import Device

# Steps of fewer multiply-adds than this are computed by one thread: handing such small operations
# to several costs more than it gains. With one thread in place of two, micro (39 million a step)
# took 0.9 of the time and classic (337 million) 1.5 (benchmarks/threads.py).
SMALL_STEP = 100_000_000

# Linux tells here what its CPU can do; any of these words, of x86 and of Arm, says that it computes
# in bfloat16.
CPU_INFO = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def select_device(device: Device, step_multiply_adds: int | None = None) -> str:
    """Make TensorFlow use a kind of device; to be called before it computes anything.

    Args:
        device: What the user asked for.
        step_multiply_adds: Of the forward pass of one training step, if that is known.

    Returns:
        What was taken, in words.

    Raises:
        TrainingError: If a GPU is asked for and TensorFlow sees none.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        seen = ", ".join(map(_plain_name, tf.config.list_physical_devices()))
        cuda = "with" if tf.test.is_built_with_cuda() else "without"
        raise TrainingError(
            "--device gpu",
            expected="a GPU that TensorFlow can use",
            got=f"{seen} (TensorFlow {tf.__version__}, built {cuda} CUDA)",
            remedy="install GPU support with: pip install 'edge-mnist[gpu]', or use --device cpu",
        )
    if device == "cpu" or not gpus:
        if step_multiply_adds is not None and step_multiply_adds < SMALL_STEP:
            _use_one_thread()
        tf.config.set_visible_devices([], "GPU")
        return "the CPU" if device == "cpu" else "the CPU (TensorFlow sees no GPU)"
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    details = tf.config.experimental.get_device_details(gpus[0])
    return f"the GPU ({details.get('device_name', gpus[0].name)})"


def find_mixed_policy() -> str:
    """Return the tf_keras policy of mixed precision that the device computes quickly.

    A GPU does in float16, newer CPUs do in bfloat16. It is "float32", no mixed precision, on a CPU
    that is not known to.
    """
    if tf.config.get_visible_devices("GPU"):
        return "mixed_float16"
    try:
        words = set(CPU_INFO.read_text().split())
    except OSError:
        return "float32"
    return "mixed_bfloat16" if words & BFLOAT16_FLAGS else "float32"


def _use_one_thread() -> None:
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # TensorFlow has computed in this process before; it is only slower
        return


def describe_devices() -> tuple[str, list[str]]:
    """Return TensorFlow's version and the GPUs that it sees."""
    gpus = tf.config.list_physical_devices("GPU")
    return str(tf.__version__), [_plain_name(gpu) for gpu in gpus]


def _plain_name(device: Any) -> str:
    return str(device.name).removeprefix("/physical_device:")
