"""Soft assignment of frames to clusters, and the bag of words that its sum is."""

import keras
from keras import ops

from yt8m.layers.frames import l2_normalize
from yt8m.layers.initializers import inverse_sqrt


@keras.saving.register_keras_serializable("yt8m")
class SoftAssignment(keras.layers.Layer):
    """`a = softmax(BN(x W))`, zero for padding ([9], section 3; W ~ N(0, 1/sqrt(D)), no bias).

    Args:
        clusters: K.
        momentum: of the batch norm's moving statistics.

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, T, K).
    """

    def __init__(self, clusters: int, momentum: float, **kwargs):
        super().__init__(**kwargs)
        self.clusters, self.momentum = clusters, momentum
        self.norm = keras.layers.BatchNormalization(momentum=momentum, epsilon=1e-3, name="norm")

    def build(self, x_shape, mask_shape=None):
        self.kernel = self.add_weight((x_shape[-1], self.clusters), inverse_sqrt(x_shape[-1]), name="kernel")
        self.norm.build((*x_shape[:-1], self.clusters))

    def call(self, x, mask, training=False):
        assignment = ops.softmax(self.norm(ops.matmul(x, self.kernel), training=training), axis=-1)
        return assignment * ops.cast(mask, assignment.dtype)[..., None]

    def compute_output_shape(self, x_shape, mask_shape=None):
        return (*x_shape[:-1], self.clusters)

    def get_config(self):
        return super().get_config() | {"clusters": self.clusters, "momentum": self.momentum}


@keras.saving.register_keras_serializable("yt8m")
class SoftDBoW(keras.layers.Layer):
    """`L2(sum_t a_t)`: how much of a video each cluster holds ([9], section 3).

    Args:
        clusters: K.
        momentum: of the assignment's batch norm.

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, K).
    """

    def __init__(self, clusters: int, momentum: float, **kwargs):
        super().__init__(**kwargs)
        self.clusters, self.momentum = clusters, momentum
        self.assignment = SoftAssignment(clusters, momentum, name="assignment")

    def build(self, x_shape, mask_shape=None):
        self.assignment.build(x_shape)

    def call(self, x, mask, training=False):
        return l2_normalize(ops.sum(self.assignment(x, mask, training=training), axis=1))

    def compute_output_shape(self, x_shape, mask_shape=None):
        return (x_shape[0], self.clusters)

    def get_config(self):
        return super().get_config() | {"clusters": self.clusters, "momentum": self.momentum}
