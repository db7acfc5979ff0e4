"""Make the model that reads a number as a whole: models/vision/lines.tflite and its card.

Usage: python tools/build_lines.py

Makes photographs of numbers of MNIST's training digits and of forms that these lack, cuts strips
as the reader does, trains on these, quantizes, measures on strips of validation and test digits,
and writes both files. Strips and the state of the training stand in runs/lines: Ctrl-C loses at
most an epoch, or what there is of a split's strips, and the same command goes on. It takes one to
three hours on two cores.
"""

import dataclasses
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from number_strips import NO_DIGIT, Strips, load_strips, make_number_strips, save_strips
from numpy.random import Generator
from numpy.typing import NDArray
from own_model_files import write_own_model
from strip_variations import Spread, choose_spread, spread_strip, vary_strip

from edge_mnist import dataset
from edge_mnist.dataset import Examples, join
from edge_mnist.engines import EngineSetting, resolve_engine
from edge_mnist.errors import EdgeMnistError
from edge_mnist.quantization.convert import REPRESENTATIVE_IMAGES, convert_int8
from edge_mnist.training.config import TrainConfig
from edge_mnist.training.device import select_device
from edge_mnist.training.history import EpochResult
from edge_mnist.training.optimizer import build_optimizer, take_averages
from edge_mnist.training.precision import build_in_precision, take_step
from edge_mnist.training.state import Progress, load_state, save_state
from edge_mnist.training.styles import draw_styles
from edge_mnist.vision.ctc import read_best_path
from edge_mnist.vision.line_reader import (
    CLASSES,
    COLUMN_STEP,
    COLUMNS,
    LineReader,
    line_model_path,
)
from edge_mnist.vision.strips import STRIP_HEIGHT, STRIP_WIDTH

WHAT = "a number as a whole; logits of ten digits and the blank in 128 columns"

FOLDER = Path("runs/lines")

TRAIN_SCENES, HELD_OUT_SCENES = 6000, 400
# Of the scenes: each split has its own.
TRAIN_SEED, VALIDATION_SEED, TEST_SEED = 0, 1, 2
EVALUATION_BATCH = 32
# Short strips are trained on in narrow batches: most of a long one is paper. So many more columns
# than a strip has are shown, for what varying makes of it.
WIDTHS = (96, 160, STRIP_WIDTH)
ROOM, ROOM_SHARE = 6, 1.1
# What weight it has that each digit is told in its own column: without it, where digits stand is
# learned late, and not to the column.
PLACE_WEIGHT = 0.3
# So many columns beside it it may be told, too.
PLACE_SPREAD = 1
# No strip that is read quite wrongly, as all are at first, shall count for more.
MAX_LOSS = 100.0

