"""Context gating (eq. 1)."""

import keras
from keras import ops

from yt8m.layers.initializers import inverse_sqrt
from yt8m.layers.normalization import batch_norm


@keras.saving.register_keras_serializable("yt8m")
class ContextGate(keras.layers.Layer):
    """`x * sigmoid(BN(x W))`, W ~ N(0, 1/sqrt(H)) (eq. 1); on class probabilities it is the probability gate.

    Args:
        momentum: of the batch norm's moving statistics.

    Input shape: (B, H). Output shape: (B, H).
    """

    def __init__(self, momentum: float, **kwargs):
        super().__init__(autocast=False, **kwargs)  # probabilities stay float32
        self.momentum = momentum
        self.norm = batch_norm(momentum)

    def build(self, input_shape):
        size = input_shape[-1]
        self.kernel = self.add_weight((size, size), inverse_sqrt(size), name="kernel")
        self.norm.build(input_shape)

    def call(self, x, training=False):
        product = ops.matmul(ops.cast(x, self.compute_dtype), ops.cast(self.kernel, self.compute_dtype))
        return x * ops.cast(ops.sigmoid(self.norm(product, training=training)), x.dtype)

    def compute_output_spec(self, x, training=False):
        return keras.KerasTensor(x.shape, x.dtype)

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum}
