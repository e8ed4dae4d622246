"""GRU against the recurrence in numpy."""

import keras
import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny


def recurrence(frames, cell):
    """Every state; the reset gate acts on the state before the matrix product."""
    kernel, recurrent, bias = (reference.of(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias))
    n = cell.units
    update, reset, candidate = slice(0, n), slice(n, 2 * n), slice(2 * n, 3 * n)
    state, states = np.zeros(n), []
    for frame in frames:
        x = frame @ kernel + bias
        z = reference.sigmoid(x[update] + state @ recurrent[:, update])
        r = reference.sigmoid(x[reset] + state @ recurrent[:, reset])
        new = np.tanh(x[candidate] + (r * state) @ recurrent[:, candidate])
        state = z * state + (1 - z) * new
        states.append(state)
    return np.array(states)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_experts_see_each_layers_state_at_the_videos_last_frame(layers):
    model, inputs = tiny.randomized("gru", layers=layers), tiny.batch((1, 4, 7))
    experts = model.get_layer("experts")
    states, scores = keras.Model(model.inputs, [experts.input, model.output])(inputs)
    for row in range(3):
        x, last = forward.frames(inputs, row, tiny.SCHEMA), []
        for index in range(layers):
            x = recurrence(x, model.get_layer(f"gru_{index}").cell)
            last.append(x[-1])
        expected = np.concatenate(last)
        np.testing.assert_allclose(states[row], expected, atol=1e-5)
        np.testing.assert_allclose(scores[row], reference.experts(expected, experts), atol=1e-5)
