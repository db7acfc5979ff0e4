"""Writing a model that the reader brings, and its card."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edge_mnist.files import write_atomically
from edge_mnist.machine import describe_machine
from edge_mnist.model_card import hash_bytes


def write_own_model(path: Path, content: bytes, what: str, facts: dict[str, Any]) -> None:
    """Write both files.

    Args:
        path: Of the model; its card stands beside it.
        content: A .tflite file's bytes.
        what: What it reads.
        facts: What else the card tells; "temperature" is needed.
    """
    card = {
        "what": what,
        "size_bytes": len(content),
        "sha256": hash_bytes(content),
        **facts,
        "machine": describe_machine(),
        "versions": {name: version(name) for name in ("tensorflow", "numpy")},
    }
    write_atomically(path, content)
    write_atomically(path.with_suffix(".json"), json.dumps(card, indent=2) + "\n")
