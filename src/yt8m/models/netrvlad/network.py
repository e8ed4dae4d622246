"""Gated NetRVLAD: NetVLAD without centres."""

import keras

from yt8m.core.schema import Level, Schema
from yt8m.layers.assignment import Pooling, descriptors, weighted_sums
from yt8m.layers.head import gated_pooling
from yt8m.models.netrvlad import Arguments


@keras.saving.register_keras_serializable("yt8m")
class NetRVLAD(Pooling):
    """`V_k = sum_t a_tk x_t`, L2 over D for each cluster, then over the whole vector ([9], section 3).

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, K * D).
    """

    def call(self, x, mask, training=False):
        return descriptors(weighted_sums(self.assignment(x, mask, training=training), x))

    def output_size(self, size: int) -> int:
        return self.clusters * size


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Gated NetRVLAD (Table 1)."""
    return gated_pooling(schema, level, momentum, args, NetRVLAD)
