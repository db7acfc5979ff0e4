"""Training in mixed precision: what the device computes quickly, in weights of float32."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tf_keras

from edge_mnist.training.config import TrainConfig
from edge_mnist.training.device import find_mixed_policy


def build_in_precision(build: Callable[[], Any], config: TrainConfig) -> Any:
    """Build a model that computes in the precision of a training, with weights by its seed."""
    tf_keras.utils.set_random_seed(config.seed)
    if not config.mixed_precision:
        return build()
    tf_keras.mixed_precision.set_global_policy(find_mixed_policy())
    try:
        return build()
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")


def as_float32(model: Any, build: Callable[[], Any], config: TrainConfig) -> Any:
    """Return a trained model free of mixed precision, for whoever loads or converts it."""
    if not config.mixed_precision:
        return model
    plain = build()
    plain.set_weights(model.get_weights())
    return plain


def take_step(
    model: Any, optimizer: Any, batch: Any, compute_loss: Callable[[Any], Any], config: TrainConfig
) -> tuple[Any, Any]:
    """Fit a model to a batch; to be called in a compiled graph.

    Args:
        model: From `build_in_precision`.
        optimizer: From `build_optimizer`, of the same configuration.
        batch: float32, what the model takes.
        compute_loss: From the logits, float32, to a scalar.
        config: The training's.

    Returns:
        The logits and the loss, both float32.
    """
    with tf.GradientTape() as tape:
        logits = tf.cast(model(batch, training=True), tf.float32)
        loss = compute_loss(logits)
        scaled = optimizer.get_scaled_loss(loss) if config.mixed_precision else loss
    gradients = tape.gradient(scaled, model.trainable_variables)
    if config.mixed_precision:
        gradients = optimizer.get_unscaled_gradients(gradients)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return logits, loss
