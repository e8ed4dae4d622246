"""The MLP on moments as a whole against numpy."""

import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny
from yt8m.layers.head import OUTPUT
from yt8m.models.moments.network import Moments


@pytest.mark.parametrize(("schema", "level"), forward.CASES)
def test_scores_are_those_of_mean_deviation_and_maximum(schema, level):
    model = tiny.randomized("moments", schema, level)
    inputs = tiny.batch(schema=schema, level=level)
    expected = []
    for row in range(3):
        frames = forward.frames(inputs, row, schema)
        deviation = np.sqrt(frames.var(axis=0) + 1e-6)
        x = np.concatenate([frames.mean(axis=0), deviation, frames.max(axis=0)])
        x = forward.dense(reference.batch_norm(x, model.get_layer("input_norm")), model.get_layer("hidden_0"))
        x = np.maximum(reference.batch_norm(x, model.get_layer("norm_0")), 0)
        expected.append(reference.sigmoid(forward.dense(x, model.get_layer(OUTPUT))))
    np.testing.assert_allclose(tiny.score(model, inputs), expected, atol=1e-5)


def test_of_a_video_without_frames_there_are_none():
    x = np.ones((2, 3, 4), np.float32)
    found = np.array(Moments()(x, np.array([[True, False, True], [False] * 3])))
    np.testing.assert_allclose(found[0], np.repeat([1, 1e-3, 1], 4), rtol=1e-6)
    assert not found[1].any()
