"""Make the model that reads two digits which touch: models/vision/pairs.tflite and its card.

Usage: python tools/build_pairs.py

Trains on pairs of MNIST's training digits, quantizes, measures on pairs of its validation and test
digits, and writes both files. The state of the training stands in runs/pairs: Ctrl-C loses at most
an epoch, and the same command goes on. It takes about 50 minutes on one core
that computes in bfloat16; on another kind it takes longer, and other weights come out.
"""

import dataclasses
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from own_model_files import write_own_model
from touching_pairs import OTHER_SHARE, Pairs, make_touching_pairs

from edge_mnist import dataset
from edge_mnist.engines import EngineSetting, resolve_engine
from edge_mnist.errors import EdgeMnistError
from edge_mnist.preprocessing import NUM_CLASSES
from edge_mnist.quantization.convert import REPRESENTATIVE_IMAGES, convert_int8
from edge_mnist.quantization.temperature import fit_temperature
from edge_mnist.training.architectures import Conv, Dropout, build_stack
from edge_mnist.training.augmentation import augment
from edge_mnist.training.config import Augmentation, TrainConfig
from edge_mnist.training.device import select_device
from edge_mnist.training.history import EpochResult
from edge_mnist.training.optimizer import build_optimizer
from edge_mnist.training.precision import as_float32, build_in_precision, take_step
from edge_mnist.training.state import Progress, load_state, save_state
from edge_mnist.vision.pairs import PAIR_OUTPUTS, PairReader, pair_model_path

WHAT = "two digits that touch; ten logits of the left one, ten of the right one"

STATE = Path("runs/pairs/state.npz")

TRAIN_PAIRS, HELD_OUT_PAIRS = 300_000, 10_000
# Of the pictures: each split has its own.
TRAIN_SEED, VALIDATION_SEED, TEST_SEED = 0, 1, 2
STEPS_PER_CALL = 50
EVALUATION_BATCH = 500

LAYERS = (
    Conv(24, 5, stride=2, batch_norm=True),
    Conv(40, 3, padding="valid", batch_norm=True),
    Conv(48, 3, batch_norm=True),
    Conv(80, 3, stride=2, batch_norm=True),
    Conv(128, 3, padding="valid", batch_norm=True),
    Dropout(0.2),
)

CONFIG = TrainConfig(
    arch="pairs",
    epochs=15,
    optimizer="adamw",
    learning_rate=0.004,
    schedule="one-cycle",
    weight_decay=0.02,
    label_smoothing=0.05,
    augmentation=Augmentation(
        rotation_deg=6.0,
        shear=0.25,
        zoom=0.08,
        shift_px=1.0,
        elastic_px=0.3,
        stroke=0.8,
        low_resolution=0.6,
        blur=0.8,
        contrast=0.3,
        noise=0.1,
        plain=0.25,
    ),
    mixed_precision=True,
)


def main() -> int:
    """Make both files; return the exit code."""
    try:
        select_device("auto")
        digits = dataset.load("mnist")
        assert digits.test is not None  # MNIST has one
        print(f"making {TRAIN_PAIRS:,} pictures", flush=True)
        pairs = make_touching_pairs(digits.train, TRAIN_PAIRS, TRAIN_SEED)
        validation = make_touching_pairs(digits.validation, HELD_OUT_PAIRS, VALIDATION_SEED)
        build = partial(build_stack, CONFIG.arch, LAYERS, PAIR_OUTPUTS)
        model = build_in_precision(build, CONFIG)
        history = train(model, pairs, validation)
        model = as_float32(model, build, CONFIG)
        content = convert_int8(model, pairs.images[:REPRESENTATIVE_IMAGES])
        temperature = calibrate(content, validation)
        test = make_touching_pairs(digits.test, HELD_OUT_PAIRS, TEST_SEED)
        facts = {
            "parameters": model.count_params(),
            "temperature": temperature,
            "training": dataclasses.asdict(CONFIG) | {"pictures": TRAIN_PAIRS},
            "training_s": round(sum(result.seconds for result in history)),
            "validation": describe(run(content, validation) / temperature, validation),
            "test": describe(run(content, test) / temperature, test),
            "test_float": describe(predict(model, test) / temperature, test),
        }
    except EdgeMnistError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    write_own_model(pair_model_path(), content, WHAT, facts)
    print(json.dumps(facts["test"]))
    return 0


