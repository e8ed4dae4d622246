"""The obvious loop over videos, and neighbour searches by scikit-learn: what augmentation is compared with."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from yt8m.augmentation.neighbours import nearest
from yt8m.augmentation.recipes import Kind
from yt8m.augmentation.regimes import neighbours, rarest_labels
from yt8m.augmentation.synthesis import IDS, Chunk
from yt8m.core.schema import Schema
from yt8m.settings.params import Augment

WARM_UP = 10  # searches before those that are timed


class Search(NamedTuple):
    """What the rare videos of a class look for.

    Attributes:
        seeds: the videos whose rarest label the class is, rows of the chunk, ascending.
        members: the videos that carry it, rows of the chunk, ascending.
        k: neighbours of each seed.
    """

    seeds: np.ndarray
    members: np.ndarray
    k: int


def searches(labels: Sequence[np.ndarray], counts: np.ndarray, augment: Augment) -> list[Search]:
    """The searches of a chunk: one for each rare class that is some video's rarest label."""
    rarest, carriers = rarest_labels(labels, counts), dict[int, list[int]]()
    for row, carried in enumerate(labels):
        for label in carried.tolist():
            carriers.setdefault(label, []).append(row)
    return [
        Search(
            np.flatnonzero(rarest == label),
            np.array(carriers[label]),
            neighbours(int(counts[label]), augment.threshold, augment.neighbours),
        )
        for label in np.unique(rarest[rarest >= 0]).tolist()
        if augment.threshold is None or counts[label] <= augment.threshold
    ]


def first_seeds(found: Sequence[Search], sample: int) -> list[Search]:
    """The first seeds of each class, of all classes the same share, `sample` seeds in all (or all there are).

    Each pair is used once, by the first of two seeds that are each other's neighbours. Those have the same rarest
    label, so that what a class's first seeds make does not depend on any others.
    """
    ends = np.cumsum([len(search.seeds) for search in found], dtype=np.int64)
    taken = np.diff(ends * min(sample, ends[-1]) // ends[-1], prepend=0)
    return [search._replace(seeds=search.seeds[:size]) for search, size in zip(found, taken.tolist(), strict=True)]


class Loop:
    """Makes videos one by one: a distance at a time, a record of TensorFlow at a time.

    Attributes:
        made: kind, seed and other of each video, by its id.
        searching: seconds that the searches took.
        making: seconds that the videos and their records took.
    """

    def __init__(self, chunk: Chunk, schema: Schema, augment: Augment):
        self.chunk, self.schema, self.augment = chunk, schema, augment
        self.random = np.random.default_rng(augment.seed)
        self.made: dict[str, tuple[Kind, int, int]] = {}
        self.used: set[tuple[int, int]] = set()
        self.searching = self.making = 0.0

    def run(self, found: Iterable[Search], path: Path) -> None:
        """Write the seeds themselves and all that is made of them."""
        import tensorflow as tf  # here, since the other measurements need no TensorFlow

        with tf.io.TFRecordWriter(str(path)) as writer:
            for search in found:
                members = search.members.tolist()
                for seed in search.seeds.tolist():
                    start = perf_counter()
                    near = self.nearest(seed, members)[: search.k]
                    middle = perf_counter()
                    for kind, other in self.of(seed, near):
                        id = IDS[kind].format(self.chunk.ids[seed], self.chunk.ids[other])
                        writer.write(self.record(tf.train, id, seed, self.features(kind, seed, other)))
                        self.made[id] = kind, seed, other
                    self.searching += middle - start
                    self.making += perf_counter() - middle

    def nearest(self, seed: int, members: Iterable[int]) -> list[int]:
        """The other members, nearest first."""
        primary = self.chunk.features[:, : self.schema.features[self.schema.primary]]

        def distance(other: int) -> float:
            difference = (primary[seed] - primary[other]).astype(np.float64)
            return float(difference @ difference)

        return sorted((other for other in members if other != seed), key=distance)

    def of(self, seed: int, near: Iterable[int]) -> Iterator[tuple[Kind, int]]:
        """The kinds and neighbours of the videos that a seed makes."""
        yield Kind.ORIGINAL, seed
        alone = True
        for other in near:
            pair = (min(seed, other), max(seed, other))
            if pair not in self.used:
                self.used.add(pair)
                alone = False
                yield Kind.INTERPOLATED, other
                yield Kind.EXTRAPOLATED, other
        if alone:
            yield Kind.NOISE, seed

    def features(self, kind: Kind, seed: int, other: int) -> np.ndarray:
        """Of one video, (width,) float32."""
        x, y = self.chunk.features[seed], self.chunk.features[other]
        if kind is Kind.INTERPOLATED:
            return x + self.augment.step * (y - x)
        if kind is Kind.EXTRAPOLATED:
            return x + self.augment.step * (x - y)
        if kind is Kind.NOISE:
            return x + self.augment.noise * self.random.standard_normal(len(x)).astype(np.float32)
        return x

    def record(self, train: Any, id: str, seed: int, values: np.ndarray) -> bytes:
        """An `Example`, by TensorFlow's classes."""
        schema, labels, start = self.schema, self.chunk.labels[seed].tolist(), 0
        entries = {
            schema.id_key: train.Feature(bytes_list=train.BytesList(value=[id.encode()])),
            schema.labels_key: train.Feature(int64_list=train.Int64List(value=labels)),
        }
        for name, size in schema.features.items():
            floats = train.FloatList(value=values[start : start + size])
            entries[schema.mean_key(name)] = train.Feature(float_list=floats)
            start += size
        encoded: bytes = train.Example(features=train.Features(feature=entries)).SerializeToString()
        return encoded


def compare_searches(name: str, primary: np.ndarray, found: Sequence[Search]) -> list[str]:
    """A line of the table of searches: seconds by `nearest` and by scikit-learn, and how many neighbours are equal."""
    ours, theirs = [], []
    for each in (found[:WARM_UP], found):  # the first imports, and starts threads
        start = perf_counter()
        ours = [nearest(primary, search.seeds, search.members, search.k) for search in each]
        middle = perf_counter()
        theirs = [brute_force(primary, search) for search in each]
        seconds, others = middle - start, perf_counter() - middle
    equal = np.concatenate([(one == other).ravel() for one, other in zip(ours, theirs, strict=True)])
    seeds = [len(search.seeds) for search in found]
    compared = np.average([len(search.members) - 1 for search in found], weights=seeds)
    numbers = f"{len(found):,}", f"{sum(seeds):,}", f"{compared:.1f}"
    times = f"{seconds:.2f}", f"{others:.2f}", f"{others / seconds:.1f}"
    return [name, *numbers, *times, f"{100 * equal.mean():.3f} %"]


def brute_force(primary: np.ndarray, search: Search) -> np.ndarray:
    """What `nearest` finds, by scikit-learn: one neighbour more, and without the seed itself."""
    from sklearn.neighbors import NearestNeighbors  # here, since it would add to the memory of augmenting

    k = min(search.k, len(search.members) - 1)
    if k < 1:
        return np.empty((len(search.seeds), 0), np.int64)
    index = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(primary[search.members])
    rows = search.members[index.kneighbors(primary[search.seeds], return_distance=False)]
    others = rows != search.seeds[:, None]
    others[others.all(axis=1), -1] = False  # behind as many equal ones the seed itself is not found
    return rows[others].reshape(len(search.seeds), k)
