"""The quickest setting for each model on this machine, found once and kept for `Classifier.load`.

They stand in the user's config folder, in tuned.json: an object by the SHA-256 of the models.
"""

import dataclasses
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_mnist.engines import EngineSetting, check_threads, is_usable, read_version
from edge_mnist.errors import InvalidInputError, MissingDependencyError
from edge_mnist.files import write_atomically

FILE_NAME = "tuned.json"
MAX_BATCH_SIZE = 1024  # engines take the memory for all that they are told to

# What a damaged file can lead to.
UNREADABLE = (OSError, ValueError, TypeError, KeyError, RecursionError, InvalidInputError)


@dataclass(frozen=True)
class TunedSetting:
    """What was quickest for a model, and what that holds for."""

    setting: EngineSetting
    batch_size: int  # images of one call where there are many, at least 1
    model_sha256: str  # of the .tflite file, in hexadecimal
    engine_version: str  # as `read_version` tells it
    cpu: str  # as `read_cpu_model` tells it
    tuned_on: str  # the day, ISO 8601
    p50_us: float  # of an image with it, in microseconds
    default_p50_us: float  # and without


def load_tuned(sha256: str) -> TunedSetting | None:
    """Return what was found for a model.

    Args:
        sha256: The model's, in hexadecimal.

    Returns:
        None if nothing was, or if it no longer holds: the engine has gone or is another version,
        TensorFlow keeps it from running in this process, or the processor is another one. A file
        that cannot be read counts as none, since models run without it.
    """
    path = _find_file()
    if path is None:
        return None
    try:
        tuned = _parse(_read(path)[sha256])
    except UNREADABLE:
        return None
    from edge_mnist.machine import read_cpu_model

    engine = tuned.setting.engine
    holds = (
        tuned.model_sha256 == sha256
        and is_usable(engine)
        and tuned.engine_version == read_version(engine)
        and tuned.cpu == read_cpu_model()
    )
    return tuned if holds else None


def save_tuned(tuned: TunedSetting) -> Path:
    """Keep what was found for a model, in place of what was found before.

    Returns:
        The file it stands in.

    Raises:
        MissingDependencyError: If platformdirs, which knows the folder, is not installed.
        OSError: If the file cannot be written.
    """
    path = _require_file()
    entries = _read_or_empty(path)
    _write(path, {**entries, tuned.model_sha256: dataclasses.asdict(tuned)})
    return path


def forget_tuned(sha256: str | None = None) -> int:
    """Drop what was found for a model, or for all if none is named.

    Returns:
        For how many models something was dropped.

    Raises:
        MissingDependencyError: If platformdirs, which knows the folder, is not installed.
        OSError: If the file cannot be written.
    """
    path = _require_file()
    entries = _read_or_empty(path)
    if sha256 is None:
        path.unlink(missing_ok=True)  # a damaged one too
        return len(entries)
    if entries.pop(sha256, None) is None:
        return 0
    _write(path, entries)
    return 1


def _find_file() -> Path | None:
    if sys.platform == "linux":
        # As platformdirs has it, which may be missing on a device and costs 4 ms at each start.
        folder = os.environ.get("XDG_CONFIG_HOME", "").strip() or os.path.expanduser("~/.config")
        return Path(folder, "edge-mnist", FILE_NAME)
    try:
        import platformdirs
    except ImportError:
        return None
    return platformdirs.user_config_path("edge-mnist", appauthor=False) / FILE_NAME


def _require_file() -> Path:
    path = _find_file()
    if path is None:
        raise MissingDependencyError(
            "keeping tuned settings needs the package platformdirs",
            remedy="install it with: pip install platformdirs",
        )
    return path


def _read(path: Path) -> dict[str, Any]:
    entries = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(entries, dict):
        raise TypeError(f"expected an object, got {type(entries).__name__}")
    return entries


def _read_or_empty(path: Path) -> dict[str, Any]:
    try:
        return _read(path)
    except UNREADABLE:
        return {}


def _write(path: Path, entries: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(entries, indent=2) + "\n")


def _parse(entry: dict[str, Any]) -> TunedSetting:
    """Turn an entry into a setting.

    Raises:
        InvalidInputError: If the threads are out of range.
        KeyError: If a field is missing.
        TypeError: If one is missing or too many.
        ValueError: If one holds what is no setting.
    """
    setting = EngineSetting(**entry["setting"])
    tuned = TunedSetting(**{**entry, "setting": setting})
    check_threads(setting.threads)
    # JSON holds any type anywhere; these are the ones that reach an engine.
    fields = (setting.engine, setting.delegate, setting.threads, tuned.batch_size)
    if [type(field) for field in fields] != [
        str,
        bool,
        int,
        int,
    ] or not 1 <= tuned.batch_size <= MAX_BATCH_SIZE:
        raise ValueError(f"expected a setting, got {entry}")
    return tuned
