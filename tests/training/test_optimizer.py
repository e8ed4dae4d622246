"""Clipping: by the norm of each weight's own gradient, and only where it is larger."""

import keras
import numpy as np
import pytest

from yt8m.training.optimizer import ClippedAdam


@pytest.mark.parametrize(
    ("gradient", "clipped"), [([3.0, 4.0], [0.6, 0.8]), ([0.3, 0.4], [0.3, 0.4]), ([0, 0], [0, 0])]
)
def test_a_gradient_is_clipped_by_its_norm(gradient, clipped):
    """After one step Adam's first moment is a tenth of the gradient that it saw."""
    weight, other = keras.Variable([1.0, 2.0]), keras.Variable([5.0])
    optimizer = ClippedAdam(0.1, clip_norm=1.0)
    optimizer.build([weight, other])
    optimizer.apply([keras.ops.array(gradient, "float32"), keras.ops.array([0.5])])
    first = {variable.path: np.asarray(variable) for variable in optimizer.variables if "momentum" in variable.path}
    moments = list(first.values())
    np.testing.assert_allclose(moments[0], 0.1 * np.array(clipped), rtol=1e-6)
    np.testing.assert_allclose(moments[1], [0.05], rtol=1e-6)  # the other weight's is its own matter


def test_without_need_to_clip_it_is_adam():
    values = []
    for optimizer in (ClippedAdam(0.1, clip_norm=100.0), keras.optimizers.Adam(0.1)):
        weight = keras.Variable([1.0, -2.0, 3.0])
        optimizer.build([weight])
        for step in range(5):
            optimizer.apply([keras.ops.array([0.1, -0.2, step], "float32")])
        values.append(np.asarray(weight))
    np.testing.assert_allclose(values[0], values[1], rtol=1e-6)


def test_config_rebuilds_it():
    rebuilt = ClippedAdam.from_config(ClippedAdam(0.1, clip_norm=0.7, weight_decay=0.2).get_config())
    assert (rebuilt.clip_norm, rebuilt.weight_decay) == (0.7, 0.2)


def test_kernels_decay_and_nothing_else():
    """Without a gradient Adam does not move a weight; `w -= rate * decay * w` does. In a compiled step, too."""
    layers = [keras.layers.Dense(3, name="hidden"), keras.layers.BatchNormalization()]
    model = keras.Sequential([keras.Input((2,)), *layers])
    for weight in model.weights:
        weight.assign(keras.ops.ones(weight.shape))
    optimizer = ClippedAdam(0.1, weight_decay=0.5)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, lambda y, x: 0 * keras.ops.sum(x, axis=-1))
    for _ in range(2):
        model.train_on_batch(np.ones((4, 2), np.float32), np.ones(4, np.float32))
    for weight in model.trainable_weights:
        expected = (1 - 0.1 * 0.5) ** 2 if weight.name == "kernel" else 1.0
        np.testing.assert_allclose(weight, np.full(weight.shape, expected), rtol=1e-6)
