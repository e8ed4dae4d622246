"""Hidden layers on the mean of a video's frames: the plain classifier that others are measured against."""

import keras

from yt8m.core.schema import Level, Schema
from yt8m.layers.frames import mean_frame, video_inputs
from yt8m.layers.head import drop_inputs, hidden_layers, input_norm, sigmoids
from yt8m.models.mlp import Arguments


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Hidden layers, then a sigmoid for each class."""
    inputs = video_inputs(schema, level)
    x = drop_inputs(input_norm(momentum)(mean_frame(inputs, schema, level)), args.input_dropout)
    return keras.Model(inputs, sigmoids(hidden_layers(x, momentum, args.hidden, args.dropout), schema, args.l2))
