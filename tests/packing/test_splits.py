"""Splits and shards by a hash of ids."""

from collections import Counter
from itertools import pairwise

import pytest

from yt8m.packing import splits
from yt8m.packing.splits import ordered, shards_of, split_of

IDS = [f"video{index}" for index in range(5000)]


def test_shares_hold_and_a_video_stays():
    shares = (0.7, 0.2, 0.1)
    found = {id: split_of(id, shares) for id in IDS}
    counts = Counter(found.values())
    for split, share in zip(splits.SPLITS, shares, strict=True):
        assert abs(counts[split] - 5000 * share) < 5 * (5000 * share * (1 - share)) ** 0.5
    assert all(split_of(id, (0.8, 0.1, 0.1)) == "train" for id in IDS if found[id] == "train")


@pytest.mark.parametrize(("shares", "only"), [((1, 0, 0), "train"), ((0, 0, 1), "test"), ((0, 1, 0), "validate")])
def test_one_split_alone(shares, only):
    assert {split_of(id, shares) for id in IDS} == {only}


def test_rounding_leaves_no_gap_at_the_end(monkeypatch):
    monkeypatch.setattr(splits, "position", lambda id: 1 - 2**-53)
    assert split_of("last", (0.7, 0.2, 0.1 - 1e-9)) == "test"
    assert split_of("last", (0.7, 0.3 - 1e-9, 0)) == "validate"


def test_every_video_is_in_one_shard_of_its_split_in_any_order():
    of = {id: split_of(id, (0.8, 0.1, 0.1)) for id in IDS}
    shards = shards_of(of)
    assert sorted(id for ids in shards.values() for id in ids) == sorted(IDS)
    assert all(of[id] == name[:-4] for name, ids in shards.items() for id in ids)
    sizes = {split: [len(ids) for name, ids in shards.items() if name[:-4] == split] for split in splits.SPLITS}
    assert all(max(found) <= splits.VIDEOS and max(found) - min(found) <= 1 for found in sizes.values())
    assert [name for name in shards if name.startswith("train")] == [
        f"train{index:04d}" for index in range(9)
    ]  # of 4,009
    assert shards_of(dict(reversed(of.items()))) == shards


def test_the_order_of_names_is_lost():
    order = [IDS.index(id) for id in ordered(IDS)]
    falls = sum(one > other for one, other in pairwise(order))
    assert abs(falls - 2500) < 200
