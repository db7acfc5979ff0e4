"""Running a model in a process of its own, as a device would: nothing else imported before it.

Three things need that. An export counts only when a fresh process has run it. A model of unknown
origin is tried there first, because an interpreter can crash on a damaged file and would take the
caller with it. And cold start and resident memory can be measured only there.
"""

import io
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import EdgeMnistError, ModelError
from edge_mnist.fresh_python import build_fresh_command, name_signal
from edge_mnist.model_card import OutputKind

DEFAULT_TIMEOUT_S = 60.0

# A damaged file can ask for any amount of memory; a trial that wants more than this is refused.
TRIAL_MEMORY_BYTES = 4 << 30


@dataclass(frozen=True)
class IsolatedRun:
    """What a fresh process did with a model.

    Attributes:
        outputs: [N, 10], uint8 or float32 as the model gives them.
        values: float64 [N, 10], what the outputs stand for.
        output_kind: Whether those are logits or probabilities.
        engine: What ran it.
        operators: The builtin operators of the graph, in order, without what a delegate adds.
        tensor_dtypes: The NumPy names of the types of all tensors.
        cold_start_ms: From the start of the process to the first prediction.
        resident_bytes: The process's peak resident memory; 0 where the system does not tell.
    """

    outputs: NDArray[np.uint8] | NDArray[np.float32]
    values: NDArray[np.float64]
    output_kind: OutputKind
    engine: str
    operators: list[str]
    tensor_dtypes: list[str]
    cold_start_ms: float
    resident_bytes: int


def run_isolated(
    content: bytes,
    images: NDArray[np.uint8],
    *,
    engine: str = "auto",
    threads: int = 1,
    delegate: bool = True,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> IsolatedRun:
    """Load a model in a fresh process and run it on images.

    Args:
        content: A .tflite file's bytes.
        images: uint8 [N, 28, 28], N at least 1.
        engine: An engine's name or "auto".
        threads: For one inference.
        delegate: Whether the engine's default delegate takes over what it can.
        timeout_s: How long it may take in all.

    Raises:
        ModelError: If the model is refused, crashes the process or takes too long.
    """
    request = io.BytesIO()
    np.savez(request, content=np.frombuffer(content, np.uint8), images=images)
    setting = {"engine": engine, "threads": threads, "delegate": delegate}
    arguments = json.dumps({"setting": setting, "started": time.time()})
    try:
        process = subprocess.run(
            build_fresh_command("edge_mnist.isolation", arguments),
            input=request.getvalue(),
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise ModelError(
            "the model does not come to an end", expected=f"a result within {timeout_s:g} s"
        ) from exc
    if process.returncode < 0:
        name = name_signal(-process.returncode)
        raise ModelError(
            "the model crashes the interpreter",
            got=f"{name} in a process of its own",
            remedy="the file is damaged or made for another runtime: export or fetch it again",
        )
    if process.returncode != 0:
        lines = process.stderr.decode(errors="replace").strip().splitlines()
        raise ModelError(lines[-1] if lines else f"the model's process ended {process.returncode}")
    with np.load(io.BytesIO(process.stdout)) as answer:
        facts = json.loads(answer["facts"].tobytes())
        return IsolatedRun(outputs=answer["outputs"], values=answer["values"], **facts)


def main(arguments: str) -> None:
    """The other side: read a request on stdin, answer on stdout."""
    options = json.loads(arguments)
    _limit_memory()
    from edge_mnist.runtime import Classifier

    with np.load(io.BytesIO(sys.stdin.buffer.read())) as request:
        content, images = request["content"].tobytes(), request["images"]
    try:
        classifier = Classifier(content, **options["setting"])
        first = classifier.run(images[:1])
        cold_start_ms = (time.time() - options["started"]) * 1000
        rest = [classifier.run(image[None]) for image in images[1:]]
    except EdgeMnistError as exc:
        sys.exit(str(exc))
    facts = {
        "output_kind": classifier.output_kind,
        "engine": classifier.engine,
        "operators": classifier.operators,
        "tensor_dtypes": classifier.tensor_dtypes,
        "cold_start_ms": cold_start_ms,
        "resident_bytes": _peak_resident_bytes(),
    }
    outputs = np.concatenate([first, *rest])
    answer = io.BytesIO()
    np.savez(
        answer,
        outputs=outputs,
        values=classifier.dequantize(outputs),
        facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
    )
    sys.stdout.buffer.write(answer.getvalue())


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has none; the time limit still holds
        return
    # A crash is expected here; it shall leave no core file behind.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (TRIAL_MEMORY_BYTES, TRIAL_MEMORY_BYTES))
    except (ValueError, OSError):  # macOS, or a lower limit set from outside
        return


def _peak_resident_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's getrusage would count what the parent held when it forked.
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
