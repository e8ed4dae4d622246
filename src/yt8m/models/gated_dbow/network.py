"""Gated soft-DBoW: a soft bag of words whose clusters gate each other, for the primary feature."""

import keras
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers import head
from yt8m.layers.assignment import Pooling, SoftDBoW, total
from yt8m.layers.initializers import inverse_sqrt
from yt8m.layers.normalization import batch_norm, l2_normalize
from yt8m.models.gated_dbow import Arguments


@keras.saving.register_keras_serializable("yt8m")
class GatedSoftDBoW(Pooling):
    """`L2(sigmoid(BN(m R V)) * s)` with `m = L2(max_t a_t)`, `s = sum_t a_t` ([9], section 4).

    The maximum is over the frames that are seen: the sampled ones in training, all of a video at inference, where [9]
    samples again. Of more frames it is larger for all clusters, which the L2 norm takes out in part.

    Args:
        clusters: K.
        momentum: of both batch norms.
        rank: columns of R (K x rank) and rows of V.

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, K).
    """

    def __init__(self, clusters: int, momentum: float, rank: int, **kwargs):
        super().__init__(clusters, momentum, **kwargs)
        self.rank = rank
        self.norm = batch_norm(momentum)

    def build(self, x_shape, mask_shape=None):
        super().build(x_shape)
        self.reduce = self.add_weight((self.clusters, self.rank), inverse_sqrt(self.clusters), name="reduce_kernel")
        self.expand = self.add_weight((self.rank, self.clusters), inverse_sqrt(self.rank), name="expand_kernel")
        self.norm.build((x_shape[0], self.clusters))

    def call(self, x, mask, training=False):
        a = self.assignment(x, mask, training=training)  # (B, T, K), zero where masked and never negative
        strongest = l2_normalize(ops.max(a, axis=1))
        gate = ops.matmul(ops.matmul(strongest, self.reduce), self.expand)
        return l2_normalize(ops.sigmoid(self.norm(gate, training=training)) * total(a))

    def output_size(self, size: int) -> int:
        return self.clusters

    def get_config(self):
        return super().get_config() | {"rank": self.rank}


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Gated soft-DBoW (Table 1): the primary feature's clusters are gated, no probability gate."""

    def pool(feature, name):
        if feature == schema.primary:
            return GatedSoftDBoW(args.clusters[feature], momentum, args.rank, name=name)
        return SoftDBoW(args.clusters[feature], momentum, name=name)

    inputs, x = head.pooled_features(schema, level, momentum, args, pool)
    return keras.Model(inputs, head.experts(head.hidden_layer(x, schema, args), schema, args))
