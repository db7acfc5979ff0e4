"""What takes part in a benchmark, and where its files stand while it lasts."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.bench.worker import BATCHES, LATENCIES, batch_name
from edge_mnist.engines import EngineSetting

TFLITE_WORKER = "edge_mnist.bench.worker"
ALL_MEASURES = (*LATENCIES, *(batch_name(size) for size in BATCHES))


@dataclass(frozen=True)
class Contestant:
    """One row to come: what is measured, and the process that it is measured in.

    Attributes:
        worker: A module whose `main` calls `worker.serve`, and what that `main` gets.
        measures: What is measured of it.
        group: Those of one group always take turns with each other; "" is that of the model.
    """

    model: str
    runner: str
    setting: EngineSetting | None
    worker: tuple[str, ...]
    measures: tuple[str, ...]
    group: str = ""


class Stage:
    """A folder with what contestants run: the images, and each model in a file.

    Args:
        folder: An empty one; it is needed as long as the contest lasts.
        models: .tflite files' contents by name.
        images: uint8 [N, 28, 28], as many as the largest batch at least.
    """

    def __init__(
        self, folder: Path, models: Mapping[str, bytes], images: NDArray[np.uint8]
    ) -> None:
        self.images = folder / "images.npy"
        np.save(self.images, images)
        self.paths = {name: folder / f"{number}.tflite" for number, name in enumerate(models)}
        for name, content in models.items():
            self.paths[name].write_bytes(content)

    def contestant(
        self,
        model: str,
        setting: EngineSetting,
        measures: tuple[str, ...] = ALL_MEASURES,
        batch_size: int | None = None,
        group: str = "",
    ) -> Contestant:
        """Return a model in an engine as a contestant.

        Args:
            model: One of the models' names.
            setting: How to run it.
            measures: What is measured of it.
            batch_size: How many images `predict_batch` gives the engine at once; None for what
                it does by itself.
            group: As a contestant has it.
        """
        options = {
            "model": str(self.paths[model]),
            "images": str(self.images),
            "setting": dataclasses.asdict(setting),
            "batch_size": batch_size,
        }
        runner = str(setting) if batch_size is None else f"{setting}, {batch_size} at once"
        worker = (TFLITE_WORKER, json.dumps(options))
        return Contestant(model, runner, setting, worker, measures, group)
