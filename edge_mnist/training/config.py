"""What a training is, as data: everything needed to repeat it."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from edge_mnist.dataset import DEFAULT_DATA, DEFAULT_VALIDATION_SPLIT
from edge_mnist.errors import TrainingError

Device = Literal["auto", "cpu", "gpu"]
Optimizer = Literal["adam", "adamw"]
Schedule = Literal["constant", "cosine", "one-cycle"]


@dataclass(frozen=True)
class Augmentation:
    """How far the random variations go; each is drawn evenly between minus and plus this."""

    rotation_deg: float = 10.0
    shear: float = 0.15  # horizontal shift by unit of height
    zoom: float = 0.12  # natural logarithm of the scale, drawn for each axis
    shift_px: float = 2.0

    def __post_init__(self) -> None:
        for field, value in vars(self).items():
            if not 0 <= value < float("inf"):
                raise TrainingError(field.replace("_", " "), expected="at least 0", got=str(value))


@dataclass(frozen=True)
class TrainConfig:
    """One training.

    Raises:
        TrainingError: If a field is out of its range.
    """

    arch: str
    epochs: int
    recipe: str = "custom"
    data: str = DEFAULT_DATA
    batch_size: int = 128
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3  # its peak, where the schedule varies it
    schedule: Schedule = "constant"
    weight_decay: float = 0.0  # adamw only, decoupled, weights of convolutions and dense layers
    label_smoothing: float = 0.0
    augmentation: Augmentation | None = None
    validation_split: float = DEFAULT_VALIDATION_SPLIT
    patience: int | None = None  # epochs without a lower validation loss; best weights restored
    device: Device = "auto"
    mixed_precision: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = (
            ("epochs", self.epochs >= 1, "at least 1"),
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("learning_rate", 0 < self.learning_rate < float("inf"), "above 0"),
            ("weight_decay", self.weight_decay >= 0, "at least 0"),
            ("label_smoothing", 0 <= self.label_smoothing < 1, "0 up to below 1"),
            ("validation_split", 0 < self.validation_split < 1, "above 0 and below 1"),
            ("patience", self.patience is None or self.patience >= 1, "at least 1"),
            ("seed", 0 <= self.seed < 2**31, "0 up to 2147483647"),
            ("optimizer", self.optimizer in get_args(Optimizer), str(get_args(Optimizer))),
            ("schedule", self.schedule in get_args(Schedule), str(get_args(Schedule))),
            ("device", self.device in get_args(Device), str(get_args(Device))),
        )
        for field in ("epochs", "batch_size", "patience", "seed"):
            value = getattr(self, field)
            if isinstance(value, float):
                raise TrainingError(
                    field.replace("_", " "), expected="a whole number", got=str(value)
                )
        for field, is_valid, expected in ranges:
            if not is_valid:
                raise TrainingError(
                    field.replace("_", " "), expected=expected, got=str(getattr(self, field))
                )

    def to_json(self) -> str:
        """Return the configuration as JSON text, a field a line."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


def load_config(path: Path) -> TrainConfig:
    """Read a configuration that `TrainConfig.to_json` wrote.

    Raises:
        TrainingError: If the file cannot be read or holds something else.
    """
    try:
        fields: dict[str, Any] = json.loads(path.read_text())
        if fields.get("augmentation") is not None:
            fields["augmentation"] = Augmentation(**fields["augmentation"])
        return TrainConfig(**fields)
    except (OSError, ValueError, TypeError, AttributeError) as exc:
        raise TrainingError(
            f"cannot read the training configuration {path}",
            expected="a config.json that edge-mnist train wrote",
            got=str(exc),
        ) from exc
