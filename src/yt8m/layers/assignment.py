"""Soft assignment of frames to clusters, what pools with it, and the bag of words that its sum is."""

import keras
from keras import ops

from yt8m.layers.initializers import inverse_sqrt
from yt8m.layers.normalization import batch_norm, l2_normalize


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
        self.norm = batch_norm(momentum)

    def build(self, x_shape, mask_shape=None):
        self.kernel = self.add_weight((x_shape[-1], self.clusters), inverse_sqrt(x_shape[-1]), name="kernel")
        self.norm.build((*x_shape[:-1], self.clusters))

    def call(self, x, mask, training=False):
        a = ops.softmax(self.norm(ops.matmul(x, self.kernel), training=training), axis=-1)
        return ops.cast(a * ops.cast(mask, a.dtype)[..., None], x.dtype)

    def compute_output_shape(self, x_shape, mask_shape=None):
        return (*x_shape[:-1], self.clusters)

    def get_config(self):
        return super().get_config() | {"clusters": self.clusters, "momentum": self.momentum}


class Pooling(keras.layers.Layer):
    """What all layers that pool by soft assignment share; `call(x, mask, training)` is the subclass's.

    Products with all frames are taken in the compute type; what is made of their sums is float32, and small.

    Args:
        clusters: K.
        momentum: of the batch norms' moving statistics.
    """

    def __init__(self, clusters: int, momentum: float, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.clusters, self.momentum = clusters, momentum
        self.assignment = SoftAssignment(clusters, momentum, name="assignment")

    def build(self, x_shape, mask_shape=None):
        self.assignment.build(x_shape)

    def output_size(self, size: int) -> int:
        """Length of the vector that pools frames of `size`."""
        raise NotImplementedError

    def compute_output_spec(self, x, mask, training=False):
        return keras.KerasTensor((x.shape[0], self.output_size(x.shape[-1])), "float32")

    def get_config(self):
        return super().get_config() | {"clusters": self.clusters, "momentum": self.momentum}


@keras.saving.register_keras_serializable("yt8m")
class SoftDBoW(Pooling):
    """`L2(sum_t a_t)`: how much of a video each cluster holds ([9], section 3).

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, K).
    """

    def call(self, x, mask, training=False):
        return l2_normalize(total(self.assignment(x, mask, training=training)))

    def output_size(self, size: int) -> int:
        return self.clusters


def weighted_sums(a, x):
    """`sum_t a_tk x_t`, (B, K, D) float32, of an assignment (B, T, K) and frames (B, T, D)."""
    return ops.cast(ops.matmul(ops.transpose(a, (0, 2, 1)), ops.cast(x, a.dtype)), "float32")


def total(a):
    """The sum over frames, (B, K), of an assignment (B, T, K); in float32, for it may have hundreds of terms."""
    return ops.sum(ops.cast(a, "float32"), axis=1)


def descriptors(sums):
    """L2 over D for each of (B, K, D) clusters, then over the whole vector, (B, K * D) ([9], "intra-normalisation")."""
    return l2_normalize(ops.reshape(l2_normalize(sums), (-1, sums.shape[1] * sums.shape[2])))
