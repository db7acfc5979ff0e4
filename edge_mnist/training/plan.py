"""What to train and where: settled before TensorFlow is imported, which takes seconds."""

import dataclasses
from pathlib import Path
from typing import Any

from edge_mnist.errors import TrainingError
from edge_mnist.files import expect_folder
from edge_mnist.training.config import Augmentation, TrainConfig, load_config
from edge_mnist.training.recipes import DEFAULT_RECIPE, find_recipe

# In a run folder.
CONFIG_FILE = "config.json"
HISTORY_FILE = "history.csv"
METRICS_FILE = "metrics.json"
MODEL_FILE = "model.keras"
STATE_FILE = "state.npz"
# Of one in which a model was trained further.
FINE_TUNING_FILE = "fine_tuning.json"


def plan_run(
    out: Path | None,
    *,
    recipe: str | None = None,
    config_path: Path | None = None,
    overrides: dict[str, Any] | None = None,
    resume: bool = False,
) -> tuple[TrainConfig, Path]:
    """Settle what to train and where.

    Args:
        out: The run folder; None for runs/ARCHITECTURE.
        recipe: A recipe's name; None for the default.
        config_path: A config.json to repeat, in place of a recipe.
        overrides: Fields of TrainConfig that the user gave; `augmentation` may be True for the
            default one.
        resume: Go on with the run in `out`, whose configuration holds.

    Raises:
        InvalidInputError: If a file has the folder's name.
        TrainingError: If the recipe is unknown, the configuration cannot be read or both are given;
            if the folder holds a run and `resume` is not set, or holds none or another and it is.
    """
    overrides = dict(overrides or {})
    if recipe is not None and config_path is not None:
        raise TrainingError("--recipe and --config exclude each other")
    config = load_config(config_path) if config_path else find_recipe(recipe or DEFAULT_RECIPE)
    if overrides.get("augmentation") is True:
        overrides["augmentation"] = config.augmentation or Augmentation()
    if overrides.get("arch", config.arch) != config.arch and recipe is None and not config_path:
        overrides["recipe"] = "custom"
    config = dataclasses.replace(config, **overrides)
    folder = out or Path("runs") / config.arch
    expect_folder("--out", folder)
    if not resume:
        # A configuration alone is no run: the training failed before its first epoch's end.
        if (folder / STATE_FILE).exists() or (folder / MODEL_FILE).exists():
            raise TrainingError(
                f"{folder} holds a run already",
                remedy="give another folder with --out, or go on with that run by --resume",
            )
        return config, folder
    if not (folder / CONFIG_FILE).exists():
        raise TrainingError(
            f"there is no run to resume in {folder}",
            remedy="give its folder with --out, or leave --resume out",
        )
    stored = load_config(folder / CONFIG_FILE)
    asked = set(overrides) if recipe is None and config_path is None else set(vars(config))
    for field in sorted(asked - {"recipe", "device"}):
        if getattr(config, field) != getattr(stored, field):
            raise TrainingError(
                f"cannot resume {folder} with another {field.replace('_', ' ')}",
                expected=str(getattr(stored, field)),
                got=str(getattr(config, field)),
                remedy="leave the option out, or give another folder with --out",
            )
    return dataclasses.replace(stored, device=config.device), folder
