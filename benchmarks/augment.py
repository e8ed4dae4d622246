"""Augmentation against the obvious loops, and its memory: `python -m benchmarks.augment FOLDER_OR_MANIFEST`.

Each measurement has a process of its own. docs/benchmarks.md says what the lines mean.
"""

import argparse
import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from joblib.externals.loky import get_reusable_executor
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_array

from benchmarks._common import Failed, apart, console
from benchmarks.train_step import positive
from yt8m.augmentation.neighbours import nearest
from yt8m.augmentation.recipes import Kind, Recipes, recipes
from yt8m.augmentation.regimes import neighbours, rarest_labels
from yt8m.augmentation.synthesis import IDS, Chunk, augment_shards, read_chunk, records
from yt8m.data.manifest import SOURCE, DataError, locate, read_manifest
from yt8m.data.split import scan
from yt8m.data.tfrecord import write_records
from yt8m.data.videos import Video, encode_labels, encode_means, read_videos
from yt8m.errors import InputError
from yt8m.params import Augment, Params, load
from yt8m.schema import Level, Schema

SAMPLE = 10_000  # seeds of the loop: 10 to 40 seconds
FULL_SHARDS = 256  # of a chunk at full size
WARM_UP = 10  # searches before those that are timed
LARGE = 100  # videos of a class, so that the work of a search exceeds the cost of a call
TOLERANCE = 1e-5  # between a feature of the loop and of augment
NOISE_TOLERANCE = 0.2  # between the standard deviation of a video's noise and the parameter's, as a share of the latter


class Work(BaseModel):
    """What a measurement's process is given.

    Attributes:
        shards: paths, and how many videos each holds.
        counts: videos by class.
        layout: of the videos.
        augment: the parameters.
    """

    shards: list[tuple[Path, int]]
    counts: list[int]
    layout: Schema
    augment: Augment

    @property
    def videos(self) -> int:
        """How many the shards hold."""
        return sum(videos for _, videos in self.shards)

    @property
    def by_class(self) -> np.ndarray:
        """`counts`, (classes,) int64."""
        return np.array(self.counts)

    def read(self) -> Chunk:
        """All shards as one chunk."""
        return read_chunk(self.shards, self.layout)


# What is measured, each in a process of its own.


