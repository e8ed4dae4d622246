"""The moving average of weights: what it is the average of, and that a model gets its own back."""

import keras
import numpy as np
import pytest

from tests.models import tiny
from tests.training.made import assert_same
from yt8m.training.averages import Averages, averaged, averaging


def numbers(variables):
    return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]


def trained(model, steps):
    """The bare model's weights as each step's forward pass leaves them: learnt by the steps before, measured by it."""
    whole = averaging(model, 0.8)
    whole.compile(keras.optimizers.SGD(0.1), "mse")
    found, learnt = [], len(model.trainable_weights)
    for _ in range(steps):
        before = numbers(model.trainable_weights)
        whole.train_on_batch(tiny.batch(), np.eye(5, dtype=np.float32)[:3])
        measured = {weight.path: value for weight, value in zip(model.weights, numbers(model.weights), strict=True)}
        measured |= {weight.path: value for weight, value in zip(model.trainable_weights, before, strict=True)}
        found.append([measured[weight.path] for weight in model.weights])
    assert learnt < len(model.weights)  # batch norm's statistics are there
    return whole, found


@pytest.mark.parametrize("steps", [1, 2, 60])
def test_each_step_draws_the_average_to_the_weights_and_statistics(steps):
    """By t / (t + 9) at first, and by the momentum from where that is more: here from step 36 on."""
    model = tiny.new("dbow")
    whole, found = trained(model, steps)
    average = [np.zeros_like(weight) for weight in found[0]]
    for step, weights in enumerate(found):
        momentum = min(0.8, step / (step + 9))
        average = [momentum * old + (1 - momentum) * new for old, new in zip(average, weights, strict=True)]
    own = numbers(model.weights)
    with averaged(whole):
        for weight, expected in zip(model.weights, average, strict=True):
            np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-6)
    assert_same(numbers(model.weights), own)
    assert any((a != b).any() for a, b in zip(own, average, strict=True))


def test_own_weights_come_back_however_it_ends():
    model = tiny.new("dbow")
    whole, _ = trained(model, 2)
    own = numbers(model.weights)
    with pytest.raises(RuntimeError), averaged(whole):
        raise RuntimeError
    assert_same(numbers(model.weights), own)


def test_inference_changes_nothing():
    model = tiny.randomized("dbow")
    whole = averaging(model, 0.8)
    (layer,) = (layer for layer in whole.layers if isinstance(layer, Averages))
    np.testing.assert_array_equal(tiny.score(whole, tiny.batch()), tiny.score(model, tiny.batch()))
    assert not float(layer.steps)


def test_without_momentum_there_is_none():
    model = tiny.new("dbow")
    assert averaging(model, 0.0) is model
    before = numbers(model.weights)
    with averaged(model):
        assert_same(numbers(model.weights), before)
