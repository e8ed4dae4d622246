"""Mixture of experts: the output layer of every family."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("yt8m")
class MixtureOfExperts(keras.layers.Layer):
    """Per class a softmax over M + 1 gates (no bias) times M sigmoid experts (with bias).

    The last gate belongs to a dummy expert that predicts 0. The penalty is `l2/2 |w|^2` on both kernels.

    Args:
        classes: C.
        mixtures: M.
        l2: factor of the penalty.

    Input shape: (B, D). Output shape: (B, C) in [0, 1], float32 whatever the compute type.
    """

    def __init__(self, classes: int, mixtures: int, l2: float, **kwargs):
        super().__init__(**kwargs)
        self.classes, self.mixtures, self.l2 = classes, mixtures, l2

    def build(self, input_shape):
        def kernel(columns, name):
            return self.add_weight(
                (input_shape[-1], columns),
                "glorot_uniform",
                name=name,
                regularizer=keras.regularizers.L2(self.l2 / 2) if self.l2 else None,
            )

        self.gate_kernel = kernel(self.classes * (self.mixtures + 1), "gate_kernel")
        self.expert_kernel = kernel(self.classes * self.mixtures, "expert_kernel")
        self.expert_bias = self.add_weight((self.classes * self.mixtures,), "zeros", name="expert_bias")

    def call(self, x):
        gates = ops.reshape(ops.matmul(x, self.gate_kernel), (-1, self.classes, self.mixtures + 1))
        experts = ops.matmul(x, self.expert_kernel) + self.expert_bias
        experts = ops.reshape(experts, (-1, self.classes, self.mixtures))
        gates, experts = ops.softmax(ops.cast(gates, "float32"), axis=-1), ops.sigmoid(ops.cast(experts, "float32"))
        gates, _ = ops.split(gates, [self.mixtures], axis=-1)  # the last one is for no expert
        return ops.sum(gates * experts, axis=-1)

    def compute_output_spec(self, x):
        return keras.KerasTensor((x.shape[0], self.classes), "float32")

    def get_config(self):
        return super().get_config() | {"classes": self.classes, "mixtures": self.mixtures, "l2": self.l2}
