"""What benchmarks.augment measures, each in a process of its own."""

import resource
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from joblib.externals.loky import get_reusable_executor
from pydantic import BaseModel

from benchmarks._common import peak_memory
from benchmarks._loop import Loop, compare_searches, first_seeds, mean_members, searches
from yt8m.augmentation.recipes import Kind, Recipes, recipes
from yt8m.augmentation.synthesis import Chunk, augment_shards, read_chunk, write_chunk
from yt8m.core.schema import Level, Schema
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode_labels, encode_means, read_videos
from yt8m.settings.params import Augment

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
        "memory": peak_memory_of_any(),
    }


def peak_memory_of_any() -> int:
    """The most bytes that this process or the largest of its workers has held at a time."""
    get_reusable_executor().shutdown(wait=True)  # a process counts its children when they have ended
    return max(peak_memory(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def looped(work: Mapping[str, Any], folder: str, sample: int) -> dict[str, Any]:
    """Make the videos of a sample of seeds by the loop, and compare them with those in the folder.

    Returns:
        The loop's seconds of searching and of making, how many seeds and videos; how many members a seed of the sample
        is compared with on average, and a seed of all; and how many videos differ, by what differs.
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
    return {
        "search": loop.searching,
        "make": loop.making,
        "seeds": sum(len(search.seeds) for search in taken),
        "videos": len(by_loop),
        "members": mean_members(taken),
        "members_of_all": mean_members(found),
        "differing": differences(chunk, loop, by_loop, sorted(Path(folder).iterdir()), task),
    }


def at_once(work: Mapping[str, Any], sample: int) -> dict[str, Any]:
    """Search and make all of a chunk's videos as `augment_chunk` does, and again make those of the loop's seeds.

    Returns:
        Seconds of searching and of making, and how many videos; the same of the sample, whose neighbours are given.
    """
    task = Work.model_validate(work)
    chunk, start = task.read(), perf_counter()
    made = recipes_of(chunk, task)
    middle = perf_counter()
    make(chunk, made, task)
    end = perf_counter()
    taken = first_seeds(searches(chunk.labels, task.by_class, task.augment), sample)
    some = made.take(np.isin(made.seed, np.concatenate([search.seeds for search in taken])))
    again = perf_counter()
    make(chunk, some, task)
    return {
        "search": middle - start,
        "make": end - middle,
        "videos": len(made.kind),
        "make_sample": perf_counter() - again,
        "videos_of_sample": len(some.kind),
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


def recipes_of(chunk: Chunk, task: Work) -> Recipes:
    """All recipes of a chunk."""
    augment, primary = task.augment, chunk.features[:, : task.layout.features[task.layout.primary]]
    return recipes(
        chunk.ids, chunk.labels, primary, task.by_class, threshold=augment.threshold, most=augment.neighbours
    )


def make(chunk: Chunk, made: Recipes, task: Work) -> None:
    """Make, write and sum videos as `augment_chunk` does, to as many shards; they are removed."""
    augment = task.augment
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / str(index) for index in range(len(task.shards))]
        random = np.random.default_rng(augment.seed)
        write_chunk(chunk, made, task.layout, paths, augment.step, augment.noise, random)


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
