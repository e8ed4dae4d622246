"""Mixture of experts on the mean of a video's frames: the video-level model."""

import keras

from yt8m.core.schema import Level, Schema
from yt8m.layers.frames import mean_frame, video_inputs
from yt8m.layers.head import drop_inputs, experts, input_norm
from yt8m.models.moe import Arguments


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Video-level MoE (section 3.1): of a video-level record the mean is the one frame it has."""
    inputs = video_inputs(schema, level)
    x = drop_inputs(input_norm(momentum)(mean_frame(inputs, schema, level)), args.input_dropout)
    return keras.Model(inputs, experts(x, schema, args))
