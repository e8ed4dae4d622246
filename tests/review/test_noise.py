"""How far trainings lie apart, and what a difference must exceed."""

import numpy as np
import pytest

from tests.review import made
from yt8m.review import noise
from yt8m.review.sides import Side


def side(params, gaps):
    """A side of which parameters and figures alone are read."""
    found = Side("a side", lambda path: None)
    found.__dict__.update(params=params, results={name: {"test_gap": gap} for name, gap in gaps.items()})
    return found


def test_the_spread_is_that_within_groups_by_hand():
    found = noise.Spread.of([(0.1, 0.3), (0.5, 0.6, 0.7)])
    assert found.freedom == 3
    assert found.deviation == pytest.approx(((0.02 + 0.02) / 3) ** 0.5)


def test_the_spread_finds_that_of_trainings_drawn():
    groups = np.random.default_rng(0).normal(0.8, 0.005, (500, 2))
    assert noise.Spread.of(groups).deviation == pytest.approx(0.005, rel=0.1)


def test_a_difference_by_chance_is_below_the_bound_as_often_as_is_said():
    """Also where the spread itself is one of few pairs."""
    random, below = np.random.default_rng(0), 0
    for _ in range(2000):
        spread = noise.Spread.of(random.normal(0.8, 0.005, (3, 2)))
        one, other = random.normal(0.8, 0.005, 2)
        below += abs(one - other) <= spread.bound(0.0, trained=True)
    assert below / 2000 == pytest.approx(0.95, abs=0.015)


def test_what_was_not_trained_again_differs_by_test_videos_alone():
    spread = noise.Spread(0.01, 7)
    assert spread.bound(0.002, trained=False) == pytest.approx(1.96 * 0.002)
    assert spread.bound(0.002, trained=True, models=4) < spread.bound(0.002, trained=True)
    assert noise.Spread.of([]).bound(0.002, trained=True) == pytest.approx(1.96 * 0.002)


def test_sets_that_differ_in_the_seed_alone_are_pairs_and_alike_ones_count_once():
    one = side(made.params(), made.GAPS)
    same, other = side(made.params(), made.GAPS), side(made.params(), made.GAPS | {"gru-a": 0.75})
    assert noise.spread([one, same]).freedom == 2
    assert noise.spread([one, other]).freedom == 3
    assert noise.spread([side(made.params(sets__a__finetune=False), made.GAPS)]).freedom == 0
    assert noise.spread([side(made.params(sets__a__seed=2), made.GAPS)]).freedom == 0
