"""NetRVLAD as a whole against numpy."""

import pytest

from tests.layers import reference
from tests.models import forward


@pytest.mark.parametrize(("schema", "level"), forward.CASES)
def test_scores_equal_numpy(schema, level):
    pools = {name: (f"pool_{name}", reference.vlad) for name in schema.features}
    forward.assert_equals("netrvlad", schema, level, pools, forward.gated)
