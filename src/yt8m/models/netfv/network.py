"""Gated NetFV: first and second order statistics of frames under learnt Gaussians."""

import keras
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers.assignment import Pooling, descriptors, total, weighted_sums
from yt8m.layers.head import gated_pooling
from yt8m.layers.initializers import inverse_sqrt
from yt8m.layers.normalization import l2_normalize
from yt8m.models.netfv import Arguments


@keras.saving.register_keras_serializable("yt8m")
class NetFV(Pooling):
    """Fisher vectors with centres not tied to the assignment ([9], section 3).

    With `sigma = s^2 + 1e-6`: FV1 = `sum a (x - c) / sigma`, L2 for each cluster, then whole; FV2 =
    `(sum a x^2 - 2 c sum a x + c^2 sum a) / sigma^2 - sum a`, L2 as a whole only; FV1 and FV2 side by side.

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, 2 * K * D).
    """

    def build(self, x_shape, mask_shape=None):
        shape = (self.clusters, x_shape[-1])
        self.centres = self.add_weight(shape, inverse_sqrt(x_shape[-1]), name="centres")
        self.scales = self.add_weight(shape, inverse_sqrt(x_shape[-1], mean=1.0), name="scales")
        super().build(x_shape)

    def call(self, x, mask, training=False):
        a = self.assignment(x, mask, training=training)  # (B, T, K)
        mass = total(a)[..., None]  # (B, K, 1)
        first, second = weighted_sums(a, x), weighted_sums(a, ops.square(x))  # (B, K, D)
        sigma, c = ops.square(self.scales) + 1e-6, self.centres
        fv1 = (first - mass * c) / sigma
        fv2 = (second - 2 * c * first + ops.square(c) * mass) / ops.square(sigma) - mass
        fv2 = ops.reshape(fv2, (-1, self.clusters * x.shape[-1]))
        return ops.concatenate([descriptors(fv1), l2_normalize(fv2)], axis=-1)

    def output_size(self, size: int) -> int:
        return 2 * self.clusters * size


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Gated NetFV (Table 1)."""
    return gated_pooling(schema, level, momentum, args, NetFV)
