"""Normalisation in float32, whatever comes in."""

import numpy as np
import pytest
from keras import ops

from yt8m.layers.normalization import l2_normalize


def test_zero_stays_zero():
    assert not np.any(l2_normalize(np.zeros((2, 3), np.float32)))


@pytest.mark.parametrize("axis", [-1, 1])
def test_length_is_one_along_the_axis(axis):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    expected = x / np.sqrt((x.astype(np.float64) ** 2).sum(axis, keepdims=True))
    np.testing.assert_allclose(l2_normalize(x, axis), expected, atol=1e-6)


def test_half_precision_is_summed_in_single():
    """1024 equal numbers: bfloat16 alone could not add the last of them."""
    x = ops.cast(np.full((1, 1024), 0.1, np.float32), "bfloat16")
    np.testing.assert_allclose(l2_normalize(x), np.full((1, 1024), 1 / 32), rtol=1e-5)
