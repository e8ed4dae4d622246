"""The MLP as a whole against numpy."""

import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny
from yt8m.layers.head import OUTPUT


@pytest.mark.parametrize(("schema", "level"), forward.CASES)
@pytest.mark.parametrize("hidden", [[], [4], [4, 3]])
def test_scores_are_sigmoids_of_the_hidden_layers(schema, level, hidden):
    model = tiny.randomized("mlp", schema, level, hidden=hidden)
    inputs = tiny.batch(schema=schema, level=level)
    expected = []
    for row in range(3):
        x = reference.batch_norm(forward.frames(inputs, row, schema).mean(0), model.get_layer("input_norm"))
        for index in range(len(hidden)):
            x = forward.dense(x, model.get_layer(f"hidden_{index}"))
            x = np.maximum(reference.batch_norm(x, model.get_layer(f"norm_{index}")), 0)
        expected.append(reference.sigmoid(forward.dense(x, model.get_layer(OUTPUT))))
    np.testing.assert_allclose(tiny.score(model, inputs), expected, atol=1e-5)


def test_the_penalty_is_on_the_output_alone():
    model = tiny.randomized("mlp", l2=0.5)
    (penalty,) = model.losses
    kernel = reference.of(model.get_layer(OUTPUT).kernel)
    assert float(penalty) == pytest.approx(0.25 * (kernel**2).sum(), rel=1e-5)