def train(model: Any, pairs: Pairs, validation: Pairs) -> list[EpochResult]:
    """Train a model in place, from where the last call was stopped; return its history."""
    steps = len(pairs.images) // CONFIG.batch_size
    optimizer = build_optimizer(model, CONFIG, steps)
    run_steps = _compile_steps(model, optimizer, pairs)
    progress = load_state(STATE, model, optimizer) if STATE.exists() else Progress()
    for epoch in range(len(progress.history), CONFIG.epochs):
        started = time.perf_counter()
        order = np.random.default_rng((CONFIG.seed, epoch)).permutation(len(pairs.images))
        batches = order[: steps * CONFIG.batch_size].reshape(steps, -1).astype(np.int32)
        totals = np.zeros(2)
        for start in range(0, steps, STEPS_PER_CALL):
            chunk = batches[start : start + STEPS_PER_CALL]
            totals += run_steps(tf.constant(chunk), tf.constant(epoch * steps + start)).numpy()
            print(f"\repoch {epoch + 1}/{CONFIG.epochs}: {start}/{steps}", end="", file=sys.stderr)
        logits = predict(model, validation)
        found = describe(logits, validation)
        loss, accuracy = (totals / steps).tolist()
        result = EpochResult(
            epoch=epoch + 1,
            loss=loss,
            accuracy=accuracy,
            val_loss=float(_compute_loss(logits.astype(np.float32), validation.labels)),
            val_accuracy=found["both_right"],
            learning_rate=float(optimizer.learning_rate.numpy()),
            seconds=time.perf_counter() - started,
        )
        progress.history.append(result)
        STATE.parent.mkdir(parents=True, exist_ok=True)
        save_state(STATE, model, optimizer, progress)
        print(f"\repoch {epoch + 1}/{CONFIG.epochs}: loss {result.loss:.4f}, {found}", flush=True)
    return progress.history


def _compile_steps(model: Any, optimizer: Any, pairs: Pairs) -> Any:
    images, labels = tf.constant(pairs.images[..., None]), tf.constant(pairs.labels)

    def run_step(indices: Any, step: Any) -> Any:
        batch = tf.cast(tf.gather(images, indices), tf.float32) / 255.0
        batch = augment(batch, CONFIG.augmentation, tf.stack([CONFIG.seed, step]))
        shown = tf.gather(labels, indices)
        logits, loss = take_step(
            model, optimizer, batch, lambda found: _compute_loss(found, shown), CONFIG
        )
        both = tf.reshape(logits, [-1, 2, NUM_CLASSES])
        digits = tf.cast(tf.argmax(both, axis=2), labels.dtype)
        # Where there is no pair the labels are no digits.
        right = tf.reduce_all(digits == shown, axis=1)
        return tf.stack([loss, tf.reduce_mean(tf.cast(right, tf.float32)) / (1 - OTHER_SHARE)])

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[
            tf.TensorSpec([None, CONFIG.batch_size], tf.int32),
            tf.TensorSpec([], tf.int32),
        ]
    )
    def run_steps(batches: Any, first_step: Any) -> Any:
        totals = tf.zeros(2)
        for index in tf.range(tf.shape(batches)[0]):
            totals += run_step(batches[index], first_step + index)
        return totals

    return run_steps


def _compute_loss(logits: Any, labels: Any) -> Any:
    """Return the mean cross-entropy of both digits; an eleventh class, "no pair", has logit 0.

    Args:
        logits: float32 [N, 20] or [N, 2, 10].
        labels: uint8 [N, 2], 0 to 10.
    """
    classes = NUM_CLASSES + 1
    logits = tf.pad(tf.reshape(logits, [-1, 2, NUM_CLASSES]), [[0, 0], [0, 0], [0, 1]])
    smoothing = CONFIG.label_smoothing
    targets = tf.one_hot(labels, classes) * (1 - smoothing) + smoothing / classes
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))


def predict(model: Any, pairs: Pairs) -> NDArray[np.float64]:
    """Return the logits of a Keras model, float64 [N, 2, 10]."""
    images = pairs.images[..., None]
    parts = [
        model(tf.cast(images[start : start + EVALUATION_BATCH], tf.float32) / 255.0).numpy()
        for start in range(0, len(images), EVALUATION_BATCH)
    ]
    return np.concatenate(parts).reshape(-1, 2, NUM_CLASSES).astype(np.float64)


def describe(logits: NDArray[np.float64], pairs: Pairs) -> dict[str, float]:
    """Tell how often both digits of a pair are right, and how often it is known whether it is one.

    Args:
        logits: float64 [N, 2, 10], over the temperature if there is one.
        pairs: What they are of.
    """
    right = (logits.argmax(axis=2) == pairs.labels).all(axis=1)
    # The sum of the ten against the eleventh, of logit 0; of both digits the less likely.
    is_pair = (np.log(np.exp(logits).sum(axis=2)) > 0).all(axis=1)
    shown = pairs.are_pairs
    return {
        "both_right": float(right[shown].mean()),
        "pairs_accepted": float(is_pair[shown].mean()),
        "others_rejected": float(1 - is_pair[~shown].mean()),
        "pairs": int(shown.sum()),
        "others": int((~shown).sum()),
    }


def calibrate(content: bytes, validation: Pairs) -> float:
    """Return the temperature of a model, fitted on both digits of the validation pairs."""
    logits = run(content, validation).reshape(-1, NUM_CLASSES)
    return fit_temperature(np.pad(logits, ((0, 0), (0, 1))), validation.labels.reshape(-1))


def run(content: bytes, pairs: Pairs) -> NDArray[np.float64]:
    """Return the logits of a .tflite file in an engine, float64 [N, 2, 10]."""
    reader = PairReader(content, EngineSetting(resolve_engine()), temperature=1.0)
    return np.stack([reader.run(image) for image in pairs.images])


if __name__ == "__main__":
    sys.exit(main())
