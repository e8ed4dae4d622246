"""The video-level MoE as a whole against numpy."""

import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny
from yt8m.layers.head import OUTPUT


@pytest.mark.parametrize(("schema", "level"), forward.CASES)
def test_scores_are_the_experts_of_the_mean_frame(schema, level):
    model, inputs = tiny.randomized("moe", schema, level), tiny.batch(schema=schema, level=level)
    expected = []
    for row in range(3):
        mean = forward.frames(inputs, row, schema).mean(0)
        x = reference.batch_norm(mean, model.get_layer("input_norm"))
        expected.append(reference.experts(x, model.get_layer(OUTPUT)))
    np.testing.assert_allclose(tiny.score(model, inputs), expected, atol=1e-5)
