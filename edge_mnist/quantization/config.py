"""What to export: settled before TensorFlow is imported, which takes seconds."""

from dataclasses import dataclass
from pathlib import Path

from edge_mnist.errors import InvalidInputError

METHODS = ("qat", "ptq", "both")
DEFAULT_MAX_BYTES = 1_000_000
DEFAULT_QAT_EPOCHS = 5


@dataclass(frozen=True)
class ExportConfig:
    """What to export.

    Raises:
        InvalidInputError: If nothing is asked for or a field is out of its range.
    """

    int8: bool = False
    method: str = "qat"  # one of METHODS
    floats: tuple[str, ...] = ()  # of float32, float16, dynamic
    max_bytes: int = DEFAULT_MAX_BYTES
    qat_epochs: int = DEFAULT_QAT_EPOCHS
    # Of the int8 file, without .tflite; the others add their format. None for the architecture's.
    name: str | None = None

    def __post_init__(self) -> None:
        if not self.int8 and not self.floats:
            raise InvalidInputError(
                "nothing to export",
                expected="at least one of --int8, --float16, --dynamic, --float32",
                got="none",
            )
        if self.method not in METHODS:
            raise InvalidInputError("--method", expected=", ".join(METHODS), got=repr(self.method))
        if self.max_bytes < 1:
            raise InvalidInputError("--max-bytes", expected="at least 1", got=str(self.max_bytes))
        if self.qat_epochs < 1:
            raise InvalidInputError("--qat-epochs", expected="at least 1", got=str(self.qat_epochs))
        if self.name is not None and (Path(self.name).name != self.name or self.name == ".."):
            raise InvalidInputError(
                "--name", expected="a file's name without a folder", got=repr(self.name)
            )
