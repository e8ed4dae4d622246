"""Gated soft-DBoW as a whole against numpy: only the primary feature's clusters are gated."""

import pytest

from tests.layers import reference
from tests.models import forward


@pytest.mark.parametrize(("schema", "level"), forward.CASES)
def test_scores_equal_numpy(schema, level):
    pools = {name: (f"pool_{name}", reference.dbow) for name in schema.features}
    pools[schema.primary] = (f"pool_{schema.primary}", reference.gated_dbow)
    forward.assert_equals("gated_dbow", schema, level, pools, forward.plain)