def augmented(work: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Augment the shards into a folder: seconds, videos by kind, bytes written and peak memory."""
    task = Work.model_validate(work)
    start = perf_counter()
    made = augment_shards(task.shards, task.by_class, task.layout, Path(folder), **task.augment.model_dump())
    seconds = perf_counter() - start
    return {
        "seconds": seconds,
        "kinds": made.kinds.tolist(),
        "bytes": sum(shard.bytes for shard in made.shards),
        "memory": peak_memory(),
    }


def peak_memory() -> int:
    """The most bytes that this process or the largest of its workers has held at a time."""
    get_reusable_executor().shutdown(wait=True)  # a process counts its children when they have ended
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def looped(work: Mapping[str, Any], folder: str, sample: int) -> dict[str, Any]:
    """Make the videos of a sample of seeds by the loop, and compare them with those in the folder.

    Returns:
        The loop's seconds of searching and of making, how many seeds and videos; the seconds that augment's functions
        take to make the same, and to search and make everything, and how many videos that is; how many members a seed
        of the sample is compared with on average, and a seed of all; and how many videos differ, by what differs.
    """
    task = Work.model_validate(work)
    chunk = task.read()
    found = searches(chunk.labels, task.by_class, task.augment)
    taken = first_seeds(found, sample)
    with TemporaryDirectory() as own:
        path = Path(own) / "loop.tfrecord"
        loop = Loop(chunk, task.layout, task.augment)
        loop.run(taken, path)
        by_loop = list(read_videos(path, Level.VIDEO, task.layout))
        start = perf_counter()
        make_at_once(chunk, loop.recipes(), task, path)
        made = perf_counter()
        everything = make_at_once(chunk, recipes_of(chunk, task), task, path)
        end = perf_counter()
    return {
        "search": loop.searching,
        "make": loop.making,
        "seeds": sum(len(search.seeds) for search in taken),
        "videos": len(by_loop),
        "make_at_once": made - start,
        "everything": end - made,
        "videos_of_all": everything,
        "members": mean_members(taken),
        "members_of_all": mean_members(found),
        "differing": differences(chunk, loop, by_loop, sorted(Path(folder).iterdir()), task),
    }


def searched(work: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Neighbour searches alone, by `nearest` and by scikit-learn: those of augment, of all classes, of large ones."""
    task = Work.model_validate(work)
    chunk = task.read()
    primary = chunk.features[:, : task.layout.features[task.layout.primary]]
    everywhere = searches(chunk.labels, task.by_class, task.augment.model_copy(update={"threshold": None}))
    cases = {
        "rare classes": searches(chunk.labels, task.by_class, task.augment),
        "all classes": everywhere,
        f"of {LARGE} videos or more": [search for search in everywhere if len(search.members) >= LARGE],
    }
    return {name: compare_searches(primary, found) for name, found in cases.items() if found}


def write_random(work: Mapping[str, Any], folder: str, shards: int, videos: int) -> dict[str, Any]:
    """Write shards of random features, and labels as videos of the input have them; return them as other work."""
    task = Work.model_validate(work)
    labels = [video.labels for path, _ in task.shards for video in read_videos(path, Level.VIDEO, task.layout)]
    random = np.random.default_rng(0)
    paths = [Path(folder) / f"random{index:04d}.tfrecord" for index in range(shards)]
    for path in paths:
        ids = [f"{path.stem}-{index}" for index in range(videos)]
        drawn = [encode_labels(labels[row], task.layout) for row in random.integers(len(labels), size=videos).tolist()]
        features = random.standard_normal((videos, task.layout.width), np.float32)
        write_records(path, encode_means(ids, drawn, features, task.layout))
    augment = task.augment.model_copy(update={"chunk_shards": shards})
    other = task.model_copy(update={"shards": [(path, videos) for path in paths], "augment": augment})
    return other.model_dump(mode="json")


# The obvious loop.


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
        """An `Example`, by TensorFlow's classes; of a list, for of an array they take four times as long."""
        entries = {
            self.schema.id_key: train.Feature(bytes_list=train.BytesList(value=[id.encode()])),
            self.schema.labels_key: train.Feature(
                int64_list=train.Int64List(value=self.chunk.labels[seed].tolist()),
            ),
        }
        start = 0
        for name, size in self.schema.features.items():
            floats = train.FloatList(value=values[start : start + size].tolist())
            entries[self.schema.mean_key(name)] = train.Feature(float_list=floats)
            start += size
        encoded: bytes = train.Example(features=train.Features(feature=entries)).SerializeToString()
        return encoded

    def recipes(self) -> Recipes:
        """What was made, in order."""
        return Recipes(*np.array(list(self.made.values()), np.int64).reshape(-1, 3).T)


def recipes_of(chunk: Chunk, task: Work) -> Recipes:
    """All recipes of a chunk, in random order, as `augment_chunk` has them."""
    augment, primary = task.augment, chunk.features[:, : task.layout.features[task.layout.primary]]
    made = recipes(
        chunk.ids, chunk.labels, primary, task.by_class, threshold=augment.threshold, most=augment.neighbours
    )
    return made.take(np.random.default_rng(augment.seed).permutation(len(made.kind)))


def make_at_once(chunk: Chunk, made: Recipes, task: Work, path: Path) -> int:
    """Make and write videos as `augment_chunk` does, block by block; how many."""
    step, noise, random = task.augment.step, task.augment.noise, np.random.default_rng(task.augment.seed)
    labels = [encode_labels(row, task.layout) for row in chunk.labels]
    written: int = write_records(path, records(chunk, made, labels, task.layout, step, noise, random))
    return written


def differences(
    chunk: Chunk, loop: Loop, by_loop: Sequence[Video], written: Iterable[Path], task: Work
) -> dict[str, int]:
    """How many of the loop's videos are not what augment wrote for the same seeds, by what differs.

    Noise is drawn anew, so that of it only the strength is compared.
    """
    seeds = {chunk.ids[seed] for _, seed, _ in loop.made.values()}
    of_seeds = [
        video
        for path in written
        for video in read_videos(path, Level.VIDEO, task.layout)
        if video.id.partition("~")[0] in seeds
    ]
    expected, received = {video.id: video for video in of_seeds}, {video.id: video for video in by_loop}
    both = [(expected[id], received[id], loop.made[id]) for id in expected.keys() & received.keys()]
    return {
        "id": len(expected.keys() ^ received.keys()),
        "repeated": len(of_seeds) - len(expected) + len(by_loop) - len(received),
        "labels": sum(not np.array_equal(video.labels, other.labels) for video, other, _ in both),
        "features": sum(
            not close(side_by_side(video), side_by_side(other))
            for video, other, (kind, *_) in both
            if kind is not Kind.NOISE
        ),
        "noise": sum(
            not as_noisy(side_by_side(video) - chunk.features[seed], task.augment.noise)
            for video, _, (kind, seed, _) in both
            if kind is Kind.NOISE
        ),
    }


def side_by_side(video: Video) -> np.ndarray:
    """All features of a video, (width,)."""
    return np.concatenate([rows[0] for rows in video.features.values()])


def close(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether no feature differs by more than the tolerance."""
    return bool(np.abs(one - other).max() <= TOLERANCE)


def as_noisy(difference: np.ndarray, noise: float) -> bool:
    """Whether differences are as strong as the noise should be; few values scatter more."""
    tolerance = NOISE_TOLERANCE + 4 / np.sqrt(2 * len(difference))
    return bool(abs(np.sqrt(np.mean(difference**2)) - noise) <= tolerance * noise)


# Neighbour searches alone.


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


# The command.


@dataclass(frozen=True)
class Memory:
    """A chunk's peak memory."""

    shards: int
    videos: int
    made: int
    bytes: int


def find_shards(source: Path, params: Params) -> list[Path]:
    """The video-level shards of a folder, or of a manifest that `yt8m manifest` or `split` wrote.

    Raises:
        InputError: where there are none.
    """
    if source.is_dir():
        paths = sorted(source.rglob("*.tfrecord"))
    elif source.is_file():
        listed = [shard for shard in read_manifest(source) if shard.level is Level.VIDEO]
        paths = [
            locate(shard, params.data.source) if shard.path.startswith(SOURCE) else source.parent / shard.path
            for shard in listed
        ]
    else:
        raise DataError(f"expected a folder of shards or a manifest file, received {source}, which does not exist")
    if not paths:
        raise DataError(f"{source}: expected video-level shards, found none")
    return [path.resolve() for path in paths]


def survey(paths: Sequence[Path], params: Params, threshold: int | None) -> Work:
    """Count videos and labels.

    Raises:
        InputError: where a record does not fit the schema, or no video has a label of a rare class.
    """
    scans = [scan(path, Level.VIDEO, params.data.layout) for path in paths]
    counts = np.sum([each.labels for each in scans], axis=0)
    # A scheduler's workers would be no children, so that their memory were not counted.
    changes = {"scheduler": None} | ({"threshold": threshold} if threshold else {})
    augment = params.augment.model_copy(update=changes)
    most = counts.sum() if augment.threshold is None else augment.threshold
    if not ((counts > 0) & (counts <= most)).any():
        raise DataError(f"expected a class of 1 to {most} videos, found none")
    return Work(
        shards=[(path, each.shard.videos) for path, each in zip(paths, scans, strict=True)],
        counts=counts.tolist(),
        layout=params.data.layout,
        augment=augment,
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augment", description="Time the augmentation.")
    parser.add_argument("source", type=Path, metavar="FOLDER_OR_MANIFEST", help="of video-level shards")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    parser.add_argument("--threshold", type=positive, help="default: the parameter file's augment.threshold")
    parser.add_argument("--sample", type=positive, default=SAMPLE, help=f"seeds of the loop; default: {SAMPLE}")
    parser.add_argument("--shards", type=positive, nargs=2, default=[8, 16], help="of random chunks; default: 8 16")
    parser.add_argument("--videos-per-shard", type=positive, default=1300, help="of random chunks; default: 1300")
    args = parser.parse_args(argv)
    if args.shards[0] >= args.shards[1]:
        parser.error(f"--shards: expected the smaller number first, received {args.shards}")
    try:
        params = load(args.params)
        work = survey(find_shards(args.source, params), params, args.threshold)
        sys.exit(run(work, args.sample, args.shards, args.videos_per_shard))
    except (InputError, Failed) as error:
        sys.exit(f"augment: {error}")


def run(work: Work, sample: int, shards: Sequence[int], videos_per_shard: int) -> int:
    """Measure and print; the exit status."""
    out, arguments = console(), {"work": work.model_dump(mode="json")}
    with TemporaryDirectory() as folder:
        out.print("augmenting all shards ...", markup=False)
        whole = apart("augment.augmented", {**arguments, "folder": folder})
        show_augmented(out, work, whole)
        out.print(f"the loop, {sample:,} seeds ...", markup=False)
        loop = apart("augment.looped", {**arguments, "folder": folder, "sample": sample})
    show_loop(out, whole, loop)
    out.print("neighbour searches alone ...", markup=False)
    show_searches(out, apart("augment.searched", arguments))
    out.print("random shards ...", markup=False)
    show_memory(out, [measure_memory(work, number, videos_per_shard) for number in shards], videos_per_shard)
    differing = {what: number for what, number in loop["differing"].items() if number}
    if differing:
        out.print(f"failed: expected the loop's videos to be augment's, received others: {differing}", markup=False)
    return int(bool(differing))


def measure_memory(work: Work, shards: int, videos: int) -> Memory:
    """The memory of augmenting one chunk of random shards; what is written is removed."""
    with TemporaryDirectory() as folder:
        arguments = {"work": work.model_dump(mode="json"), "folder": folder, "shards": shards, "videos": videos}
        other = apart("augment.write_random", arguments)
        result = apart("augment.augmented", {"work": other, "folder": str(Path(folder) / "out")})
    return Memory(shards, shards * videos, sum(result["kinds"]), result["memory"])


def show_augmented(out: Console, work: Work, result: Mapping[str, Any]) -> None:
    """Print what became of the input."""
    total, seconds = sum(result["kinds"]), result["seconds"]
    kinds = [f"{count:,}" for count in result["kinds"]]
    row = [f"{work.videos:,}", f"{total:,}", *kinds, f"{seconds:.1f}", f"{total / seconds:,.0f}"]
    row += [f"{result['bytes'] / 1e9:.2f}", f"{result['memory'] / 1e9:.2f}"]
    header = ["videos before", "after", *(kind.name.lower() for kind in Kind), "s", "videos/s", "GB written", "peak GB"]
    title = f"augment, threshold {work.augment.threshold}, at most {work.augment.neighbours} neighbours"
    print_table(out, title, header, [row])


def show_loop(out: Console, whole: Mapping[str, Any], loop: Mapping[str, Any]) -> None:
    """Print speeds of augment and of the loop, and their ratios."""
    videos, by_loop = loop["videos"], (loop["videos"], loop["search"] + loop["make"])
    pairs = {
        "all of it": ((sum(whole["kinds"]), whole["seconds"]), by_loop),
        "without reading": ((loop["videos_of_all"], loop["everything"]), by_loop),
        "over the same neighbours": ((videos, loop["make_at_once"]), (videos, loop["make"])),
    }
    rows = []
    for name, measured in pairs.items():
        speeds = [videos / seconds for videos, seconds in measured]
        cells = [f"{videos:,} in {seconds:.2f} s" for videos, seconds in measured]
        rows.append([name, *cells, *(f"{speed:,.0f}" for speed in speeds), f"{speeds[0] / speeds[1]:.1f}"])
    header = ["", "augment: videos", "loop: videos", "augment: videos/s", "loop: videos/s", "augment / loop"]
    print_table(out, "augment and the loop", header, rows)
    out.print(
        f"The loop's {loop['seeds']:,} seeds were compared with {loop['members']:.1f} videos each, which took "
        f"{loop['search']:.1f} s; over all seeds it would be {loop['members_of_all']:.1f}. Of augment, all of it "
        "includes starting processes, reading, checksums of what was written; the loop's time does not.",
        markup=False,
    )


def show_searches(out: Console, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the searches' times."""
    header = ["", "searches", "seeds", "videos compared with", "nearest s", "scikit-learn s"]
    header += ["scikit-learn / nearest", "equal neighbours"]
    rows = [
        [
            name,
            *(f"{result[key]:,}" for key in ("searches", "seeds")),
            *(f"{result[key]:.2f}" for key in ("members", "seconds", "sklearn")),
            f"{result['sklearn'] / result['seconds']:.1f}",
            f"{100 * result['equal']:.3f} %",
        ]
        for name, result in results.items()
    ]
    print_table(out, "neighbour searches", header, rows)


def show_memory(out: Console, measured: Sequence[Memory], videos_per_shard: int) -> None:
    """Print the chunks' memory, and what follows for a chunk of full size."""
    rows = [[str(m.shards), f"{m.videos:,}", f"{m.made:,}", f"{m.bytes / 1e9:.3f}"] for m in measured]
    print_table(out, "memory of a chunk", ["shards", "videos", "videos written", "peak GB"], rows)
    small, large = measured
    slope = (large.bytes - small.bytes) / (large.videos - small.videos)
    full = FULL_SHARDS * videos_per_shard
    more = full - large.videos
    out.print(
        f"{slope:,.0f} bytes a video; {FULL_SHARDS} shards of {videos_per_shard:,} videos: {large.bytes / 1e9:.3f} GB "
        f"+ {slope:,.0f} x ({full:,} - {large.videos:,}) = {(large.bytes + slope * more) / 1e9:.2f} GB",
        markup=False,
    )


def print_table(out: Console, title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows; numbers, which all columns with a heading hold, at the right."""
    table = Table(title=title, title_justify="left")
    for heading in header:
        table.add_column(heading, justify="right" if heading else "left")
    for row in rows:
        table.add_row(*row)
    out.print(table)


if __name__ == "__main__":
    main()
