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
    assert ClippedAdam.from_config(ClippedAdam(0.1, clip_norm=0.7).get_config()).clip_norm == 0.7
