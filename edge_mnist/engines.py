"""The interpreters that can run a .tflite file; the one place that imports them."""

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from edge_mnist.errors import InvalidInputError, MissingDependencyError, ModelError

AUTO = "auto"

# In the order in which "auto" tries them.
ENGINE_MODULES = {
    "tflite-runtime": "tflite_runtime.interpreter",
    "ai-edge-litert": "ai_edge_litert.interpreter",
}
UNKNOWN_VERSION = "unknown version"  # of an engine that does not tell it
MAX_THREADS = 1024  # engines start all that they are told to
INSTALL_REMEDY = (
    "pip install ai-edge-litert, or on Linux with Python up to 3.11: "
    "pip install 'tflite-runtime==2.14.0' 'numpy<2'"
)


@dataclass(frozen=True)
class EngineSetting:
    """How a model is run."""

    engine: str  # a name in ENGINE_MODULES
    delegate: bool = True  # the engine's default one (XNNPACK), for what it takes over
    threads: int = 1  # for one inference, 1 to MAX_THREADS

    def __str__(self) -> str:
        parts = [self.engine]
        if not self.delegate:
            parts.append("no delegate")
        if self.threads > 1:
            parts.append(f"{self.threads} threads")
        return ", ".join(parts)


def installed_engines() -> dict[str, str]:
    """Return the engines that are installed, with their versions, best first."""
    from importlib import metadata  # costs 10 ms, which no prediction shall wait for

    found = {}
    for name in find_installed():
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            # Debian packages the module without the distribution's metadata.
            found[name] = UNKNOWN_VERSION
    return found


def find_installed() -> list[str]:
    """Return the names of the engines that are installed, best first."""
    return [name for name in ENGINE_MODULES if is_installed(name)]


def is_installed(engine: str) -> bool:
    """Return whether there is an engine of this name, and it is installed."""
    module = ENGINE_MODULES.get(engine)
    return module is not None and importlib.util.find_spec(module.partition(".")[0]) is not None


def is_usable(engine: str) -> bool:
    """Return whether an engine is installed, and TensorFlow does not keep it from running here."""
    return is_installed(engine) and not _is_blocked_by_tensorflow(engine)


def read_version(engine: str) -> str | None:
    """Return the version of an installed engine as its package tells it; None if it cannot run.

    It is that of `installed_engines`, without the 10 ms; but the package is imported.
    """
    try:
        package = importlib.import_module(ENGINE_MODULES[engine].partition(".")[0])
    except (ImportError, OSError):
        return None
    return getattr(package, "__version__", UNKNOWN_VERSION)


def resolve_engine(engine: str = AUTO) -> str:
    """Return the name of the engine to use.

    Args:
        engine: An engine's name, or "auto" for the first that is installed.

    Raises:
        InvalidInputError: If there is no engine of that name.
        MissingDependencyError: If it is not installed.
    """
    if engine != AUTO and engine not in ENGINE_MODULES:
        raise InvalidInputError(
            "unknown engine", expected=", ".join([AUTO, *ENGINE_MODULES]), got=repr(engine)
        )
    # The first that will do, and no more: looking for one takes 1 ms at each start.
    wanted = list(ENGINE_MODULES) if engine == AUTO else [engine]
    found = next(filter(is_usable, wanted), None) or next(filter(is_installed, wanted), None)
    if found is None:
        raise MissingDependencyError(
            "no engine to run models with" if engine == AUTO else f"{engine} is not installed",
            got=", ".join(find_installed()) or "none",
            remedy=INSTALL_REMEDY,
        )
    return found


def create_interpreter(
    content: bytes, setting: EngineSetting, *, keeps_activations: bool = False
) -> Any:
    """Load a model into an engine.

    Args:
        content: A .tflite file's bytes. Their structure has been checked: the engines can crash on
            what is not a model.
        setting: With an engine that `resolve_engine` gave.
        keeps_activations: Whether every tensor can be read after `invoke`, not only the outputs;
            what a delegate takes over cannot.

    Returns:
        The engine's Interpreter, its tensors allocated.

    Raises:
        InvalidInputError: If the threads are out of range.
        ModelError: If the engine refuses the model.
    """
    engine = setting.engine
    check_threads(setting.threads)
    if _is_blocked_by_tensorflow(engine):
        raise ModelError(
            "tflite-runtime cannot run in a process that imported TensorFlow before it",
            remedy="load the model before importing TensorFlow, or use engine ai-edge-litert",
        )
    module = import_engine(engine)
    try:
        kernels = module.OpResolverType
        interpreter = module.Interpreter(
            model_content=content,
            num_threads=setting.threads,
            experimental_op_resolver_type=kernels.AUTO
            if setting.delegate
            else kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=keeps_activations,
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError, SystemError, MemoryError) as exc:
        raise ModelError(f"{engine} cannot load the model", got=str(exc)) from exc
    return interpreter


def check_threads(threads: int) -> None:
    """Refuse a number of threads that no engine takes.

    Raises:
        InvalidInputError: If it is below 1 or above MAX_THREADS.
    """
    if not 1 <= threads <= MAX_THREADS:
        expected = "at least 1" if threads < 1 else f"at most {MAX_THREADS}"
        raise InvalidInputError("threads", expected=expected, got=str(threads))


def import_engine(engine: str) -> ModuleType:
    """Import an installed engine and return its module.

    Raises:
        MissingDependencyError: If it cannot be imported.
    """
    try:
        return importlib.import_module(ENGINE_MODULES[engine])
    except (ImportError, AttributeError, SystemError) as exc:
        # tflite-runtime is built for NumPy 1 and fails with NumPy 2 in one of several ways.
        raise MissingDependencyError(
            f"{engine} is installed but cannot be imported", got=str(exc), remedy=INSTALL_REMEDY
        ) from exc


def _is_blocked_by_tensorflow(engine: str) -> bool:
    module = ENGINE_MODULES[engine]
    has_tensorflow = sys.modules.get("tensorflow") is not None
    return engine == "tflite-runtime" and has_tensorflow and module not in sys.modules
