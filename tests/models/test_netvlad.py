"""NetVLAD as a whole against numpy."""

import numpy as np
import pytest

from tests.layers import reference
from tests.models import forward, tiny


@pytest.mark.parametrize(("schema", "level"), forward.CASES)
def test_scores_equal_numpy(schema, level):
    pools = {name: (f"pool_{name}", reference.vlad) for name in schema.features}
    forward.assert_equals("netvlad", schema, level, pools, forward.gated)


def test_parameters_are_those_of_the_equations():
    d, k = tiny.SCHEMA.features, {"rgb": 3, "audio": 2}
    hidden, mixtures, classes = 4, 2, 5
    norm = 4  # gamma, beta and two moving statistics a channel
    assignment = sum(d[name] * k[name] + norm * k[name] for name in d)
    vlad = sum(k[name] * d[name] for name in d)  # as many centres as numbers pooled
    expected = (
        norm * sum(d.values())
        + assignment
        + vlad
        + vlad * hidden
        + hidden
        + hidden * hidden
        + norm * hidden
        + hidden * classes * (mixtures + 1)
        + hidden * classes * mixtures
        + classes * mixtures
        + classes * classes
        + norm * classes
    )
    assert tiny.new("netvlad").count_params() == expected


def test_hidden_weights_start_with_a_deviation_of_one_over_the_root_of_the_primary_clusters():
    values = reference.of(tiny.new("netvlad", clusters={"rgb": 100, "audio": 2}, hidden=50).get_layer("hidden").kernel)
    assert values.mean() == pytest.approx(0, abs=5 * 0.1 / np.sqrt(values.size))
    assert values.std() == pytest.approx(0.1, rel=5 / np.sqrt(2 * values.size))
