"""The training loop: compiled, deterministic, interruptible and resumable at every epoch.

It is our own and not `Model.fit` for two reasons. The images stay uint8 on the device and many
steps run in one call of the graph, which takes about half the time on two CPU cores
(benchmarks/training_throughput.py; XLA made it slower there, so it is not used). And all that is
random is a function of the seed and the step, so that a resumed run ends where an unbroken one
would have.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
import tf_keras

from edge_mnist.dataset import Examples
from edge_mnist.errors import TrainingError
from edge_mnist.preprocessing import NUM_CLASSES
from edge_mnist.training.augmentation import augment
from edge_mnist.training.config import TrainConfig
from edge_mnist.training.crops import make_crops
from edge_mnist.training.handwriting import make_handwriting
from edge_mnist.training.history import EpochResult
from edge_mnist.training.interruption import interrupt_flag
from edge_mnist.training.optimizer import build_optimizer, take_averages
from edge_mnist.training.outliers import make_outliers, make_pairs
from edge_mnist.training.precision import take_step
from edge_mnist.training.state import Progress, load_state, save_state
from edge_mnist.training.styles import draw_styles

# Steps in one call of the compiled graph: enough that the call's cost does not show, few enough
# that a progress bar moves and Ctrl-C is answered within a second.
STEPS_PER_CALL = 50
VALIDATION_BATCH_SIZE = 500

# Images of other handwriting, and outliers, that a training draws from; it varies them as it does
# the digits.
POOL_SIZE = 7000

# What is added to a step's seed for the draw of which digits are crops: none of augmentation's.
CROPS_STREAM = (0, 500_000_003)

# Batches of that size that the statistics of averaged weights are measured on.
STATISTICS_BATCHES = 40

# A blind guess has a cross-entropy of ln 10 = 2.3; NaN and infinity are not below this either.
DIVERGED_LOSS = 100.0


@dataclass(frozen=True)
class FitResult:
    """How a training ended.

    Attributes:
        history: A line an epoch, resumed ones included.
        interrupted: Whether Ctrl-C ended it.
    """

    history: list[EpochResult]
    interrupted: bool


class Reporter(Protocol):
    """Shows how far a training is."""

    def step(self, epoch: int, done: int, total: int) -> None:
        """Take note that `done` of `total` steps of an epoch have run."""

    def epoch(self, result: EpochResult, epochs: int) -> None:
        """Take note that one of `epochs` epochs has ended."""


def fit(  # noqa: PLR0912 - one loop, with what may end it
    model: Any,
    train: Examples,
    validation: Examples,
    config: TrainConfig,
    *,
    state_path: Path | None = None,
    reporter: Reporter | None = None,
) -> FitResult:
    """Train a model in place.

    Args:
        model: A tf_keras model: float32 [N, 28, 28, 1] from 0 to 1 in, logits [N, 10] out.
        train: What it is fitted to.
        validation: What early stopping looks at.
        config: How; `arch`, `branches`, `data`, `validation_split` and `device` are not looked at.
        state_path: Where the state is kept after each epoch; if the file is there, the training
            goes on from it.
        reporter: Told about steps and epochs.

    Returns:
        The history. The model has the best epoch's weights if `config.patience` is set; else the
        last's, averaged if `config.average_epochs` is set.

    Raises:
        TrainingError: If the state is not this training's, or the loss is no longer a number.
    """
    batch_size = min(config.batch_size, len(train))
    steps_per_epoch = len(train) // batch_size
    optimizer = build_optimizer(model, config, steps_per_epoch)
    draw_digits = _compile_digits(train, config)
    run_steps = _compile_steps(model, optimizer, train, config, draw_digits)
    validate = _compile_validation(model, validation)
    progress = Progress()
    if state_path is not None and state_path.exists():
        progress = load_state(state_path, model, optimizer)
    with interrupt_flag() as interrupt:
        for epoch in range(len(progress.history), config.epochs):
            if _patience_is_over(progress, config.patience):
                break
            started = time.perf_counter()
            _reseed_layers(model, config.seed, epoch)
            # Drawn anew from seed and epoch: a resumed run gets the same order.
            order = np.random.default_rng((config.seed, epoch)).permutation(len(train))
            batches = order[: steps_per_epoch * batch_size].astype(np.int32)
            batches = batches.reshape(steps_per_epoch, batch_size)
            totals = np.zeros(2)
            for start in range(0, steps_per_epoch, STEPS_PER_CALL):
                chunk = batches[start : start + STEPS_PER_CALL]
                first_step = tf.constant(epoch * steps_per_epoch + start)
                totals += run_steps(tf.constant(chunk), first_step).numpy()
                if reporter is not None:
                    reporter.step(epoch + 1, start + len(chunk), steps_per_epoch)
                if interrupt.is_set:
                    break
            if interrupt.is_set:
                break
            loss, accuracy = totals / (steps_per_epoch * np.array([1, batch_size]))
            if not loss < DIVERGED_LOSS:
                raise TrainingError(
                    f"epoch {epoch + 1}",
                    expected=f"a loss below {DIVERGED_LOSS:g}",
                    got=str(loss),
                    remedy="lower --learning-rate",
                )
            val_loss, val_accuracy = validate()
            result = EpochResult(
                epoch=epoch + 1,
                loss=float(loss),
                accuracy=float(accuracy),
                val_loss=val_loss,
                val_accuracy=val_accuracy,
                learning_rate=float(optimizer.learning_rate.numpy()),
                seconds=time.perf_counter() - started,
            )
            progress.history.append(result)
            if config.patience is not None and val_loss < progress.best_val_loss:
                progress.best_val_loss, progress.best_epoch = val_loss, epoch + 1
                progress.best_weights = model.get_weights()
            if state_path is not None:
                save_state(state_path, model, optimizer, progress)
            if reporter is not None:
                reporter.epoch(result, config.epochs)
    if progress.best_weights:
        model.set_weights(progress.best_weights)
    elif config.average_epochs > 0 and not interrupt.is_set:
        take_averages(model, optimizer)
        _reestimate_batch_norm(model, len(train), config, draw_digits)
    return FitResult(progress.history, interrupted=interrupt.is_set)


def _compile_steps(
    model: Any, optimizer: Any, train: Examples, config: TrainConfig, draw_digits: Any
) -> Any:
    labels = tf.constant(train.labels)
    draw_extras = _compile_extras(train, config)

    def run_step(indices: Any, step: Any) -> Any:
        seed = tf.stack([config.seed, step])
        batch, batch_labels = draw_digits(indices, seed), tf.gather(labels, indices)
        for draw in draw_extras:
            extra_images, extra_labels = draw(seed)
            batch = tf.concat([batch, extra_images], axis=0)
            batch_labels = tf.concat([batch_labels, extra_labels], axis=0)
        batch = tf.cast(batch, tf.float32) / 255.0
        if config.augmentation is not None:
            batch = augment(batch, config.augmentation, seed)
        logits, loss = take_step(
            model,
            optimizer,
            batch,
            lambda found: _compute_loss(found, batch_labels, config),
            config,
        )
        own = tf.size(indices)
        return tf.stack([loss, _count_correct(logits[:own], batch_labels[:own])])

    @tf.function  # type: ignore[untyped-decorator]
    def run_steps(batches: Any, first_step: Any) -> Any:
        totals = tf.zeros(2)
        for index in tf.range(tf.shape(batches)[0]):
            totals += run_step(batches[index], first_step + index)
        return totals

    # The last call of an epoch has fewer steps; without a signature that traces the graph anew.
    return run_steps.get_concrete_function(
        tf.TensorSpec([None, min(config.batch_size, len(train))], tf.int32),
        tf.TensorSpec([], tf.int32),
    )


def _compute_loss(logits: Any, labels: Any, config: TrainConfig) -> Any:
    """Return the mean cross-entropy of a batch.

    With outliers there is an eleventh class, "no digit", whose logit is always 0: a network says
    so by keeping its ten logits low, and needs no output for it.
    """
    classes = NUM_CLASSES
    if config.outliers > 0 or config.pairs > 0:
        logits = tf.pad(logits, [[0, 0], [0, 1]])
        classes += 1
    smoothing = config.label_smoothing
    targets = tf.one_hot(labels, classes) * (1 - smoothing) + smoothing / classes
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))


def _compile_digits(train: Examples, config: TrainConfig) -> Any:
    """Return a function from indices and a seed to digits, uint8 [n, 28, 28, 1].

    They are as they are, or as crops, in the share that the configuration tells.
    """
    images = tf.constant(train.images[..., None])
    if config.crops == 0:
        return lambda indices, seed: tf.gather(images, indices)
    crops = tf.constant(make_crops(train.images, config.seed)[..., None])

    def draw(indices: Any, seed: Any) -> Any:
        chances = tf.random.stateless_uniform([tf.size(indices)], seed + CROPS_STREAM)
        is_crop = (chances < config.crops)[:, None, None, None]
        return tf.where(is_crop, tf.gather(crops, indices), tf.gather(images, indices))

    return draw


def _compile_extras(train: Examples, config: TrainConfig) -> list[Any]:
    """Return functions from a seed to what is added to a batch: uint8 [n, 28, 28, 1] and [n]."""
    batch_size = min(config.batch_size, len(train))
    pools = []
    if config.handwriting > 0:
        pools.append((make_handwriting(train, POOL_SIZE, config.seed), config.handwriting))
    if config.styles > 0:
        pools.append((draw_styles(POOL_SIZE, config.seed), config.styles))
    no_digit = np.full(POOL_SIZE, NUM_CLASSES, np.uint8)
    for make, share in ((make_outliers, config.outliers), (make_pairs, config.pairs)):
        if share > 0:
            pools.append((Examples(make(train, POOL_SIZE, config.seed), no_digit), share))
    return [
        _compile_draw(_crop_some(pool, config), round(share * batch_size))
        for pool, share in pools
        if len(pool)
    ]


def _crop_some(pool: Examples, config: TrainConfig) -> Examples:
    """Make crops of as many as of the digits: else soft images would be digits and nothing else."""
    is_crop = np.random.default_rng(config.seed).random(len(pool)) < config.crops
    images = pool.images.copy()
    images[is_crop] = make_crops(images[is_crop], config.seed)
    return Examples(images, pool.labels)


def _compile_draw(pool: Examples, count: int) -> Any:
    images, labels = tf.constant(pool.images[..., None]), tf.constant(pool.labels)

    def draw(seed: Any) -> Any:
        indices = tf.random.stateless_uniform([count], seed, 0, len(pool), tf.int32)
        return tf.gather(images, indices), tf.gather(labels, indices)

    return draw


def _compile_validation(model: Any, validation: Examples) -> Any:
    images, labels = tf.constant(validation.images[..., None]), tf.constant(validation.labels)

    @tf.function  # type: ignore[untyped-decorator]
    def run(start: Any) -> Any:
        batch = tf.cast(images[start : start + VALIDATION_BATCH_SIZE], tf.float32) / 255.0
        batch_labels = labels[start : start + VALIDATION_BATCH_SIZE]
        logits = tf.cast(model(batch, training=False), tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.cast(batch_labels, tf.int32), logits
        )
        return tf.stack([tf.reduce_sum(losses), _count_correct(logits, batch_labels)])

    def validate() -> tuple[float, float]:
        starts = range(0, len(validation), VALIDATION_BATCH_SIZE)
        loss, correct = sum(run(tf.constant(start)).numpy() for start in starts) / len(validation)
        return float(loss), float(correct)

    return validate


def _reestimate_batch_norm(model: Any, images: int, config: TrainConfig, draw_digits: Any) -> None:
    """Measure the statistics of batch normalisation anew, for weights that no step ever had.

    On digits alone, since those are what has to be read right. Izmailov et al., "Averaging Weights
    Leads to Wider Optima and Better Generalization", UAI 2018.
    """
    norms = [m for m in model.submodules if isinstance(m, tf_keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    order = np.random.default_rng((config.seed, config.epochs)).permutation(images)
    batches = -(-images // VALIDATION_BATCH_SIZE)
    for index in range(min(STATISTICS_BATCHES, batches)):
        chosen = order[index * VALIDATION_BATCH_SIZE :][:VALIDATION_BATCH_SIZE]
        seed = tf.constant([config.seed, -1 - index])
        batch = tf.cast(draw_digits(chosen, seed), tf.float32) / 255.0
        if config.augmentation is not None:
            batch = augment(batch, config.augmentation, seed)
        for norm in norms:
            norm.momentum = index / (index + 1)  # a plain mean over the batches
        model(batch, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _count_correct(logits: Any, labels: Any) -> Any:
    predicted = tf.cast(tf.argmax(logits, axis=1), labels.dtype)
    return tf.reduce_sum(tf.cast(predicted == labels, tf.float32))


def _reseed_layers(model: Any, seed: int, epoch: int) -> None:
    """Start the random generators of dropout layers anew, as a function of seed and epoch."""
    # Submodules, not layers: quantization-aware training wraps layers in others.
    for index, module in enumerate(model.submodules):
        generator = getattr(getattr(module, "_random_generator", None), "_generator", None)
        if generator is not None:
            generator.reset_from_seed((seed * 1_000_003 + epoch) * 101 + index)


def _patience_is_over(progress: Progress, patience: int | None) -> bool:
    return patience is not None and len(progress.history) - progress.best_epoch >= patience
