"""Which model a student is like: the best on the holdout of those that fit."""

import pytest

from tests.models import tiny
from yt8m.core.errors import InputError
from yt8m.distillation.student import best_within

GAPS = {"small": 0.2, "large": 0.7, "middle": 0.6}
UNITS = {"small": 2, "large": 50, "middle": 10}
DESCRIPTIONS = {name: tiny.describe("mlp", hidden=[units]) for name, units in UNITS.items()}
COUNTS = {name: tiny.new("mlp", hidden=[units]).count_params() for name, units in UNITS.items()}


@pytest.mark.parametrize(
    ("max_bytes", "storage", "best"),
    [
        (4 * COUNTS["large"], "float32", "large"),
        (4 * COUNTS["large"] - 1, "float32", "middle"),
        (2 * COUNTS["large"], "float16", "large"),
        (4 * COUNTS["middle"] - 1, "float32", "small"),
        (4 * COUNTS["small"], "float32", "small"),
    ],
)
def test_the_best_of_those_that_fit(max_bytes, storage, best):
    assert best_within(GAPS, DESCRIPTIONS, max_bytes, storage) == best


def test_a_limit_below_all_is_refused_with_what_the_smallest_takes():
    least = 2 * COUNTS["small"]
    with pytest.raises(
        InputError, match=rf"^distill.max_bytes: expected at least {least:,}, .* received {least - 1:,}"
    ):
        best_within(GAPS, DESCRIPTIONS, least - 1, "float16")
