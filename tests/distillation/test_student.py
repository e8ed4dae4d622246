"""Which models a student is like: the best on the holdout of those that fit."""

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
    assert best_within(GAPS, DESCRIPTIONS, 1, max_bytes, storage) == [best]


def test_a_limit_below_all_is_refused_with_what_the_smallest_takes():
    least = 2 * COUNTS["small"]
    with pytest.raises(
        InputError, match=rf"^distill.max_bytes: expected at least {least:,}, .* received {least - 1:,}"
    ):
        best_within(GAPS, DESCRIPTIONS, 1, least - 1, "float16")


@pytest.mark.parametrize(
    ("names", "spare"),
    [
        (["large", "middle"], 0),
        (["large", "small"], COUNTS["middle"] - COUNTS["small"] - 1),
        (["large", "middle", "small"], 0),
        (["large", "middle", "small", "large"], 0),
        (["large", "middle", "small", "middle"], COUNTS["small"]),
        (["middle", "small", "middle"], 0),
    ],
)
def test_each_once_before_any_again(names, spare):
    limit = 4 * (sum(COUNTS[name] for name in names) + spare)
    assert best_within(GAPS, DESCRIPTIONS, len(names), limit, "float32") == names


def test_more_than_fit_are_refused_with_how_many_do():
    limit = 4 * (COUNTS["large"] + COUNTS["small"])
    with pytest.raises(InputError, match=r"^distill.members: expected at most 2, .* float32, received 3$"):
        best_within(GAPS, DESCRIPTIONS, 3, limit, "float32")
