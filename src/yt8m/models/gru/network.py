"""GRU: recurrent layers over all frames in order."""

import keras
from keras import ops

from yt8m.core.schema import Level, Schema
from yt8m.layers.frames import frames_in_order, video_inputs
from yt8m.layers.head import drop_inputs, experts
from yt8m.models.gru import Arguments


@keras.saving.register_keras_serializable("yt8m")
class GRUCell(keras.layers.Layer):
    """`z, r = sigmoid(x + h U)`, `c = tanh(x_c + (r h) U_c)`, `h' = z h + (1 - z) c`, as TensorFlow's GRUCell.

    The reset gate acts before the product with U_c. Keras's own cell can do so (`reset_after=False`), but cuts one
    kernel into U and U_c inside the loop over frames, and TensorFlow keeps 300 copies for the gradient: 10 GB at the
    paper's size. For the same reason the products of the inputs are not the cell's, and it is float32 (no casts).

    Args:
        units: H.

    Input shape: (B, 3 * H), the frame's products for update, reset and candidate. Output shape: (B, H).
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        gates, candidate = (
            keras.initializers.Orthogonal(gain=(part / 3) ** 0.5) for part in (2, 1)
        )  # as if cut from one
        self.gate_kernel = self.add_weight((self.units, 2 * self.units), gates, name="gate_kernel")
        self.candidate_kernel = self.add_weight((self.units, self.units), candidate, name="candidate_kernel")

    def call(self, inputs, states):
        (state,), (gate_inputs, candidate_inputs) = states, ops.split(inputs, [2 * self.units], axis=-1)
        update, reset = ops.split(ops.sigmoid(gate_inputs + ops.matmul(state, self.gate_kernel)), 2, axis=-1)
        new = ops.tanh(candidate_inputs + ops.matmul(reset * state, self.candidate_kernel))
        state = update * state + (1 - update) * new
        return state, [state]

    def get_config(self):
        config = super().get_config()
        del config["dtype"]
        return config | {"units": self.units}


@keras.saving.register_keras_serializable("yt8m")
class OpenGates(keras.initializers.Initializer):
    """Biases of a frame's products: 1 for both gates and 0 for the candidate, as TensorFlow 1's GRUCell starts.

    So a state is kept for longer in the beginning: three quarters of it at each frame in place of a half.
    """

    def __call__(self, shape, dtype=None):
        units = shape[0] // 3
        return ops.concatenate([ops.ones((2 * units,), dtype), ops.zeros((units,), dtype)])


def build(schema: Schema, level: Level, momentum: float, args: Arguments) -> keras.Model:
    """GRU (Table 1): the final states of all layers, side by side, into the experts."""
    inputs = video_inputs(schema, level)
    x, mask = frames_in_order(inputs, schema, level)
    x = drop_inputs(x, args.input_dropout)
    states = []
    for index in range(args.layers):
        products = keras.layers.Dense(3 * args.units, bias_initializer=OpenGates(), name=f"inputs_{index}")
        x = products(x)  # of all frames at once
        cell = GRUCell(args.units, name="cell")
        recurrent = keras.layers.RNN(
            cell, return_sequences=True, return_state=True, dtype="float32", name=f"gru_{index}"
        )
        x, state = recurrent(x, mask=mask)
        states.append(state)
    return keras.Model(inputs, experts(ops.concatenate(states, axis=-1), schema, args))
