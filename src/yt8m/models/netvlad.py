"""Gated NetVLAD: residuals of frames to learnt centres."""

import keras
from keras import ops
from pydantic import NonNegativeFloat, PositiveInt

from yt8m.layers.assignment import SoftAssignment
from yt8m.layers.frames import l2_normalize
from yt8m.layers.head import gated_classifier, pooled_features
from yt8m.layers.initializers import inverse_sqrt
from yt8m.schema import Level, Schema


@keras.saving.register_keras_serializable("yt8m")
class NetVLAD(keras.layers.Layer):
    """`V_k = sum_t a_tk (x_t - c_k)`, L2 over D for each cluster, then over the whole vector ([9], section 3).

    Args:
        clusters: K.
        momentum: of the assignment's batch norm.

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, K * D).
    """

    def __init__(self, clusters: int, momentum: float, **kwargs):
        super().__init__(**kwargs)
        self.clusters, self.momentum = clusters, momentum
        self.assignment = SoftAssignment(clusters, momentum, name="assignment")

    def build(self, x_shape, mask_shape=None):
        self.centres = self.add_weight((self.clusters, x_shape[-1]), inverse_sqrt(x_shape[-1]), name="centres")
        self.assignment.build(x_shape)

    def call(self, x, mask, training=False):
        a = self.assignment(x, mask, training=training)  # (B, T, K)
        residuals = ops.matmul(ops.transpose(a, (0, 2, 1)), x) - ops.sum(a, axis=1)[..., None] * self.centres
        return l2_normalize(ops.reshape(l2_normalize(residuals), (-1, self.clusters * x.shape[-1])))

    def compute_output_shape(self, x_shape, mask_shape=None):
        return (x_shape[0], self.clusters * x_shape[-1])

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
    """Gated NetVLAD (Table 1)."""
    inputs, x = pooled_features(
        schema, level, frames, momentum, lambda name: NetVLAD(clusters[name], momentum, name=f"vlad_{name}")
    )
    return keras.Model(inputs, gated_classifier(x, schema, momentum, hidden, clusters[schema.primary], mixtures, l2))
