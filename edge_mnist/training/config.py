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


# What is added to a batch beside the digits of the data set, as a share of its size each.
EXTRAS = ("handwriting", "styles", "outliers", "pairs")
# Of a variation those that are a share: of the way to something, or of the images.
_SHARES = frozenset({"stroke", "low_resolution", "blur", "contrast", "plain"})


@dataclass(frozen=True)
class Augmentation:
    """How far the random variations go.

    The affine geometry, the stroke and gamma are drawn evenly between minus and plus the limit,
    the others between 0 and it; elastic distortion is normal. What each gives is in
    benchmarks/results/augmentation.md.

    Raises:
        TrainingError: If a limit is out of its range.
    """

    rotation_deg: float = 10.0
    shear: float = 0.15  # horizontal shift by unit of height
    zoom: float = 0.12  # natural logarithm of the scale, drawn for each axis
    shift_px: float = 2.0
    elastic_px: float = 0.0  # standard deviation of how far the knots of a 7x7 grid move
    stroke: float = 0.0  # 1 is grey dilation or erosion by 3x3 pixels; less is on the way to it
    low_resolution: float = 0.0  # 1 is 10x10 cells; less is on the way to it
    blur: float = 0.0  # 1 is a Gaussian of 1 pixel; less is on the way to it
    gamma: float = 0.0  # natural logarithm of the exponent
    contrast: float = 0.0  # share of the contrast that is lost, about mid-grey
    noise: float = 0.0  # standard deviation; 1 is from paper to ink
    plain: float = 0.0  # the share of images that only their geometry is varied of

    def __post_init__(self) -> None:
        for field, value in vars(self).items():
            limit = 1.0 if field in _SHARES else float("inf")
            if not (0 <= value <= limit and value < float("inf")):
                expected = f"0 to {limit:g}" if field in _SHARES else "at least 0"
                raise TrainingError(field.replace("_", " "), expected=expected, got=str(value))


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
    average_epochs: float = 0.0  # the final weights are an average over about so many, at most
    branches: int = 1  # what a convolution with batch normalisation is the sum of until the end
    augmentation: Augmentation | None = None
    crops: float = 0.0  # the share of digits that preprocessing saw, in resolutions of their own
    handwriting: float = 0.0  # digits of other habits, added to each batch: a share of its size
    styles: float = 0.0  # digits drawn in other forms, added to each batch: a share of its size
    outliers: float = 0.0  # images that are no digits, added to each batch: a share of its size
    pairs: float = 0.0  # outliers that are two digits which touch: another share of its size
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
            ("branches", self.branches >= 1, "at least 1"),
            ("average_epochs", 0 <= self.average_epochs < float("inf"), "at least 0"),
            *((name, 0 <= getattr(self, name) <= 1, "0 to 1") for name in ("crops", *EXTRAS)),
            ("validation_split", 0 < self.validation_split < 1, "above 0 and below 1"),
            ("patience", self.patience is None or self.patience >= 1, "at least 1"),
            ("seed", 0 <= self.seed < 2**31, "0 up to 2147483647"),
            ("optimizer", self.optimizer in get_args(Optimizer), str(get_args(Optimizer))),
            ("schedule", self.schedule in get_args(Schedule), str(get_args(Schedule))),
            ("device", self.device in get_args(Device), str(get_args(Device))),
        )
        for field in ("epochs", "batch_size", "branches", "patience", "seed"):
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

    def without_extras(self) -> "TrainConfig":
        """Return the same training on the digits of the data set alone."""
        none: dict[str, Any] = dict.fromkeys(EXTRAS, 0.0)
        return dataclasses.replace(self, **none)

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
            _check_names(Augmentation, fields["augmentation"])
            fields["augmentation"] = Augmentation(**fields["augmentation"])
        _check_names(TrainConfig, fields)
        return TrainConfig(**fields)
    except (OSError, ValueError, TypeError, AttributeError) as exc:
        raise TrainingError(
            f"cannot read the training configuration {path}",
            expected="a config.json that edge-mnist train wrote",
            got=str(exc),
        ) from exc


def _check_names(kind: type[Augmentation | TrainConfig], given: dict[str, Any]) -> None:
    """Raise ValueError if a field has no default and is not given, or if there is none such."""
    fields = dataclasses.fields(kind)
    missing = [f.name for f in fields if f.default is dataclasses.MISSING and f.name not in given]
    unknown = sorted(given.keys() - {field.name for field in fields})
    for what, names in (("no", missing), ("unknown", unknown)):
        if names:
            raise ValueError(f"{what} {', '.join(names)}")
