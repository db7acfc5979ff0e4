"""The process that a model is measured in: nothing else in it, and a crash costs its row alone.

It is asked on stdin and answers on stdout, a JSON object a line. What it can be asked stands in
`serve`; `worker_process.py` has the other side.
"""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_mnist.anatomy import Anatomy, dissect
from edge_mnist.batches import RESIZED_BATCH
from edge_mnist.bench.drawn_digits import enlarge
from edge_mnist.bench.protocol import CLOCK, NS_PER_S, Call, Protocol, time_block, warm_up
from edge_mnist.engines import (
    UNKNOWN_VERSION,
    EngineSetting,
    create_interpreter,
    import_engine,
    read_version,
)
from edge_mnist.errors import EdgeMnistError
from edge_mnist.latency import summarize
from edge_mnist.model_file import INPUT_SHAPE
from edge_mnist.preprocessing import normalize_digit
from edge_mnist.runtime import Classifier

T = TypeVar("T")

# What is measured of a model, by name.
INVOKE = "invoke"  # the interpreter's alone
COPIED = "copied"  # with the image copied in and the outputs out
PREDICT = "predict"  # Classifier.predict
PICTURE = "picture"  # with preprocessing, from a picture of 100x100
LATENCIES = (INVOKE, COPIED, PREDICT, PICTURE)
BATCHES = (1, 8, 32, 128, 256)

# What comes before the steady memory is read: so many predictions, or so long of slow ones.
SETTLING_RUNS, SETTLING_S = 256, 0.2

PICTURES = 16  # to take turns in: each is 10 kB

# What becomes an answer; anything else ends the process, and its last words are the reason.
ERRORS = (EdgeMnistError, ValueError, RuntimeError, MemoryError)


@dataclass(frozen=True)
class Start:
    """What a fresh process tells of its way to the first prediction."""

    version: str  # of what runs the model
    load_ms: float  # from the file's bytes to being ready
    first_inference_ms: float  # with what is set up only then
    first_prediction_at: float  # seconds since the epoch
    peak_resident_bytes: int  # up to then; 0 where the system does not tell
    resident_bytes: int  # after many predictions; likewise


@dataclass(frozen=True)
class Loaded:
    """A model, ready to be measured.

    Attributes:
        calls: What can be measured, by name.
        read: Gives the digits that it reads in the images.
        start: How it came to be ready.
        anatomy: What it consists of; None for what no interpreter has loaded.
    """

    calls: dict[str, Call]
    read: Callable[[], list[int]]
    start: Start
    anatomy: Anatomy | None = None


@dataclass
class _Measured:
    """One call's runs so far."""

    runs: int = 0
    blocks: list[NDArray[np.int64]] = field(default_factory=list)


def batch_name(size: int) -> str:
    """Return the name of the measure that predicts so many images at once."""
    return f"batch {size}"


def load_model(
    content: bytes,
    setting: EngineSetting,
    images: NDArray[np.uint8],
    batch_size: int | None = None,
) -> Loaded:
    """Load a model into an engine.

    Args:
        content: A .tflite file's bytes.
        setting: How to run it.
        images: uint8 [N, 28, 28], as many as the largest batch at least.
        batch_size: How many `predict_batch` gives the engine at once; None for its default.

    Raises:
        MissingDependencyError: If the engine cannot be imported.
        ModelError: If it refuses the model.
    """
    import_engine(setting.engine)  # so that loading the model is all that is timed as that
    classifier, start = start_up(
        lambda: Classifier(
            content,
            engine=setting.engine,
            threads=setting.threads,
            delegate=setting.delegate,
            batch_size=batch_size or RESIZED_BATCH,
        ),
        lambda classifier: classifier.predict(images[0]),
        read_version(setting.engine) or UNKNOWN_VERSION,
    )
    return Loaded(
        calls=_build_calls(content, setting, classifier, images),
        read=lambda: [prediction.digit for prediction in classifier.predict_batch(images)],
        start=start,
        anatomy=dissect(create_interpreter(content, setting)),
    )


