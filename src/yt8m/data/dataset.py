"""Batches of videos for models: padded, in order or shuffled, always bytes as stored."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

import numpy as np

from yt8m.data.manifest import DataError, locate, read_manifest
from yt8m.data.videos import Video, read_videos
from yt8m.schema import Level, Schema

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


class Dataset:
    """The videos that a manifest lists.

    Args:
        manifest: path of a table of shards of one level.
        source: `data.source`, where they lie.
        schema: what they hold.

    Raises:
        DataError: where a shard is missing or has changed, or the levels are mixed.
    """

    def __init__(self, manifest: str | Path, source: str | Path, schema: Schema):
        shards = read_manifest(manifest)
        levels = {shard.level for shard in shards}
        if len(levels) != 1:
            raise DataError(f"{manifest}: expected shards of one level, received {sorted(levels)}")
        self.level: Level = levels.pop()
        self.schema = schema
        self.size = sum(shard.videos for shard in shards)
        if not self.size:
            raise DataError(f"{manifest}: expected videos, received shards without any")
        self.paths = [locate(shard, source) for shard in shards]

    def videos(self) -> Iterator[Video]:
        """All videos, in the manifest's order."""
        return self._read(self.paths)

    def batches(self, size: int) -> Iterator[Batch]:
        """All videos in order; the last batch may be smaller."""
        return self._batches(self.videos(), size)

    def shuffled(self, size: int, seed: int, buffer: int) -> Iterator[Batch]:
        """Batches without end, epoch by epoch: shards in random order, records through a buffer of `buffer`.

        The order depends on `seed` alone.
        """
        return self._batches(self._shuffled_videos(seed, buffer), size)

    def _shuffled_videos(self, seed: int, buffer: int) -> Iterator[Video]:
        for epoch in count():
            random = np.random.default_rng((seed, epoch))
            videos = self._read([self.paths[index] for index in random.permutation(len(self.paths))])
            waiting = list(islice(videos, buffer))
            for video in videos:
                index = random.integers(len(waiting))
                yield waiting[index]
                waiting[index] = video
            for index in random.permutation(len(waiting)):
                yield waiting[index]

    def _read(self, paths: Iterable[Path]) -> Iterator[Video]:
        for path in paths:
            yield from read_videos(path, self.level, self.schema)

    def _batches(self, videos: Iterator[Video], size: int) -> Iterator[Batch]:
        while batch := list(islice(videos, size)):
            yield collate(batch, self.level, self.schema)


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
