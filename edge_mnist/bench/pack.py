"""The benchmark as one file that needs only Python, NumPy and an engine.

It holds the light core as it is installed here, so what is measured elsewhere is what runs here.
"""

import io
import zipfile
from pathlib import Path

from edge_mnist.bench import pack_main

PACK_NAME = "edge_mnist_bench.pyz"

# The package and its part that measures; the other folders need more than NumPy, and
# `python -m edge_mnist` is the command line.
PACKED_FOLDERS = ("", "bench")
LEFT_OUT = ("__main__.py",)

# The earliest time that a zip file knows: the same modules make the same file.
PACKED_AT = (1980, 1, 1, 0, 0, 0)


def pack_benchmark() -> bytes:
    """Return the content of the packed benchmark: a zip file that `python3` runs.

    `python3 edge_mnist_bench.pyz REQUEST.json` measures what the request says (`remote_main.py`).
    It contains only text, no compiled code, so it serves any system and any Python from 3.10 on.
    """
    package = Path(__file__).parent.parent
    modules = [
        module
        for folder in PACKED_FOLDERS
        for module in sorted((package / folder).glob("*.py"))
        if folder or module.name not in LEFT_OUT
    ]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        _add(packed, "__main__.py", Path(pack_main.__file__))
        for module in modules:
            _add(packed, module.relative_to(package.parent).as_posix(), module)
    return content.getvalue()


def _add(packed: zipfile.ZipFile, name: str, module: Path) -> None:
    entry = zipfile.ZipInfo(name, PACKED_AT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed.writestr(entry, module.read_bytes())
