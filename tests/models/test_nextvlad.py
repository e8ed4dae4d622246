"""NeXtVLAD as a whole against numpy."""

import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny
from yt8m.layers.head import OUTPUT


def classify(vector, model):
    """Hidden layer, batch norm, squeeze gate, experts; dropout does nothing at inference."""
    x = reference.batch_norm(forward.hidden(vector, model), model.get_layer("hidden_norm"))
    x = reference.squeeze_gate(x, model.get_layer("squeeze_gate"))
    return reference.experts(x, model.get_layer(OUTPUT))


@pytest.mark.parametrize(("schema", "level"), forward.CASES)
def test_scores_equal_numpy(schema, level):
    pools = {name: (f"pool_{name}", reference.nextvlad) for name in schema.features}
    forward.assert_equals("nextvlad", schema, level, pools, classify)


def test_parameters_are_those_of_the_equations():
    d, k, g = tiny.SCHEMA.features, {"rgb": 3, "audio": 2}, {"rgb": 4, "audio": 2}
    hidden, inner, mixtures, classes, norm = 4, 2, 2, 5, 4
    expected, pooled = norm * sum(d.values()), 0
    for name in d:
        wide = 2 * d[name]
        size = wide // g[name]
        pooled += k[name] * size
        expected += d[name] * wide + wide + wide * g[name] + g[name]
        expected += wide * g[name] * k[name] + norm * g[name] * k[name]
        expected += k[name] * size + norm * k[name] * size
    expected += pooled * hidden + hidden + norm * hidden + 2 * hidden * inner + norm * inner
    expected += hidden * classes * (2 * mixtures + 1) + classes * mixtures
    assert tiny.new("nextvlad").count_params() == expected


def test_dropout_acts_in_training_alone():
    model, inputs = tiny.randomized("nextvlad", pooled_dropout=0.9), tiny.batch()
    first, second = (np.asarray(model(inputs, training=True)) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(tiny.score(model, inputs), tiny.score(model, inputs))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"groups": {"rgb": 5, "audio": 2}}, "groups: expected a divisor of the expanded size of rgb, 12, received 5"),
        ({"reduction": 3}, "reduction: expected a divisor of hidden, 4, received 3"),
    ],
)
def test_sizes_that_do_not_divide_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        tiny.new("nextvlad", **args)
