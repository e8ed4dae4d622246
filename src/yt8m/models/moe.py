"""Mixture of experts on the mean of a video's frames: the video-level model."""

import keras
from keras import ops

from yt8m.arguments import Experts
from yt8m.layers.frames import frames_in_order, video_inputs
from yt8m.layers.head import experts, input_norm
from yt8m.schema import Level, Schema


def build(schema: Schema, level: Level, momentum: float, args: Experts) -> keras.Model:
    """Video-level MoE (section 3.1): of a video-level record the mean is the one frame it has."""
    inputs = video_inputs(schema, level)
    x, mask = frames_in_order(inputs, schema, level)
    length = ops.maximum(ops.sum(ops.cast(mask, x.dtype), axis=1), 1.0)
    x = ops.sum(x, axis=1) / length[:, None]
    return keras.Model(inputs, experts(input_norm(momentum)(x), schema, args))
