"""Run the notebook and put what it prints and draws into it: `make notebook`.

It is written only if every cell ran. What differs from one machine or run to the next without
meaning anything is left out: what libraries say on stderr, times of execution, versions of Python.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from edge_mnist.errors import EdgeMnistError
from edge_mnist.files import write_atomically
from edge_mnist.native_output import held_native_stderr

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "digits_on_the_edge.ipynb"
CELL_TIMEOUT_S = 600
MAX_BYTES = 1_000_000

# Of the notebook, in its metadata: a hash of the sources that the outputs are from.
SOURCES_KEY = "outputs_are_from"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class NotebookError(EdgeMnistError):
    """A notebook that does not run to its end, or has become too large."""


def main() -> None:
    """Run the notebook in place; end with exit code 1 and a line on stderr if it fails."""
    parser = argparse.ArgumentParser(description="Run the notebook in place.")
    parser.add_argument("notebook", nargs="?", type=Path, default=NOTEBOOK)
    path = parser.parse_args().notebook
    try:
        notebook = run(nbformat.read(path, as_version=4), path.parent)
        content = nbformat.writes(notebook) + "\n"
        if len(content.encode()) > MAX_BYTES:
            raise NotebookError(
                f"it is too large: expected at most {MAX_BYTES:,} bytes, got "
                f"{len(content.encode()):,}; show smaller pictures"
            )
    except (NotebookError, OSError, nbformat.reader.NotJSONError) as exc:
        sys.exit(f"{path}: {exc}")
    write_atomically(path, content)


def run(notebook: Any, folder: Path) -> Any:
    """Run all cells, and return the notebook with their outputs.

    Args:
        notebook: From nbformat, version 4.
        folder: Where it runs.

    Raises:
        NotebookError: If a cell fails.
    """
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    with held_native_stderr():  # the kernel's, which has it from here
        try:
            client.execute()
        except CellExecutionError as exc:
            raise NotebookError(f"a cell fails with {exc.ename}: {exc.evalue}") from exc
        except (CellTimeoutError, DeadKernelError) as exc:
            raise NotebookError(f"a cell does not come to its end: {type(exc).__name__}") from exc
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                if "metadata" in output:
                    output.metadata = {}
    notebook.metadata = {**METADATA, SOURCES_KEY: hash_sources(notebook)}
    return notebook


def hash_sources(notebook: Any) -> str:
    """Return a hash of what the cells say, without what came of it."""
    sources = [[cell.cell_type, cell.source] for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


if __name__ == "__main__":
    main()
