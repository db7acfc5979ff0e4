"""The optimizer of a training, with its learning rate's schedule."""

import math
from typing import Any

import tensorflow as tf
import tf_keras

from edge_mnist.training.config import TrainConfig

# One-cycle (Smith and Topin, "Super-convergence", 2018): the share of the steps that climb.
WARMUP_SHARE = 0.25

# Weights are averaged over at most this share of the steps, or a short training would end with
# much of what it began with.
AVERAGE_SHARE = 0.1


def build_optimizer(model: Any, config: TrainConfig, steps_per_epoch: int) -> Any:
    """Return the tf_keras optimizer of a training, with its rate's schedule, built for a model."""
    total_steps = steps_per_epoch * config.epochs
    rate: Any = config.learning_rate
    averaging: dict[str, Any] = {}
    if config.average_epochs > 0:
        steps = min(steps_per_epoch * config.average_epochs, total_steps * AVERAGE_SHARE)
        momentum = 1 - 1 / max(steps, 1)
        averaging = {"use_ema": True, "ema_momentum": momentum}
    if config.schedule != "constant":
        warmup = round(total_steps * WARMUP_SHARE) if config.schedule == "one-cycle" else 0
        rate = _WarmupCosine(config.learning_rate, warmup, total_steps)
    if config.optimizer == "adamw":
        optimizer = tf_keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **averaging)
        # Decay shrinks weights; on biases and batch normalisation it only does harm.
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    else:
        optimizer = tf_keras.optimizers.Adam(rate, **averaging)
    if config.mixed_precision:
        optimizer = tf_keras.mixed_precision.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


def take_averages(model: Any, optimizer: Any) -> None:
    """Put the averages of a model's weights over the last epochs in their place."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of mixed precision
    optimizer.finalize_variable_values(model.trainable_variables)


class _WarmupCosine(tf_keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A half cosine up to the peak and one down to zero."""

    def __init__(self, peak: float, warmup_steps: int, total_steps: int) -> None:
        self.peak, self.warmup_steps, self.total_steps = peak, warmup_steps, total_steps

    def __call__(self, step: Any) -> Any:
        step = tf.cast(step, tf.float32)
        up = step / max(self.warmup_steps, 1)
        down = (step - self.warmup_steps) / max(self.total_steps - self.warmup_steps, 1)
        phase = tf.where(step < self.warmup_steps, 1.0 - up, tf.minimum(down, 1.0))
        return self.peak * 0.5 * (1.0 + tf.cos(math.pi * phase))
