"""Gated NetFV: first and second order statistics of frames under learnt Gaussians."""

import keras
from keras import ops
from pydantic import NonNegativeFloat, PositiveInt

from yt8m.layers.assignment import SoftAssignment
from yt8m.layers.frames import l2_normalize
from yt8m.layers.head import gated_classifier, pooled_features
from yt8m.layers.initializers import inverse_sqrt
from yt8m.schema import Level, Schema


@keras.saving.register_keras_serializable("yt8m")
class NetFV(keras.layers.Layer):
    """Fisher vectors with centres not tied to the assignment ([9], section 3).

    With `sigma = s^2 + 1e-6`: FV1 = `sum a (x - c) / sigma`, L2 for each cluster, then whole; FV2 =
    `(sum a x^2 - 2 c sum a x + c^2 sum a) / sigma^2 - sum a`, L2 as a whole only; FV1 and FV2 side by side.

    Args:
        clusters: K.
        momentum: of the assignment's batch norm.

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, 2 * K * D).
    """

    def __init__(self, clusters: int, momentum: float, **kwargs):
        super().__init__(**kwargs)
        self.clusters, self.momentum = clusters, momentum
        self.assignment = SoftAssignment(clusters, momentum, name="assignment")

    def build(self, x_shape, mask_shape=None):
        shape = (self.clusters, x_shape[-1])
        self.centres = self.add_weight(shape, inverse_sqrt(x_shape[-1]), name="centres")
        self.scales = self.add_weight(shape, inverse_sqrt(x_shape[-1], mean=1.0), name="scales")
        self.assignment.build(x_shape)

    def call(self, x, mask, training=False):
        a = self.assignment(x, mask, training=training)  # (B, T, K)
        mass = ops.sum(a, axis=1)[..., None]  # (B, K, 1)
        a = ops.transpose(a, (0, 2, 1))
        first, second = ops.matmul(a, x), ops.matmul(a, ops.square(x))  # (B, K, D)
        sigma, c = ops.square(self.scales) + 1e-6, self.centres
        fv1 = (first - mass * c) / sigma
        fv2 = (second - 2 * c * first + ops.square(c) * mass) / ops.square(sigma) - mass
        size = self.clusters * x.shape[-1]
        fv1, fv2 = ops.reshape(l2_normalize(fv1), (-1, size)), ops.reshape(fv2, (-1, size))
        return ops.concatenate([l2_normalize(fv1), l2_normalize(fv2)], axis=-1)

    def compute_output_shape(self, x_shape, mask_shape=None):
        return (x_shape[0], 2 * self.clusters * x_shape[-1])

    def get_config(self):
        return super().get_config() | {"clusters": self.clusters, "momentum": self.momentum}


def build(
    schema: Schema,
    level: Level,
    *,
    momentum: float,
    frames: PositiveInt,
    clusters: dict[str, PositiveInt],
    hidden: PositiveInt,
    mixtures: PositiveInt,
    l2: NonNegativeFloat,
) -> keras.Model:
    """Gated NetFV (Table 1)."""
    inputs, x = pooled_features(
        schema, level, frames, momentum, lambda name: NetFV(clusters[name], momentum, name=f"fv_{name}")
    )
    return keras.Model(inputs, gated_classifier(x, schema, momentum, hidden, clusters[schema.primary], mixtures, l2))
