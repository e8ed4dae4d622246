"""LSTM against the recurrence in numpy."""

import keras
import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny
from yt8m.layers.head import OUTPUT


def recurrence(frames, cell):
    """Every output, and the last cell state."""
    kernel, recurrent, bias = (reference.of(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias))
    output, memory, outputs = np.zeros(cell.units), np.zeros(cell.units), []
    for frame in frames:
        enter, forget, candidate, leave = np.split(frame @ kernel + output @ recurrent + bias, 4)
        memory = reference.sigmoid(forget) * memory + reference.sigmoid(enter) * np.tanh(candidate)
        output = reference.sigmoid(leave) * np.tanh(memory)
        outputs.append(output)
    return np.array(outputs), memory


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_experts_see_each_layers_cell_and_output_at_the_videos_last_frame(layers):
    model, inputs = tiny.randomized("lstm", layers=layers), tiny.batch((1, 4, 7))
    experts = model.get_layer(OUTPUT)
    states, scores = keras.Model(model.inputs, [experts.input, model.output])(inputs)
    for row in range(3):
        x, last = forward.frames(inputs, row, tiny.SCHEMA), []
        for index in range(layers):
            x, memory = recurrence(x, model.get_layer(f"lstm_{index}").cell)
            last += [memory, x[-1]]
        expected = np.concatenate(last)
        np.testing.assert_allclose(states[row], expected, atol=1e-5)
        np.testing.assert_allclose(scores[row], reference.experts(expected, experts), atol=1e-5)


def test_the_forget_gate_starts_open():
    """[9]'s forget_bias of 1; the other biases start at 0."""
    for index in range(2):
        bias = np.asarray(tiny.new("lstm").get_layer(f"lstm_{index}").cell.bias)
        np.testing.assert_array_equal(bias, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
