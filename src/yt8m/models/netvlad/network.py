"""Gated NetVLAD: residuals of frames to learnt centres."""

import keras

from yt8m.core.schema import Level, Schema
from yt8m.layers.assignment import Pooling, descriptors, total, weighted_sums
from yt8m.layers.head import gated_pooling
from yt8m.layers.initializers import inverse_sqrt
from yt8m.models.netvlad import Arguments


@keras.saving.register_keras_serializable("yt8m")
class NetVLAD(Pooling):
    """`V_k = sum_t a_tk (x_t - c_k)`, L2 over D for each cluster, then over the whole vector ([9], section 3).

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, K * D).
    """

    def build(self, x_shape, mask_shape=None):
        self.centres = self.add_weight((self.clusters, x_shape[-1]), inverse_sqrt(x_shape[-1]), name="centres")
        super().build(x_shape)

    def call(self, x, mask, training=False):
        a = self.assignment(x, mask, training=training)  # (B, T, K)
        return descriptors(weighted_sums(a, x) - total(a)[..., None] * self.centres)

    def output_size(self, size: int) -> int:
        return self.clusters * size


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Gated NetVLAD (Table 1)."""
    return gated_pooling(schema, level, momentum, args, NetVLAD)
