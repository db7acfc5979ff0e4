"""Finding the quickest setting for a model here, and keeping it for `Classifier.load`."""

import dataclasses
import datetime
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_mnist.batches import RESIZED_BATCH
from edge_mnist.bench.advice import doubt
from edge_mnist.bench.contest import Say, hold_contest
from edge_mnist.bench.contestant import Contestant, Stage
from edge_mnist.bench.protocol import Protocol
from edge_mnist.bench.report import BenchReport, Row
from edge_mnist.bench.request import BenchRequest, usual_threads
from edge_mnist.bench.run import read_models
from edge_mnist.bench.worker import BATCHES, PREDICT, batch_name
from edge_mnist.engines import AUTO, EngineSetting, resolve_engine
from edge_mnist.errors import ModelError
from edge_mnist.machine import read_cpu_model
from edge_mnist.model_card import hash_bytes
from edge_mnist.tuned_settings import TunedSetting, save_tuned

BATCH_SIZES = (8, 16, 32, 64, 128, 256)
LARGEST_BATCH = batch_name(BATCHES[-1])

# Processes that run the same differ by some 2 %, by where their memory lies, and no interval over
# the rounds of one of them covers that.
LARGEST_RATIO = 0.97


@dataclass(frozen=True)
class Tuning:
    """What was tried for one model, and what was chosen.

    Attributes:
        settings: Single images in every setting; the first row is what is used untuned.
        batches: A large batch in the chosen setting, by how many images go in at once; the first
            row is what is used untuned.
        tuned: What was chosen and kept.
        path: The file that it is kept in.
    """

    settings: BenchReport
    batches: BenchReport
    tuned: TunedSetting
    path: Path


def tune(
    model: str, images: NDArray[np.uint8], inputs: str, say: Say, protocol: Protocol
) -> Tuning:
    """Find the quickest setting for a model, and keep it in the user's configuration.

    A setting is chosen over the untuned one only if it reads every image the same, and if the
    whole interval of its ratio says that it is quicker, by more than chance, and does so a second
    time in fresh processes.

    Args:
        model: A shipped model's name or a path.
        images: uint8 [N, 28, 28], as many as the largest batch at least.
        inputs: What they are, in words.
        say: Told what is under way.
        protocol: How to measure.

    Raises:
        ModelError: If the model cannot be run as it is untuned.
    """
    models, _ = read_models([model])
    untuned = EngineSetting(resolve_engine(AUTO))
    request = BenchRequest((model,), threads=usual_threads(), protocol=protocol)
    tried = [untuned, *(setting for setting in request.settings() if setting != untuned)]
    with tempfile.TemporaryDirectory(prefix="edge-mnist-") as folder:
        stage = Stage(Path(folder), models, images)

        def hold(contestants: Sequence[Contestant]) -> BenchReport:
            report = hold_contest(protocol, models, contestants, inputs, say)
            return dataclasses.replace(report, advice=list(doubt(report)))  # the rest is done here

        settings = hold([stage.contestant(model, setting, (PREDICT,)) for setting in tried])
        chosen = choose(settings.rows, PREDICT)
        setting = tried[settings.rows.index(chosen)]
        if setting != untuned:
            # Of many that are alike, one may win by where its process's memory lies.
            again = hold([stage.contestant(model, one, (PREDICT,)) for one in (untuned, setting)])
            if choose(again.rows, PREDICT) is again.rows[0]:
                chosen, setting = settings.rows[0], untuned
        sizes = [RESIZED_BATCH, *(size for size in BATCH_SIZES if size != RESIZED_BATCH)]
        batches = hold([stage.contestant(model, setting, (LARGEST_BATCH,), size) for size in sizes])
        batch_size = sizes[batches.rows.index(choose(batches.rows, LARGEST_BATCH))]
    tuned = TunedSetting(
        setting=setting,
        batch_size=batch_size,
        model_sha256=hash_bytes(models[model]),
        engine_version=chosen.version,
        cpu=read_cpu_model(),
        tuned_on=datetime.date.today().isoformat(),
        p50_us=chosen.latency[PREDICT].p50_us,
        default_p50_us=settings.rows[0].latency[PREDICT].p50_us,
    )
    return Tuning(settings, batches, tuned, save_tuned(tuned))


def choose(rows: Sequence[Row], measure: str) -> Row:
    """Return the quickest row of those that are surely quicker than the first, else the first.

    The quickest is the one whose interval ends lowest: of two alike, the steadier. If that is no
    more than chance, the one that comes first.

    Args:
        rows: All against the first, which is used untuned; those that take less of the machine,
            fewer threads, come before those that take more.
        measure: What counts.

    Raises:
        ModelError: If the first has no figures.
    """
    first, *others = rows
    if first.error is not None:
        raise ModelError(f"{first.model} cannot be run in {first.runner}", got=first.error)
    surely_quicker = [
        row
        for row in others
        if row.error is None and row.agreement == 1 and row.ratios[measure].high < LARGEST_RATIO
    ]
    quickest = min((row.ratios[measure].high for row in surely_quicker), default=1.0)
    alike = (row for row in surely_quicker if row.ratios[measure].high * LARGEST_RATIO <= quickest)
    return next(alike, first)
