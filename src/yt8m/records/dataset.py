"""Batches of videos for models: padded, in order or shuffled, always bytes as stored."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

import numpy as np

from yt8m.core.schema import Level, Schema
from yt8m.records.manifest import DataError, locate, read_manifest
from yt8m.records.tfrecord import read_records
from yt8m.records.videos import Video, parse, read_videos

LENGTH = "num_frames"
Item = TypeVar("Item")


class Batch(NamedTuple):
    """A batch of B videos.

    Attributes:
        ids: B ids.
        inputs: each feature by name, (B, T, size), padded with zeros behind the video's frames, and
            `num_frames`, (B,) int32.
        labels: multi-hot, (B, C) float32.
    """

    ids: list[str]
    inputs: dict[str, np.ndarray]
    labels: np.ndarray


class Shards:
    """The videos of shards of one level.

    Args:
        paths: of the shards.
        level: of their records.
        schema: what they hold.
    """

    def __init__(self, paths: Sequence[Path], level: Level, schema: Schema):
        self.paths, self.level, self.schema = list(paths), level, schema

    def videos(self) -> Iterator[Video]:
        """All videos, shard by shard."""
        for path in self.paths:
            yield from read_videos(path, self.level, self.schema)

    def batches(self, size: int) -> Iterator[Batch]:
        """All videos in order; the last batch may be smaller."""
        return self._batches(self.videos(), size)

    def _batches(self, videos: Iterator[Video], size: int) -> Iterator[Batch]:
        while batch := list(islice(videos, size)):
            yield collate(batch, self.level, self.schema)


class Dataset(Shards):
    """The videos that a manifest lists.

    Args:
        manifest: path of a table of shards of one level, which says what their records hold.
        source: `data.source`, where they lie.

    Raises:
        DataError: where a shard is missing or has changed, the levels are mixed, or no schema is given.
    """

    def __init__(self, manifest: str | Path, source: str | Path):
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
        super().__init__([locate(shard, source) for shard in shards], Level(levels.pop()), schema)

    def shuffled(
        self, size: int, seed: int, buffer: int, *, start: int = 0, rows: slice | None = None
    ) -> Iterator[Batch]:
        """Batches without end, epoch by epoch: shards in random order, records through a buffer of `buffer`.

        The order depends on `seed` alone. It is known before anything is read, so that what comes before `start` and
        other processes' rows are passed over without a look at their content.

        Args:
            size: videos of a batch.
            start: number of batches left out at the beginning.
            rows: those given of each batch, in steps of 1; all by default.
        """
        rows = rows or slice(0, size)
        return self._batches(self._shuffled_videos(size, seed, buffer, start, rows), rows.stop - rows.start)

    def _shuffled_videos(self, size: int, seed: int, buffer: int, start: int, rows: slice) -> Iterator[Video]:
        for epoch in count(start * size // self.size):
            shards, order = shuffled_order(self.counts, np.random.default_rng((seed, epoch)), buffer)
            place = epoch * self.size + np.arange(self.size)  # of each video since the first epoch's first
            row = place % size
            given = (place >= start * size) & (rows.start <= row) & (row < rows.stop)
            yield from self._read_in_order(shards, order[given])

    def _read_in_order(self, shards: np.ndarray, order: np.ndarray) -> Iterator[Video]:
        """The videos at `order`, places in the concatenated `shards`, each record read once and parsed when due."""
        records = self._records(shards, np.sort(order))
        waiting: dict[int, tuple[memoryview, Path, int]] = {}
        for place in order.tolist():
            while place not in waiting:
                key, found = next(records)
                waiting[key] = found
            record, path, index = waiting.pop(place)
            yield parse(record, self.level, self.schema, path, index)

    def _records(self, shards: np.ndarray, places: np.ndarray) -> Iterator[tuple[int, tuple[memoryview, Path, int]]]:
        """The records at ascending `places` in the concatenated `shards`; a shard without any is not opened."""
        start = 0
        for shard in shards:
            end = start + self.counts[shard]
            inside = places[slice(*np.searchsorted(places, (start, end)))] - start
            if len(inside):
                path, wanted = self.paths[shard], inside.tolist()
                found = read_records(path, set(wanted))
                for index, record in zip(wanted, found, strict=True):  # as many as recorded: the sizes were compared
                    yield start + index, (record, path, index)
            start = end


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
    drawn = random.integers(len(waiting), size=total - len(waiting)).tolist()
    order = np.empty(total, np.int64)
    for place, index in enumerate(drawn, start=len(waiting)):
        order[place - len(waiting)], waiting[index] = waiting[index], place
    order[len(drawn) :] = waiting[random.permutation(len(waiting))]
    return shards, order


def prefetch(items: Iterator[Item], depth: int = 2) -> Iterator[Item]:
    """The same items, the next `depth` made in a thread while the last is in use."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        ahead = deque(pool.submit(next, items, end) for _ in range(depth))
        while (item := ahead.popleft().result()) is not end:
            ahead.append(pool.submit(next, items, end))
            yield cast(Item, item)


def collate(videos: Sequence[Video], level: Level, schema: Schema) -> Batch:
    """Pad videos to `schema.frames(level)` frames and put them together."""
    inputs = {}
    for name, size in schema.features.items():
        inputs[name] = np.zeros((len(videos), schema.frames(level), size), schema.dtype(level))
        for row, video in enumerate(videos):
            inputs[name][row, : video.frames] = video.features[name]
    inputs[LENGTH] = np.array([video.frames for video in videos], np.int32)
    labels = np.zeros((len(videos), schema.classes), np.float32)
    for row, video in enumerate(videos):
        labels[row, video.labels] = 1
    return Batch([video.id for video in videos], inputs, labels)
