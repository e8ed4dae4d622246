"""Hidden layers on the mean of a video's frames: the plain classifier that others are measured against."""

import keras

from yt8m.core.schema import Level, Schema
from yt8m.layers.frames import mean_frame, video_inputs
from yt8m.layers.head import drop_inputs, input_norm, sigmoids
from yt8m.layers.normalization import batch_norm
from yt8m.models.mlp import Arguments


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """Dense, batch norm, ReLU and dropout for each hidden layer, then a sigmoid for each class."""
    inputs = video_inputs(schema, level)
    x = drop_inputs(input_norm(momentum)(mean_frame(inputs, schema, level)), args.input_dropout)
    for index, units in enumerate(args.hidden):
        x = keras.layers.Dense(units, kernel_initializer="he_normal", name=f"hidden_{index}")(x)
        x = keras.layers.ReLU(name=f"relu_{index}")(batch_norm(momentum, f"norm_{index}")(x))
        x = keras.layers.Dropout(args.dropout, name=f"dropout_{index}")(x)
    return keras.Model(inputs, sigmoids(x, schema, args.l2))