CONFIG = TrainConfig(
    arch="lines",
    epochs=60,
    batch_size=64,
    optimizer="adamw",
    learning_rate=3e-3,
    schedule="one-cycle",
    weight_decay=0.02,
    average_epochs=1.0,
    # Of the digits that numbers are made of. With MNIST's alone a 1 with a flag would be a 7.
    styles=0.15,
)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a batch is made of.

    Attributes:
        chosen: Which strips.
        spreads: What comes between the digits of each.
        width: Columns of the batch.
    """

    chosen: NDArray[np.intp]
    spreads: Sequence[Spread]
    width: int


@dataclasses.dataclass(frozen=True)
class Batch:
    """Strips of about one width, as the loss takes them.

    Attributes:
        images: float32 [N, 32, width, 1] from 0 to 1.
        labels: The digits of each, int32; those of a strip of nothing do not count.
        are_numbers: bool [N].
        columns: int32 [N, width / 2]: the digit in each column, the blank's class, or -1 where
            either is right.
    """

    images: NDArray[np.float32]
    labels: tf.SparseTensor
    are_numbers: NDArray[np.bool_]
    columns: NDArray[np.int32]


def main() -> int:
    """Make both files; return the exit code."""
    try:
        select_device("auto")
        digits = dataset.load("mnist")
        assert digits.test is not None  # MNIST has one
        strips = prepare_strips("train", digits.train, TRAIN_SCENES, TRAIN_SEED, CONFIG.styles)
        validation = prepare_strips(
            "validation", digits.validation, HELD_OUT_SCENES, VALIDATION_SEED
        )
        model = build_in_precision(build_network, CONFIG)
        history = train(model, strips, validation)
        content = convert_int8(model, strips.images[:REPRESENTATIVE_IMAGES])
        test = prepare_strips("test", digits.test, HELD_OUT_SCENES, TEST_SEED)
        facts = {
            "parameters": model.count_params(),
            "temperature": 1.0,
            "training": dataclasses.asdict(CONFIG) | {"strips": len(strips.images)},
            "training_s": round(sum(result.seconds for result in history)),
            "validation": describe(run(content, validation), validation),
            "test": describe(run(content, test), test),
            "test_float": describe(predict(model, test), test),
        }
    except EdgeMnistError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    write_own_model(line_model_path(), content, WHAT, facts)
    print(json.dumps(facts["test"]))
    return 0


def prepare_strips(
    name: str, digits: Examples, scenes: int, seed: int, styles: float = 0.0
) -> Strips:
    """Return the strips of a split, made now or by the last call; of `styles` is such a share."""
    path = FOLDER / f"{name}-strips-{scenes}-{styles:g}.npz"  # of other numbers they are others
    if not path.exists():
        print(f"making {scenes:,} scenes of {name} digits", flush=True)
        if styles:
            drawn = draw_styles(round(styles / (1 - styles) * len(digits)), seed)
            digits = join([digits, drawn])
        save_strips(path, make_number_strips(digits, scenes, seed))
    return load_strips(path)


def build_network() -> Any:
    """Build the Keras model, with fresh weights.

    Returns:
        A tf_keras model: float32 [N, 32, width, 1] from 0 to 1 in, logits [N, width / 2 * 11] out,
        column by column. The width is a multiple of 2.
    """
    layers = tf_keras.layers
    tensor = image = layers.Input((STRIP_HEIGHT, None, 1), name="image")
    for filters, kernel, strides in (
        (24, 5, (2, COLUMN_STEP)),
        (32, 3, 1),
        (48, 3, (2, 1)),
        (64, 3, (2, 1)),
        # The height of what is left becomes one.
        (128, (STRIP_HEIGHT // 8, 3), (STRIP_HEIGHT // 8, 1)),
        (96, (1, 5), 1),
    ):
        tensor = layers.Conv2D(filters, kernel, strides, "same", use_bias=False)(tensor)
        tensor = layers.ReLU()(layers.BatchNormalization()(tensor))
    logits = layers.Conv2D(CLASSES, 1, name="logits")(layers.Dropout(0.1)(tensor))
    return tf_keras.Model(image, layers.Flatten()(logits), name=CONFIG.arch)


def train(model: Any, strips: Strips, validation: Strips) -> list[EpochResult]:
    """Train a model in place, from where the last call was stopped; return its history."""
    # Chance makes some strips wider, so that it is a batch more or less in an epoch.
    steps = len(list(plan_batches(strips, np.random.default_rng(0))))
    optimizer = build_optimizer(model, CONFIG, steps)
    run_step = _compile_step(model, optimizer)
    state = FOLDER / f"state-{TRAIN_SCENES}-{CONFIG.epochs}.npz"  # of other numbers it is another
    progress = load_state(state, model, optimizer) if state.exists() else Progress()
    for epoch in range(len(progress.history), CONFIG.epochs):
        started = time.perf_counter()
        rng = np.random.default_rng((CONFIG.seed, epoch))
        loss = 0.0
        plans = list(plan_batches(strips, rng))
        for step, plan in enumerate(plans):
            batch = make_batch(strips, plan, rng)
            loss += float(run_step(batch.images, batch.labels, batch.are_numbers, batch.columns))
            print(
                f"\repoch {epoch + 1}/{CONFIG.epochs}: {step}/{len(plans)}", end="", file=sys.stderr
            )
        found = describe(predict(model, validation), validation)
        result = EpochResult(
            epoch=epoch + 1,
            loss=loss / len(plans),
            # Not measured: the loss is of texts, and what is varied is not read.
            accuracy=math.nan,
            val_loss=math.nan,
            val_accuracy=found["numbers_right"],
            learning_rate=float(optimizer.learning_rate.numpy()),
            seconds=time.perf_counter() - started,
        )
        progress.history.append(result)
        save_state(state, model, optimizer, progress)
        print(f"\repoch {epoch + 1}/{CONFIG.epochs}: loss {result.loss:.4f}, {found}", flush=True)
    take_averages(model, optimizer)
    return progress.history


def plan_batches(strips: Strips, rng: Generator) -> Iterator[Plan]:
    """Yield the strips of each batch of an epoch, what comes between their digits, and how wide."""
    counts = (strips.texts < NO_DIGIT).sum(axis=1).tolist()
    spreads = [choose_spread(count, rng) for count in counts]
    widths = strips.widths + [spread.columns.sum() for spread in spreads]
    for index in np.flatnonzero(widths > STRIP_WIDTH):
        spreads[index], widths[index] = Spread.none(counts[index]), strips.widths[index]
    needed = np.minimum(ROOM_SHARE * widths + ROOM, STRIP_WIDTH)
    of_width = np.searchsorted(WIDTHS, needed)
    plans = []
    for index, width in enumerate(WIDTHS):
        order = rng.permutation(np.flatnonzero(of_width == index))
        full = len(order) - len(order) % CONFIG.batch_size
        plans += [
            Plan(chosen, [spreads[strip] for strip in chosen], width)
            for chosen in order[:full].reshape(-1, CONFIG.batch_size)
        ]
    for index in rng.permutation(len(plans)):
        yield plans[index]


def make_batch(strips: Strips, plan: Plan, rng: Generator) -> Batch:
    """Vary strips by chance and put them side by side."""
    images = np.empty((len(plan.chosen), STRIP_HEIGHT, plan.width, 1), np.float32)
    columns = np.full((len(plan.chosen), plan.width // COLUMN_STEP), NO_DIGIT, np.int32)
    entries: list[tuple[int, int]] = []
    labels: list[int] = []
    for row, (index, spread) in enumerate(zip(plan.chosen, plan.spreads, strict=True)):
        text = strips.text(index)
        ink, places = spread_strip(strips.images[index], strips.places[index][: len(text)], spread)
        ink, moved = vary_strip(ink, strips.widths[index] + spread.columns.sum(), rng)
        images[row, ..., 0] = ink[:, : plan.width]
        middles = moved[0, 0] * places + moved[0, 1] * STRIP_HEIGHT / 2 + moved[0, 2]
        told = np.clip((middles / COLUMN_STEP).astype(int), 0, columns.shape[1] - 1)
        for column in told:
            columns[row, max(0, column - PLACE_SPREAD) : column + PLACE_SPREAD + 1] = -1
        columns[row, told] = text
        # The loss takes no empty texts.
        shown = text.tolist() or [0]
        entries += [(row, place) for place in range(len(shown))]
        labels += shown
    shape = (len(plan.chosen), strips.texts.shape[1])
    sparse = tf.SparseTensor(np.array(entries, np.int64), np.array(labels, np.int32), shape)
    return Batch(images, sparse, strips.are_numbers[plan.chosen], columns)


def _compile_step(model: Any, optimizer: Any) -> Any:
    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def run_step(images: Any, labels: Any, are_numbers: Any, columns: Any) -> Any:
        def compute_loss(logits: Any) -> Any:
            return _compute_loss(logits, labels, are_numbers, columns)

        return take_step(model, optimizer, images, compute_loss, CONFIG)[1]

    return run_step


def _compute_loss(logits: Any, labels: Any, are_numbers: Any, columns: Any) -> Any:
    """Return what it costs that texts are unlikely, and digits in their columns."""
    logits = tf.reshape(logits, [tf.shape(logits)[0], -1, CLASSES])
    lengths = tf.fill([tf.shape(logits)[0]], tf.shape(logits)[1])
    of_text = tf.nn.ctc_loss(
        labels, logits, None, lengths, logits_time_major=False, blank_index=NO_DIGIT
    )
    of_nothing = -tf.reduce_sum(tf.nn.log_softmax(logits)[:, :, NO_DIGIT], axis=1)
    loss = tf.where(are_numbers, of_text, of_nothing)
    # Digits that varying pushed into one column are no text of it.
    loss = tf.where(tf.math.is_finite(loss), tf.minimum(loss, MAX_LOSS), 0.0)
    of_columns = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(columns, 0), logits)
    in_place = tf.reduce_sum(tf.where(columns >= 0, of_columns, 0.0), axis=1)
    return tf.reduce_mean(loss + PLACE_WEIGHT * in_place)


def predict(model: Any, strips: Strips) -> NDArray[np.float64]:
    """Return the logits of a Keras model, float64 [N, 128, 11]."""
    parts = [
        model(
            tf.cast(strips.images[start : start + EVALUATION_BATCH, ..., None], tf.float32) / 255.0,
            training=False,
        ).numpy()
        for start in range(0, len(strips.images), EVALUATION_BATCH)
    ]
    return np.concatenate(parts).reshape(-1, COLUMNS, CLASSES).astype(np.float64)


def describe(columns: NDArray[np.float64], strips: Strips) -> dict[str, float]:
    """Tell how often a number is read wholly right, and nothing as nothing.

    Args:
        columns: float64 [N, 128, 11], logits or probabilities.
        strips: What they are of.
    """
    read = [[seen.label for seen in read_best_path(rows)] for rows in columns]
    written = [strips.text(index).tolist() for index in range(len(strips.texts))]
    right = np.array([mine == theirs for mine, theirs in zip(read, written, strict=True)])
    shown = strips.are_numbers
    return {
        "numbers_right": float(right[shown].sum()) / max(1, int(shown.sum())),
        "nothing_right": float(right[~shown].sum()) / max(1, int((~shown).sum())),
        "numbers": int(shown.sum()),
        "nothing": int((~shown).sum()),
    }


def run(content: bytes, strips: Strips) -> NDArray[np.float64]:
    """Return the probabilities of a .tflite file in an engine, float64 [N, 128, 11]."""
    reader = LineReader(content, EngineSetting(resolve_engine()), temperature=1.0)
    return np.stack([reader.read(image) for image in strips.images])


if __name__ == "__main__":
    sys.exit(main())
