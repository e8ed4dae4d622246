"""GRU against the recurrence in numpy."""

import keras
import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny
from yt8m.layers.head import OUTPUT
from yt8m.models.gru.network import GRUCell


def recurrence(frames, product, cell):
    """Every state; the reset gate acts on the state before the matrix product."""
    kernel, bias = reference.of(product.kernel), reference.of(product.bias)
    gates, to_candidate = reference.of(cell.gate_kernel), reference.of(cell.candidate_kernel)
    n = cell.units
    state, states = np.zeros(n), []
    for frame in frames:
        x = frame @ kernel + bias
        z = reference.sigmoid(x[:n] + state @ gates[:, :n])
        r = reference.sigmoid(x[n : 2 * n] + state @ gates[:, n:])
        new = np.tanh(x[2 * n :] + (r * state) @ to_candidate)
        state = z * state + (1 - z) * new
        states.append(state)
    return np.array(states)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_experts_see_each_layers_state_at_the_videos_last_frame(layers):
    model, inputs = tiny.randomized("gru", layers=layers), tiny.batch((1, 4, 7))
    experts = model.get_layer(OUTPUT)
    states, scores = keras.Model(model.inputs, [experts.input, model.output])(inputs)
    for row in range(3):
        x, last = forward.frames(inputs, row, tiny.SCHEMA), []
        for index in range(layers):
            x = recurrence(x, model.get_layer(f"inputs_{index}"), model.get_layer(f"gru_{index}").cell)
            last.append(x[-1])
        expected = np.concatenate(last)
        np.testing.assert_allclose(states[row], expected, atol=1e-5)
        np.testing.assert_allclose(scores[row], reference.experts(expected, experts), atol=1e-5)


def test_the_cell_is_kerass_with_the_reset_before_the_product():
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    state = np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32)
    own, other = GRUCell(2), keras.layers.GRUCell(2, reset_after=False)
    own(x, [state])
    reference.randomize(own)
    other.build(x.shape)
    kernel = np.concatenate([own.gate_kernel, own.candidate_kernel], axis=1)
    other.set_weights([np.eye(6), kernel, np.zeros(6)])
    np.testing.assert_allclose(own(x, [state])[0], other(x, [state])[0], atol=1e-6)


def test_both_gates_start_open():
    """As TensorFlow 1's cell; the candidate's bias starts at 0."""
    model = tiny.new("gru", layers=2)
    for index in range(2):
        units = model.get_layer(f"gru_{index}").cell.units
        bias = np.asarray(model.get_layer(f"inputs_{index}").bias)
        assert bias.tolist() == [1.0] * 2 * units + [0.0] * units
