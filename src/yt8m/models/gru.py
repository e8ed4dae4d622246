"""GRU: recurrent layers over all frames in order."""

import keras
from keras import ops

from yt8m.arguments import Recurrent
from yt8m.layers.frames import frames_in_order, video_inputs
from yt8m.layers.head import experts
from yt8m.schema import Level, Schema


def build(schema: Schema, level: Level, momentum: float, args: Recurrent) -> keras.Model:
    """GRU (Table 1): the final states of all layers, side by side, into the experts."""
    inputs = video_inputs(schema, level)
    x, mask = frames_in_order(inputs, schema, level)
    states = []
    for index in range(args.layers):
        # reset_after=False: the reset gate acts before the matrix product, as in TensorFlow's GRUCell.
        recurrent = keras.layers.GRU(
            args.units, return_sequences=True, return_state=True, reset_after=False, name=f"gru_{index}"
        )
        x, state = recurrent(x, mask=mask)
        states.append(state)
    return keras.Model(inputs, experts(ops.concatenate(states, axis=-1), schema, args))
