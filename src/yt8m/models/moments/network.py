"""Hidden layers on the mean, the standard deviation and the maximum of a video's frames. Beyond the paper."""

import keras
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers.frames import frames_in_order, mean_over, video_inputs
from yt8m.layers.head import drop_inputs, hidden_layers, input_norm, sigmoids
from yt8m.models.moments import Arguments

EPSILON = 1e-6  # of variances: the root has no gradient at 0


@keras.saving.register_keras_serializable("yt8m")
class Moments(keras.layers.Layer):
    """Mean, standard deviation and maximum over a video's frames, side by side; zeros of a video without any.

    Call arguments: x (B, T, D); mask (B, T) bool. Output shape: (B, 3 * D), float32.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs | {"dtype": "float32"})

    def call(self, x, mask):
        mean = mean_over(x, mask)
        variance = mean_over(ops.square(x - mean[:, None]), mask)
        highest = ops.max(ops.where(mask[..., None], x, -2.0), axis=1)  # frames have length 1
        moments = ops.concatenate([mean, ops.sqrt(variance + EPSILON), highest], axis=-1)
        return ops.where(ops.any(mask, axis=1)[:, None], moments, 0.0)

    def compute_output_shape(self, x_shape, mask_shape=None):
        return (x_shape[0], 3 * x_shape[-1])


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """The MLP, which sees three times as much of a video; of one frame, mean and maximum are the same."""
    inputs = video_inputs(schema, level)
    x = Moments(name="moments")(*frames_in_order(inputs, schema, level))
    x = drop_inputs(input_norm(momentum)(x), args.input_dropout)
    return keras.Model(inputs, sigmoids(hidden_layers(x, momentum, args.hidden, args.dropout), schema, args.l2))
