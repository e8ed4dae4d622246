"""Attention by class: each class looks at the frames that it knows itself by. Beyond the paper.

"[Kong]" is Kong, Xu, Wang and Plumbley, "Audio Set Classification with Attention Model: A Probabilistic Perspective",
ICASSP 2018 (arXiv 1711.00927).
"""

import keras
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers.frames import sampled_frames, video_inputs
from yt8m.layers.head import OUTPUT, drop_inputs, hidden_layers, input_norm
from yt8m.models.attention import Arguments


@keras.saving.register_keras_serializable("yt8m")
class ClassAttention(keras.layers.Layer):
    """`p_c = sum_t a_tc sigmoid(x_t W_c + b_c)`, `a_c = softmax_t(x_t V_c)` over a video's frames ([Kong], eq. 10).

    (B, T, C) scores are held: of 300 frames and 3862 classes 4.6 MB a video.

    Args:
        units: C.
        l2: the penalty is `l2/2 |w|^2` on both kernels.

    Call arguments: x (B, T, D), mask (B, T) bool. Output shape: (B, C) in [0, 1], float32 whatever the compute type.
    """

    def __init__(self, units: int, l2: float, **kwargs):
        super().__init__(**kwargs)
        self.units, self.l2 = units, l2

    def build(self, x_shape, mask_shape=None):
        def kernel(name):
            penalty = keras.regularizers.L2(self.l2 / 2) if self.l2 else None
            return self.add_weight((x_shape[-1], self.units), "glorot_uniform", name=name, regularizer=penalty)

        self.kernel, self.attention_kernel = kernel("kernel"), kernel("attention_kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def call(self, x, mask):
        scores = ops.sigmoid(ops.cast(ops.matmul(x, self.kernel) + self.bias, "float32"))
        attention = ops.cast(ops.matmul(x, self.attention_kernel), "float32")
        attention = ops.where(mask[..., None], attention, -1e9)  # not a softmax: Keras warns of one over one frame
        attention = ops.exp(attention - ops.max(attention, axis=1, keepdims=True))
        return ops.sum(attention * scores, axis=1) / ops.sum(attention, axis=1)

    def compute_output_spec(self, x, mask):
        return keras.KerasTensor((x.shape[0], self.units), "float32")

    def get_config(self):
        return super().get_config() | {"units": self.units, "l2": self.l2}


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """A hidden layer on each frame, and attention by class over all."""
    inputs = video_inputs(schema, level)
    x, mask = sampled_frames(inputs, schema, args.frames)
    x = drop_inputs(input_norm(momentum)(x), args.input_dropout)
    x = hidden_layers(x, momentum, [args.hidden], args.dropout)
    return keras.Model(inputs, ClassAttention(schema.classes, args.l2, name=OUTPUT)(x, mask))
