"""Context gating (eq. 1) against numpy."""

import numpy as np
import pytest

from tests.layers import reference
from yt8m.layers.gating import ContextGate


@pytest.mark.parametrize("size", [1, 5, 12])
def test_gate_equals_equation_1(size):
    x = np.random.default_rng(1).normal(0, 1, (8, size)).astype(np.float32)
    layer = ContextGate(0.9)
    layer.build(x.shape)
    reference.randomize(layer)
    np.testing.assert_allclose(layer(x), [reference.context_gate(row, layer) for row in x], atol=1e-5)


def test_training_normalises_by_the_batch():
    x = np.random.default_rng(1).normal(0, 1, (8, 5)).astype(np.float32)
    layer = ContextGate(0.9)
    layer.build(x.shape)
    reference.randomize(layer)
    logits = x @ reference.of(layer.kernel)
    scaled = (logits - logits.mean(0)) / np.sqrt(logits.var(0) + 1e-3)
    gate = reference.sigmoid(scaled * reference.of(layer.norm.gamma) + reference.of(layer.norm.beta))
    np.testing.assert_allclose(layer(x, training=True), x * gate, atol=1e-5)


def test_kernel_starts_as_normal_numbers_of_deviation_one_over_the_root_of_the_size():
    layer = ContextGate(0.9)
    layer.build((None, 144))
    values = reference.of(layer.kernel)
    assert values.mean() == pytest.approx(0, abs=5 / 12 / 144)
    assert values.std() == pytest.approx(1 / 12, rel=5 / np.sqrt(2 * values.size))
