"""Gated soft-DBoW: a soft bag of words whose clusters gate each other, for the primary feature."""

import keras
from keras import ops
from pydantic import NonNegativeFloat, PositiveInt

from yt8m.layers import head
from yt8m.layers.assignment import SoftAssignment, SoftDBoW
from yt8m.layers.frames import l2_normalize
from yt8m.layers.initializers import inverse_sqrt
from yt8m.schema import Level, Schema


@keras.saving.register_keras_serializable("yt8m")
class GatedSoftDBoW(keras.layers.Layer):
    """`L2(sigmoid(BN(m R V)) * s)` with `m = L2(max_t a_t)`, `s = sum_t a_t` ([9], section 4).

    Args:
        clusters: K.
        rank: columns of R (K x rank) and rows of V.
        momentum: of both batch norms.

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, K).
    """

    def __init__(self, clusters: int, rank: int, momentum: float, **kwargs):
        super().__init__(**kwargs)
        self.clusters, self.rank, self.momentum = clusters, rank, momentum
        self.assignment = SoftAssignment(clusters, momentum, name="assignment")
        self.norm = keras.layers.BatchNormalization(momentum=momentum, epsilon=1e-3, name="norm")

    def build(self, x_shape, mask_shape=None):
        self.assignment.build(x_shape)
        self.reduce = self.add_weight((self.clusters, self.rank), inverse_sqrt(self.clusters), name="reduce_kernel")
        self.expand = self.add_weight((self.rank, self.clusters), inverse_sqrt(self.rank), name="expand_kernel")
        self.norm.build((x_shape[0], self.clusters))

    def call(self, x, mask, training=False):
        a = self.assignment(x, mask, training=training)  # (B, T, K), zero where masked and never negative
        strongest = l2_normalize(ops.max(a, axis=1))
        gate = ops.matmul(ops.matmul(strongest, self.reduce), self.expand)
        return l2_normalize(ops.sigmoid(self.norm(gate, training=training)) * ops.sum(a, axis=1))

    def compute_output_shape(self, x_shape, mask_shape=None):
        return (x_shape[0], self.clusters)

    def get_config(self):
        return super().get_config() | {"clusters": self.clusters, "rank": self.rank, "momentum": self.momentum}


def build(
    schema: Schema,
    level: Level,
    *,
    momentum: float,
    frames: PositiveInt,
    clusters: dict[str, PositiveInt],
    rank: PositiveInt,
    hidden: PositiveInt,
    mixtures: PositiveInt,
    l2: NonNegativeFloat,
) -> keras.Model:
    """Gated soft-DBoW (Table 1): the primary feature's clusters are gated, no probability gate."""

    def pool(name):
        if name == schema.primary:
            return GatedSoftDBoW(clusters[name], rank, momentum, name=f"gated_dbow_{name}")
        return SoftDBoW(clusters[name], momentum, name=f"dbow_{name}")

    inputs, x = head.pooled_features(schema, level, frames, momentum, pool)
    x = head.hidden_layer(x, hidden, clusters[schema.primary])
    return keras.Model(inputs, head.experts(x, schema.classes, mixtures, l2))