def start_up(
    load: Callable[[], T], predict: Callable[[T], object], version: str
) -> tuple[T, Start]:
    """Load something and predict with it; return it and how the first time went."""
    started = CLOCK()
    loaded = load()
    is_ready = CLOCK()
    predict(loaded)
    ended = CLOCK()
    start = Start(
        version=version,
        load_ms=(is_ready - started) * 1000 / NS_PER_S,
        first_inference_ms=(ended - is_ready) * 1000 / NS_PER_S,
        first_prediction_at=time.time(),
        peak_resident_bytes=read_memory("VmHWM"),
        resident_bytes=0,
    )
    settled_at = CLOCK() + int(SETTLING_S * NS_PER_S)
    for _ in range(SETTLING_RUNS):
        predict(loaded)
        if CLOCK() > settled_at:
            break
    # Before there is anything in this process that only measuring needs.
    return loaded, dataclasses.replace(start, resident_bytes=read_memory("VmRSS"))


def serve(load: Callable[[], Loaded]) -> None:
    """Load a model, tell that it is ready, then answer what is asked until stdin ends."""
    answers = _take_stdout()
    try:
        loaded = load()
    except ERRORS as exc:
        _answer(answers, {"error": str(exc)})
        return
    anatomy = dataclasses.asdict(loaded.anatomy) if loaded.anatomy else None
    _answer(answers, {"start": dataclasses.asdict(loaded.start), "anatomy": anatomy})
    measured = {name: _Measured() for name in loaded.calls}
    for line in sys.stdin:
        try:
            _answer(answers, _handle(json.loads(line), loaded, measured))
        except ERRORS as exc:
            _answer(answers, {"error": str(exc)})


def read_memory(field_name: str) -> int:
    """Return one of this process's figures in bytes, 0 where the system does not tell.

    Args:
        field_name: VmRSS (resident now) or VmHWM (its peak), of Linux's /proc/self/status.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    lines = (line.partition(":") for line in status.read_text().splitlines())
    return next((int(value.split()[0]) * 1024 for name, _, value in lines if name == field_name), 0)


def _build_calls(
    content: bytes, setting: EngineSetting, classifier: Classifier, images: NDArray[np.uint8]
) -> dict[str, Call]:
    count = len(images)
    interpreter = create_interpreter(content, setting)
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]
    inputs = [image.reshape(INPUT_SHAPE) for image in images]
    interpreter.set_tensor(source, inputs[0])
    pictures = [enlarge(image) for image in images[:PICTURES]]

    def invoke(_run: int) -> None:
        interpreter.invoke()

    def copy(run: int) -> object:
        interpreter.set_tensor(source, inputs[run % count])
        interpreter.invoke()
        return interpreter.get_tensor(target)

    def read_picture(run: int) -> object:
        digit = normalize_digit(pictures[run % len(pictures)])
        return digit and classifier.predict(digit.image)

    calls: dict[str, Call] = {
        INVOKE: invoke,
        COPIED: copy,
        PREDICT: lambda run: classifier.predict(images[run % count]),
        PICTURE: read_picture,
    }
    for size in BATCHES:
        batches = [images[start : start + size] for start in range(0, count - size + 1, size)]
        calls[batch_name(size)] = _call_with(classifier.predict_batch, batches)
    return calls


def _call_with(call: Callable[[Any], object], arguments: list[Any]) -> Call:
    return lambda run: call(arguments[run % len(arguments)])


def _handle(
    request: dict[str, Any], loaded: Loaded, measured: dict[str, _Measured]
) -> dict[str, Any]:
    """Answer one request: what to do, and to which call."""
    if request["do"] == "read":
        return {"digits": loaded.read()}
    call, so_far = loaded.calls[request["call"]], measured[request["call"]]
    match request["do"]:
        case "warm up":
            warmed = warm_up(call, Protocol(**request["protocol"]))
            so_far.runs += warmed.runs
            return dataclasses.asdict(warmed)
        case "time":
            block = time_block(call, request["duration_s"], request["min_runs"], so_far.runs)
            so_far.runs += len(block)
            so_far.blocks.append(block)
            return {"p50_us": float(np.median(block)) / 1000}
        case "summarize":
            return dataclasses.asdict(summarize(np.concatenate(so_far.blocks)))
    raise ValueError(f"unknown request {request['do']!r}")


def _take_stdout() -> TextIO:
    """Keep stdout for the answers; what compiled libraries print there goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _answer(answers: TextIO, answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=answers, flush=True)


def main(options: str) -> None:
    """Serve a model; the JSON names its file, the setting and a .npy file of images."""
    named = json.loads(options)

    def load() -> Loaded:
        content, images = Path(named["model"]).read_bytes(), np.load(named["images"])
        setting = EngineSetting(**named["setting"])
        return load_model(content, setting, images, named["batch_size"])

    serve(load)
