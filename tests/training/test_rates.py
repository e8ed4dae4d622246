"""Rates by step against what they are said to be."""

import math

import keras
import numpy as np
import pytest

from tests.training.made import SCHEDULE
from yt8m.settings.params import Drop
from yt8m.training.rates import RiseAndFall, rate_of
from yt8m.training.training import Schedule


def values(schedule, steps):
    return [float(schedule(step)) for step in range(steps)]


def test_the_staircase_falls_after_so_many_examples():
    rate = SCHEDULE["rate"].model_copy(update={"decay_examples": 25})
    found = values(rate_of(Schedule(**SCHEDULE | {"rate": rate})), 6)
    assert found == pytest.approx([0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125])


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_a_rate_that_rises_stays_and_falls(shape):
    """Of 20 steps 4 rise and 8 fall; 23 were planned, but the last 3 lie behind the last score."""
    rate = Drop(kind="drop", warmup=0.2, share=0.4, shape=shape)
    found = values(rate_of(Schedule(**SCHEDULE | {"rate": rate, "steps": 23, "eval_steps": 5})), 20)
    np.testing.assert_allclose(found[:5], 0.05 * np.arange(1, 6) / 5, rtol=1e-6)
    assert found[4:12] == pytest.approx([0.05] * 8)
    left = np.arange(8, 0, -1) / 9
    expected = left if shape == "linear" else (1 - np.cos(math.pi * left)) / 2
    np.testing.assert_allclose(found[12:], 0.05 * expected, rtol=1e-5)
    assert min(found) > 0


def test_without_warmup_it_begins_at_once():
    assert values(RiseAndFall(0.1, 0, 2, 4, "linear"), 4) == pytest.approx([0.1, 0.1, 0.1 * 2 / 3, 0.1 / 3])


def test_config_rebuilds_it():
    made = RiseAndFall(0.1, 2, 3, 9, "cosine")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert values(again, 9) == values(made, 9)
