from collections import Counter
from typing import get_args

import numpy as np
import pytest

from tests.augmentation.made import COUNTS, MOST, ONLY, THRESHOLD, by_loops, chunk, random_chunk, recipes_of
from yt8m.augmentation.recipes import Kind
from yt8m.settings.params import Partners


def listed(made):
    return [(Kind(kind), seed, other) for kind, seed, other in zip(*(c.tolist() for c in made), strict=True)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("threshold", "most"), [(THRESHOLD, MOST), (THRESHOLD, 2), (None, 2), (1, 8), (10**6, 8)])
@pytest.mark.parametrize("partners", get_args(Partners))
def test_against_loops(seed, threshold, most, partners):
    videos = random_chunk(seed)
    made = listed(recipes_of(videos, threshold, most, partners=partners))
    assert len(set(made)) == len(made)
    assert sorted(made) == sorted(by_loops(videos, threshold, most, partners))


def test_neighbours_of_the_same_labels():
    """Neither a video with one of the labels nor one with more of them is a partner."""
    made = listed(recipes_of(chunk([6, 8], [8], [6, 8], [6, 7, 8]), partners="labels"))
    assert {recipe[1:] for recipe in made if recipe[0] is Kind.INTERPOLATED} == {(0, 2)}
    assert {seed for kind, seed, _ in made if kind is Kind.NOISE} == {1, 2, 3}


def test_a_class_with_one_video_gets_noise():
    made = listed(recipes_of(random_chunk(0)))
    assert [recipe for recipe in made if recipe[1] == 7] == [(Kind.ORIGINAL, 7, 7), (Kind.NOISE, 7, 7)]
    assert COUNTS[ONLY] == 1


def test_a_video_without_labels_stays_as_it_is():
    assert [recipe for recipe in listed(recipes_of(random_chunk(0))) if recipe[1] == 8] == [(Kind.ORIGINAL, 8, 8)]


def test_a_pair_is_used_once():
    """Of two videos the first takes the pair; for the second noise stands in."""
    assert listed(recipes_of(chunk([8], [8]))) == [
        (Kind.ORIGINAL, 0, 0),
        (Kind.ORIGINAL, 1, 1),
        (Kind.INTERPOLATED, 0, 1),
        (Kind.EXTRAPOLATED, 0, 1),
        (Kind.NOISE, 1, 1),
    ]


def test_neighbours_may_be_of_other_rarest_labels():
    """They carry the seed's rarest label, which need not be their own rarest."""
    made = listed(recipes_of(chunk([0, 6], [6, 9])))
    assert (Kind.INTERPOLATED, 0, 1) in made
    assert (Kind.NOISE, 1, 1) in made


def test_all_videos_in_one_rare_class():
    """With fewer videos than neighbours each pair is made once, and the last seed has none left."""
    made = Counter(kind for kind, *_ in listed(recipes_of(chunk(*[[8]] * 5))))
    assert made == {Kind.ORIGINAL: 5, Kind.INTERPOLATED: 10, Kind.EXTRAPOLATED: 10, Kind.NOISE: 1}


def test_all_videos_in_one_frequent_class():
    """Each is kept or left out: one in int(900 / target), its share within five deviations."""
    one_in = int(900 / ((np.log10(900 / 60) / 2 + 1) * 60))
    made = recipes_of(chunk(*[[0]] * 3000))
    assert set(made.kind.tolist()) == {Kind.ORIGINAL}
    share = 1 / one_in
    assert one_in > 1
    assert abs(len(made.kind) - 3000 * share) <= 5 * np.sqrt(3000 * share * (1 - share))


@pytest.mark.parametrize("labels", [[], [[], []]])
def test_without_labels_nothing_is_made(labels):
    made = recipes_of(chunk(*labels))
    assert made.seed.tolist() == list(range(len(labels)))
    assert (made.kind == Kind.ORIGINAL).all()
