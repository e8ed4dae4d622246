"""The obvious loop over videos, and neighbour searches by scikit-learn: what augmentation is compared with."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from yt8m.augmentation.neighbours import nearest
from yt8m.augmentation.recipes import Kind, Recipes
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
    rarest = rarest_labels(labels, counts)
    ends = np.cumsum([0, *(len(row) for row in labels)])
    flat = np.concatenate(labels)
    carriers = csr_array((np.ones(len(flat), np.int8), flat, ends), (len(labels), len(counts))).tocsc()
    return [
        Search(
            np.flatnonzero(rarest == label),
            carriers.indices[slice(*carriers.indptr[label : label + 2])].astype(np.int64),
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


def mean_members(found: Sequence[Search]) -> float:
    """How many videos a seed is compared with, on average."""
    return float(np.average([len(s.members) - 1 for s in found], weights=[len(s.seeds) for s in found]))


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
        size = self.schema.features[self.schema.primary]
        features, distances = self.chunk.features, []
        x = features[seed, :size]
        for other in members:
            if other != seed:
                difference = (x - features[other, :size]).astype(np.float64)
                distances.append((difference @ difference, other))
        return [other for _, other in sorted(distances)]

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
        entries = {
            self.schema.id_key: train.Feature(bytes_list=train.BytesList(value=[id.encode()])),
            self.schema.labels_key: train.Feature(
                int64_list=train.Int64List(value=self.chunk.labels[seed].tolist()),
            ),
        }
        start = 0
        for name, size in self.schema.features.items():
            floats = train.FloatList(value=values[start : start + size])
            entries[self.schema.mean_key(name)] = train.Feature(float_list=floats)
            start += size
        encoded: bytes = train.Example(features=train.Features(feature=entries)).SerializeToString()
        return encoded

    def recipes(self) -> Recipes:
        """What was made, in order."""
        return Recipes(*np.array(list(self.made.values()), np.int64).reshape(-1, 3).T)


def compare_searches(primary: np.ndarray, found: Sequence[Search]) -> dict[str, Any]:
    """Seconds of all searches by `nearest` and by scikit-learn, and the share of neighbours that are the same."""
    ways = (lambda search: nearest(primary, search.seeds, search.members, search.k), partial(brute_force, primary))
    for way in ways:
        timed(way, found[:WARM_UP])  # imports, and starts of threads
    (ours, seconds), (theirs, others) = (timed(way, found) for way in ways)
    same = [np.mean(one == other) for one, other in zip(ours, theirs, strict=True) if one.size]
    return {
        "searches": len(found),
        "seeds": sum(len(search.seeds) for search in found),
        "members": mean_members(found),
        "seconds": seconds,
        "sklearn": others,
        "equal": float(np.average(same, weights=[one.size for one in ours if one.size])) if same else 1.0,
    }


def timed(search_by: Callable[[Search], np.ndarray], found: Iterable[Search]) -> tuple[list[np.ndarray], float]:
    """The neighbours of all searches, and the seconds they took."""
    start = perf_counter()
    return [search_by(search) for search in found], perf_counter() - start


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
