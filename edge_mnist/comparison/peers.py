"""What people would run a network with in place of edge-mnist. Nothing heavy is imported here."""

import contextlib
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_mnist.errors import EdgeMnistError, InvalidInputError, MissingDependencyError, ModelError
from edge_mnist.native_output import held_native_stderr
from edge_mnist.preprocessing import IMAGE_SIZE

INSTALL_REMEDY = "install what comparisons need with: pip install 'edge-mnist[compare]'"
SCALE = np.float32(1 / 255)  # of a pixel, to 0 to 1

TENSORFLOW_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")

# From an image, uint8 [28, 28], to what the network says of it, float32 [10].
Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Peer:
    """One way to run a network.

    Attributes:
        name: As it stands in tables.
        package: The distribution whose version is told.
        modules: What has to be there to be imported.
        file: What it loads, of the files that `write_twin` writes.
        load: Imports the package, loads the file, and returns what runs one image in one thread.
        other_packages: Distributions that bring the same module.
    """

    name: str
    package: str
    modules: tuple[str, ...]
    file: str
    load: Callable[[Path], Run]
    other_packages: tuple[str, ...] = ()


def installed_peers() -> dict[str, str]:
    """Return the names of the peers that are installed, with their versions; imports none."""
    return {
        peer.name: _find_version(peer)
        for peer in PEERS
        if all(importlib.util.find_spec(module) is not None for module in peer.modules)
    }


def find_peer(name: str) -> Peer:
    """Return a peer by name.

    Raises:
        InvalidInputError: If there is none of that name.
    """
    for peer in PEERS:
        if peer.name == name:
            return peer
    choices = ", ".join(peer.name for peer in PEERS)
    raise InvalidInputError("unknown peer", expected=choices, got=repr(name))


def write_twin(content: bytes, folder: Path) -> Path:
    """Write the float32 network of the same shape as a model, as the peers load it.

    Args:
        content: A .tflite file's, of any number format.
        folder: Where the files go; it is made if missing. Without tf2onnx those that load ONNX
            get none.

    Returns:
        The folder, for `load_peer`.

    Raises:
        MissingDependencyError: If TensorFlow is not installed.
        ModelError: If the network cannot be rebuilt.
        ExportError: If it cannot be converted.
    """
    try:
        with held_native_stderr():
            from edge_mnist.comparison import twin
    except ModuleNotFoundError as exc:
        raise _missing("the float32 network of a model cannot be made", exc) from exc
    with held_native_stderr():
        twin.write(content, folder)
    return folder


def load_peer(name: str, twin: Path) -> Run:
    """Load a network into a peer, to be run by one thread of the CPU.

    Only this peer's package is imported. TensorFlow keeps the threads it first computed with: its
    peers belong in a process of their own.

    Args:
        name: A peer's name.
        twin: What `write_twin` returned.

    Returns:
        A function from uint8 [28, 28], 0 to 255, to float32 [10]; scaling the pixels is part of it.

    Raises:
        InvalidInputError: If there is no such peer, or TensorFlow has computed before, with more
            threads.
        MissingDependencyError: If its package is missing, or tf2onnx was when the twin was written.
        ModelError: If it refuses the network.
    """
    peer = find_peer(name)
    path = twin / peer.file
    if not path.is_file():
        raise MissingDependencyError(f"{name}: there is no {peer.file}", remedy=INSTALL_REMEDY)
    try:
        with held_native_stderr():
            return peer.load(path)
    except EdgeMnistError:
        raise
    except ImportError as exc:
        raise _missing(f"{name} cannot be imported", exc) from exc
    # Every library has its own types, and they share no other base.
    except Exception as exc:
        raise ModelError(f"{name} cannot load the network", got=str(exc)[:300]) from exc


def _load_keras_predict(path: Path) -> Run:
    model = _load_keras(path)

    def run(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = (image * SCALE)[None, ..., None]
        outputs: NDArray[np.float32] = model.predict(batch, verbose=0)[0]
        return outputs

    return run


def _load_keras_call(path: Path) -> Run:
    model = _load_keras(path)

    def run(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = (image * SCALE)[None, ..., None]
        outputs: NDArray[np.float32] = model(batch, training=False).numpy()[0]
        return outputs

    return run


def _load_tf_function(path: Path) -> Run:
    model = _load_keras(path)
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([IMAGE_SIZE] * 2, tf.uint8)])  # type: ignore[untyped-decorator]
    def infer(image: Any) -> Any:
        batch = (tf.cast(image, tf.float32) * SCALE)[None, ..., None]
        return model(batch, training=False)[0]

    # The traced function itself: looking it up at each call takes a third of the time.
    traced = infer.get_concrete_function()

    # A traced function does not keep the variables alive that it reads: the model does.
    def run(image: NDArray[np.uint8], _model: Any = model) -> NDArray[np.float32]:
        outputs: NDArray[np.float32] = traced(tf.constant(image)).numpy()
        return outputs

    return run


def _load_onnxruntime(path: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (source,) = (graph_input.name for graph_input in session.get_inputs())
    targets = [graph_output.name for graph_output in session.get_outputs()]

    def run(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = (image * SCALE)[None, None]
        outputs: NDArray[np.float32] = session.run(targets, {source: batch})[0][0]
        return outputs

    return run


def _load_opencv(path: Path) -> Run:
    import cv2

    cv2.setNumThreads(1)
    # OpenCV 5 has two engines; the older one runs networks this small in half the time.
    engine = getattr(cv2.dnn, "ENGINE_CLASSIC", None)
    options = {} if engine is None else {"engine": engine}
    net = cv2.dnn.readNetFromONNX(str(path), **options)

    def run(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        net.setInput((image * SCALE)[None, None])
        outputs: NDArray[np.float32] = net.forward()[0]
        return outputs

    return run


def _load_keras(path: Path) -> Any:
    _use_one_tensorflow_thread()
    import tf_keras

    return tf_keras.models.load_model(path, compile=False)


def _use_one_tensorflow_thread() -> None:
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        if tf.config.list_physical_devices("GPU"):
            tf.config.set_visible_devices([], "GPU")
    except RuntimeError as exc:
        # What TensorFlow was told at its start counts as well.
        if any(os.environ.get(name) != "1" for name in TENSORFLOW_THREADS):
            raise InvalidInputError(
                "TensorFlow has computed in this process before, with more than one thread",
                remedy="load its peers in a process of their own",
            ) from exc


def _find_version(peer: Peer) -> str:
    for package in (peer.package, *peer.other_packages):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(package)
    return "unknown version"


def _missing(what: str, exc: ImportError) -> MissingDependencyError:
    return MissingDependencyError(what, got=str(exc), remedy=INSTALL_REMEDY)


_KERAS = ("tf-keras", ("tensorflow", "tf_keras"), "twin.keras")

PEERS = (
    Peer("keras predict", *_KERAS, _load_keras_predict),
    Peer("keras call", *_KERAS, _load_keras_call),
    Peer("tf.function", "tensorflow", ("tensorflow", "tf_keras"), "twin.keras", _load_tf_function),
    Peer("onnxruntime", "onnxruntime", ("onnxruntime",), "twin.onnx", _load_onnxruntime),
    Peer(
        "opencv dnn",
        "opencv-python-headless",
        ("cv2",),
        "twin.onnx",
        _load_opencv,
        ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"),
    ),
)
