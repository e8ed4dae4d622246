"""Attention by class as a whole against numpy."""

import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny
from yt8m.layers.head import OUTPUT
from yt8m.models.attention.network import ClassAttention


@pytest.mark.parametrize(("schema", "level"), forward.CASES)
def test_scores_equal_numpy(schema, level):
    model = tiny.randomized("attention", schema, level)
    inputs, output = tiny.batch(schema=schema, level=level), model.get_layer(OUTPUT)
    expected = []
    for row in range(3):
        x = reference.batch_norm(forward.frames(inputs, row, schema), model.get_layer("input_norm"))
        x = forward.dense(x, model.get_layer("hidden_0"))
        x = np.maximum(reference.batch_norm(x, model.get_layer("norm_0")), 0)
        attention = reference.softmax((x @ reference.of(output.attention_kernel)).T).T  # over frames
        expected.append((attention * reference.sigmoid(forward.dense(x, output))).sum(0))
    np.testing.assert_allclose(tiny.score(model, inputs), expected, atol=1e-5)


def test_a_class_is_found_in_the_one_frame_that_shows_it():
    """However many others there are; a mean over frames would lose it."""
    layer = ClassAttention(2, 0.0)
    x = np.zeros((1, 100, 2), np.float32)
    x[0, 37, 0] = 1
    layer.build(x.shape)
    layer.kernel.assign([[20, 0], [0, 0]])
    layer.attention_kernel.assign([[20, 0], [0, 0]])
    layer.bias.assign([-10, -10])
    found, missed = np.asarray(layer(x, np.ones((1, 100), bool)))[0]
    assert found > 0.99
    assert missed < 0.01


def test_the_penalty_is_on_both_kernels():
    model = tiny.randomized("attention", l2=0.5)
    output = model.get_layer(OUTPUT)
    kernels = sum((reference.of(kernel) ** 2).sum() for kernel in (output.kernel, output.attention_kernel))
    assert sum(map(float, model.losses)) == pytest.approx(0.25 * kernels, rel=1e-5)
