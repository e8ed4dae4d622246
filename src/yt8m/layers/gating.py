"""Context gating (eq. 1)."""

import keras
from keras import ops

from yt8m.layers.initializers import inverse_sqrt


@keras.saving.register_keras_serializable("yt8m")
class ContextGate(keras.layers.Layer):
    """`x * sigmoid(BN(x W))`, W ~ N(0, 1/sqrt(H)) (eq. 1); on class probabilities it is the probability gate.

    Args:
        momentum: of the batch norm's moving statistics.

    Input shape: (B, H). Output shape: (B, H).
    """

    def __init__(self, momentum: float, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.norm = keras.layers.BatchNormalization(momentum=momentum, epsilon=1e-3, name="norm")

    def build(self, input_shape):
        size = input_shape[-1]
        self.kernel = self.add_weight((size, size), inverse_sqrt(size), name="kernel")
        self.norm.build(input_shape)

    def call(self, x, training=False):
        return x * ops.sigmoid(self.norm(ops.matmul(x, self.kernel), training=training))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum}
