"""What a training tells of each epoch."""

import csv
import io
from dataclasses import asdict, dataclass, fields
from typing import Any

from edge_mnist.errors import TrainingError


@dataclass(frozen=True)
class EpochResult:
    """One line of the history; losses are mean cross-entropies, accuracies go from 0 to 1."""

    epoch: int  # from 1
    loss: float
    accuracy: float  # on the images as augmented
    val_loss: float
    val_accuracy: float
    learning_rate: float  # at the epoch's end
    seconds: float


def render_csv(history: list[EpochResult]) -> str:
    """Return the history as CSV with a header."""
    buffer = io.StringIO()
    names = [field.name for field in fields(EpochResult)]
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(result) for result in history)
    return buffer.getvalue()


def parse_csv(text: str) -> list[EpochResult]:
    """Return the history that `render_csv` wrote.

    Raises:
        TrainingError: If it is another table.
    """
    try:
        lines: list[dict[str, Any]] = [
            {name: float(value) for name, value in line.items()}
            for line in csv.DictReader(io.StringIO(text))
        ]
        return [EpochResult(**{**line, "epoch": int(line["epoch"])}) for line in lines]
    except (ValueError, TypeError, KeyError) as exc:
        expected = "columns " + ", ".join(field.name for field in fields(EpochResult))
        raise TrainingError("cannot read the history", expected=expected, got=repr(exc)) from exc
