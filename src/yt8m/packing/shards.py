"""Shards of packed videos, one read after the other, so that memory holds a video."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from yt8m.core.errors import InputError
from yt8m.core.schema import Schema
from yt8m.packing.coding import Format, Tally
from yt8m.packing.features import Feature
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode


@dataclass
class Seen:
    """What there was in videos.

    Attributes:
        longest: frames of the longest one, those beyond the limit left out.
        cut: videos of which frames were left out.
        tallies: of the features' values.
    """

    longest: int = 0
    cut: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)

    def add(self, other: "Seen") -> None:
        """Take in what there was in other videos."""
        self.longest, self.cut = max(self.longest, other.longest), self.cut + other.cut
        for name, tally in other.tallies.items():
            self.tallies[name] = self.tallies.get(name, Tally()) + tally


def write_shard(
    path: Path, features: Mapping[str, Feature], labels: Mapping[str, np.ndarray], format: Format, schema: Schema
) -> Seen:
    """Write the videos of `labels`, in their order, and return what there was in them.

    Raises:
        InputError: naming the file that is not as expected.
    """
    seen = Seen()
    write_records(path, _records(features, labels, format, schema, seen))
    return seen


def _records(
    features: Mapping[str, Feature], labels: Mapping[str, np.ndarray], format: Format, schema: Schema, seen: Seen
) -> Iterator[bytes]:
    for id, classes in labels.items():
        values, coded = {name: features[name].read(id) for name in format.sizes}, {}
        for name, rows in values.items():
            coded[name], tally = format.coded(name, rows, features[name].where(id))
            seen.add(Seen(tallies={name: tally}))
        frames = {name: len(np.atleast_2d(rows)) for name, rows in values.items()}
        if len(set(frames.values())) > 1:
            where = features[next(iter(frames))].where(id)
            raise InputError(f"{where}: expected as many frames in each of a video's features, received {frames}")
        video = Video(id, classes, coded)
        seen.add(Seen(video.frames, int(video.frames < max(frames.values()))))
        yield encode(video, format.level, schema)
