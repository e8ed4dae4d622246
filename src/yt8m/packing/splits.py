"""Which videos are for what, and in which shard: by a hash of their ids, whatever the order they come in."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence

SPLITS = ("train", "validate", "test")  # as shards are named; the pipeline's holdout is `validate`
VIDEOS = 500  # of a shard at most: 130 MB of YouTube-8M's frames


def position(id: str) -> float:
    """A number in [0, 1) that an id always has."""
    return int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8).digest(), "big") / 2**64


def split_of(id: str, shares: Sequence[float]) -> str:
    """The split of a video by the shares of `SPLITS`. It stays when other videos come or go."""
    place, end = position(id), 0.0
    for split, share in zip(SPLITS, shares, strict=True):
        end += share
        if place < end:
            return split
    return next(split for split, share in zip(SPLITS[::-1], shares[::-1], strict=True) if share)


def shards_of(splits: Mapping[str, str]) -> dict[str, list[str]]:
    """The ids of each shard by its name, `train0000`, …: those of a split in the order of their hashes, evenly.

    Args:
        splits: of each video by its id.
    """
    shards = {}
    for split in SPLITS:
        ids = ordered(id for id, of in splits.items() if of == split)
        count = math.ceil(len(ids) / VIDEOS)
        for index in range(count):
            shards[f"{split}{index:04d}"] = ids[index * len(ids) // count : (index + 1) * len(ids) // count]
    return shards


def ordered(ids: Iterable[str]) -> list[str]:
    """Ids by their hashes: no order that names have, of classes or dates, is left."""
    return sorted(ids, key=lambda id: (position(id), id))
