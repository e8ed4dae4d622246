"""Normalisation, in float32 whatever the compute type: its sums have hundreds of terms."""

import keras
from keras import ops


def batch_norm(momentum: float, name: str = "norm") -> keras.layers.BatchNormalization:
    """Batch norm over the last axis with [9]'s epsilon.

    Args:
        momentum: of the moving statistics, which inference uses.
    """
    return keras.layers.BatchNormalization(momentum=momentum, epsilon=1e-3, dtype="float32", name=name)


def l2_normalize(x, axis=-1):
    """`x / |x|` along an axis, float32; zero where `x` is (nearly) zero."""
    x = ops.cast(x, "float32")
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))
