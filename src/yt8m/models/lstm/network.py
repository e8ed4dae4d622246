"""LSTM: recurrent layers over all frames in order."""

import keras
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers.frames import frames_in_order, video_inputs
from yt8m.layers.head import drop_inputs, experts
from yt8m.models.lstm import Arguments


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """LSTM (Table 1): the final (cell, output) states of all layers, side by side, into the experts."""
    inputs = video_inputs(schema, level)
    x, mask = frames_in_order(inputs, schema, level)
    x = drop_inputs(x, args.input_dropout)
    states = []
    for index in range(args.layers):
        # Keras's default bias of 1 for the forget gate is [9]'s forget_bias. Float32: a cast of the kernel inside the
        # loop would be kept for each frame, 20 GB at the paper's size.
        recurrent = keras.layers.LSTM(
            args.units, return_sequences=True, return_state=True, dtype="float32", name=f"lstm_{index}"
        )
        x, output, cell = recurrent(x, mask=mask)
        states += [cell, output]
    return keras.Model(inputs, experts(ops.concatenate(states, axis=-1), schema, args))
