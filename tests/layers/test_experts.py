"""The mixture of experts against loops over classes and mixtures."""

import numpy as np
import pytest

from tests.layers import reference
from yt8m.layers.experts import MixtureOfExperts

SIZE, CLASSES = 6, 5


def built(mixtures=2, l2=0.0):
    layer = MixtureOfExperts(CLASSES, mixtures, l2)
    layer.build((None, SIZE))
    return reference.randomize(layer)


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(0, 1, (8, SIZE)).astype(np.float32)


@pytest.mark.parametrize("mixtures", [1, 2, 16])
def test_probabilities_equal_loops_over_classes_and_mixtures(x, mixtures):
    layer = built(mixtures)
    np.testing.assert_allclose(layer(x), [reference.experts(row, layer) for row in x], atol=1e-5)


@pytest.mark.parametrize("l2", [0.3, 1e-6])
def test_penalty_is_half_l2_times_the_squares_of_both_kernels_but_not_of_the_bias(l2):
    layer = built(l2=l2)
    squares = (reference.of(layer.gate_kernel) ** 2).sum() + (reference.of(layer.expert_kernel) ** 2).sum()
    assert float(sum(layer.losses)) == pytest.approx(l2 / 2 * squares, rel=1e-5)


def test_without_l2_there_is_no_penalty():
    assert not built(l2=0.0).losses


def test_dummy_expert_takes_its_gate_away_from_the_probability(x):
    """Where all experts say 1, a class's probability is 1 less the share of the last gate."""
    layer = built()
    layer.expert_bias.assign(np.full(CLASSES * 2, 50.0))
    gates = (x @ reference.of(layer.gate_kernel)).reshape(-1, CLASSES, 3)
    np.testing.assert_allclose(layer(x), 1 - reference.softmax(gates)[..., 2], atol=1e-5)


@pytest.mark.parametrize("scale", [1, 100, 1e4])
def test_probabilities_stay_between_zero_and_one(x, scale):
    p = np.asarray(built()(x * scale))
    assert p.shape == (8, CLASSES)
    assert ((p >= 0) & (p <= 1)).all()
