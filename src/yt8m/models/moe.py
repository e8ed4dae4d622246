"""Mixture of experts on the mean of a video's frames: the video-level model."""

import keras
from keras import ops
from pydantic import NonNegativeFloat, PositiveInt

from yt8m.layers.frames import frames_in_order, video_inputs
from yt8m.layers.head import experts
from yt8m.schema import Level, Schema


def build(schema: Schema, level: Level, *, momentum: float, mixtures: PositiveInt, l2: NonNegativeFloat) -> keras.Model:
    """Video-level MoE (section 3.1): of a video-level record the mean is the one frame it has."""
    inputs = video_inputs(schema, level)
    x, mask = frames_in_order(inputs, schema, level)
    length = ops.maximum(ops.sum(ops.cast(mask, x.dtype), axis=1), 1.0)
    x = ops.sum(x, axis=1) / length[:, None]
    x = keras.layers.BatchNormalization(momentum=momentum, epsilon=1e-3, name="input_norm")(x)
    return keras.Model(inputs, experts(x, schema.classes, mixtures, l2))
