"""The videos of a data set in batches, in order or shuffled.

Which record makes which row is planned ahead, in arrays; readers make whole batches and give them in the order of the
plan. So the order does not depend on how many they are.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import count, islice
from pathlib import Path

import numpy as np

from yt8m.core.errors import DataError
from yt8m.core.schema import Level, Schema
from yt8m.records.batches import Batch
from yt8m.records.cache import Cache
from yt8m.records.manifest import locate, read_manifest
from yt8m.records.readers import Filler, Plan, Readers
from yt8m.records.remote import Place, Remote, total_size
from yt8m.records.videos import Video, read_videos

BLOCK = 1 << 16  # videos whose places are Python's numbers at a time


class Shards:
    """The videos of shards of one level.

    Args:
        paths: of the shards.
        level: of their records.
        schema: what they hold.
        readers: how many read batches; None: as many as the shards are worth. They decide nothing.
    """

    def __init__(self, paths: Sequence[Place], level: Level, schema: Schema, readers: int | None = None):
        self.paths, self.level, self.schema, self.readers = list(paths), level, schema, readers
        self._filler = Filler(self.paths, level, schema)

    @cached_property
    def _readers(self) -> Readers:
        return Readers(self._filler, self.readers)

    def videos(self) -> Iterator[Video]:
        """All videos, shard by shard."""
        for path in self.paths:
            yield from read_videos(path, self.level, self.schema)

    def batches(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        """The batches from `start` up to `stop` of all videos in order; the last batch of all may be smaller."""
        return self._readers.read(islice(self._in_order(size), start, stop))

    def count(self, shard: int) -> int:
        """The videos of a shard."""
        return len(self._filler.bounds(shard)) - 1

    def _in_order(self, size: int) -> Iterator[Plan]:
        waiting = np.empty((2, 0), np.int64)
        for shard in range(len(self.paths)):
            videos = self.count(shard)
            waiting = np.concatenate([waiting, [np.full(videos, shard), np.arange(videos)]], axis=1)
            coming = [shard]
            while waiting.shape[1] >= size:
                yield Plan(waiting[:, :size], coming)
                waiting, coming = waiting[:, size:], []
        if waiting.shape[1]:
            yield Plan(waiting, [])


class Dataset(Shards):
    """The videos that a manifest lists.

    Args:
        manifest: path of a table of shards of one level, which says what their records hold.
        source: `data.source`, where they lie.
        readers: see `Shards`.
        cache: of shards behind URLs; None: this process's own.

    Raises:
        DataError: where a shard is missing or has changed, the levels are mixed, or no schema is given.
    """

    def __init__(
        self, manifest: str | Path, source: str | Path, readers: int | None = None, cache: Cache | None = None
    ):
        shards, schema = read_manifest(manifest)
        levels = {shard.level for shard in shards}
        if len(levels) != 1:
            raise DataError(f"{manifest}: expected shards of one level, received {sorted(levels)}")
        if schema is None:
            raise DataError(f"{manifest}: expected a manifest that a stage has written, received one without a schema")
        self.manifest = Path(manifest)
        self.counts = [shard.videos for shard in shards]
        self.size = sum(self.counts)
        if not self.size:
            raise DataError(f"{manifest}: expected videos, received shards without any")
        super().__init__([locate(shard, source, cache) for shard in shards], Level(levels.pop()), schema, readers)

    def count(self, shard: int) -> int:
        """The videos of a shard."""
        return self.counts[shard]

    def shuffled(
        self, size: int, seed: int, buffer: int, *, start: int = 0, rows: slice | None = None
    ) -> Iterator[Batch]:
        """Batches without end, epoch by epoch: shards in random order, records through a buffer of `buffer`.

        The order depends on `seed` alone. It is known before anything is read, so that what comes before `start` and
        other processes' rows are not read; a record that waits in the buffer costs its place, and not its content.

        Args:
            size: videos of a batch.
            start: number of batches left out at the beginning.
            rows: those given of each batch, in steps of 1; all by default.
        """
        self._look_at_cache(buffer)
        return self._readers.read(self._shuffled(size, seed, buffer, start, rows or slice(0, size)))

    def _look_at_cache(self, buffer: int) -> None:
        """Warn of a cache that does not hold the shards whose records wait in a shuffle buffer."""
        remote = [path for path in self.paths if isinstance(path, Remote)]
        drawn = buffer * math.log(buffer + 1)  # videos, until a shard's last one is among them, mostly
        needed = total_size(remote) * min(1, drawn / self.size)
        limit = min((path.cache.limit for path in remote), default=0)
        if needed > limit:
            print(
                f"warning: data.cache_gb: {limit / 1e9:g} GB hold less than the {needed / 1e9:.3g} GB of shards that a "
                f"shuffle buffer of {buffer} videos draws from: they are fetched again and again",
                file=sys.stderr,
            )

    def _shuffled(self, size: int, seed: int, buffer: int, start: int, rows: slice) -> Iterator[Plan]:
        width = rows.stop - rows.start
        waiting = np.empty((2, 0), np.int64)
        for epoch in count(start * size // self.size):
            shards, order = shuffled_order(self.counts, np.random.default_rng((seed, epoch)), buffer)
            place = epoch * self.size + np.arange(self.size)  # of each video since the first epoch's first
            row = place % size
            given = (place >= start * size) & (rows.start <= row) & (row < rows.stop)
            first = np.concatenate([[0], np.cumsum(np.take(self.counts, shards))])
            chosen = order[given]
            slots = np.searchsorted(first, chosen, side="right") - 1
            waiting = np.concatenate([waiting, [shards[slots], chosen - first[slots]]], axis=1)
            # The last slot that has come into the buffer with each of the batches.
            reached = np.maximum.accumulate(slots)[width - 1 :: width] if len(slots) else slots
            known = 0
            for index in range(waiting.shape[1] // width):
                last = reached[min(index, len(reached) - 1)] + 1 if len(reached) else 0
                coming: list[int] = shards[known:last].tolist()
                known += len(coming)
                yield Plan(waiting[:, index * width : (index + 1) * width], coming)
            waiting = waiting[:, waiting.shape[1] // width * width :]


def shuffled_order(counts: Sequence[int], random: np.random.Generator, buffer: int) -> tuple[np.ndarray, np.ndarray]:
    """Shards in random order, and their videos through a shuffle buffer.

    Args:
        counts: videos of each shard.
        random: what draws.
        buffer: videos that wait at a time.

    Returns:
        The order of the shards, and of the places 0 .. sum(counts) - 1 in their concatenation.
    """
    shards, total = random.permutation(len(counts)), sum(counts)
    waiting = np.arange(min(buffer, total))
    drawn = random.integers(len(waiting), size=total - len(waiting))
    order = np.empty(total, np.int64)
    for start in range(0, len(drawn), BLOCK):
        for place, index in enumerate(drawn[start : start + BLOCK].tolist(), start):
            order[place], waiting[index] = waiting[index], place + len(waiting)
    order[len(drawn) :] = waiting[random.permutation(len(waiting))]
    return shards, order
