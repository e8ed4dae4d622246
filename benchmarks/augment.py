"""Augmentation against the obvious loops, and its memory: `python -m benchmarks.augment FOLDER_OR_MANIFEST`.

Each measurement has a process of its own. docs/benchmarks.md says what the lines mean.
"""

import argparse
import resource
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from benchmarks import _processes
from benchmarks._loop import Loop, compare_searches, first_seeds, searches
from benchmarks._processes import Failed, peak_memory, say, show
from yt8m.augmentation.recipes import Kind, recipes
from yt8m.augmentation.synthesis import Chunk, augment_shards, chunks_of, read_chunk, write_chunk
from yt8m.commands._trained import positive
from yt8m.core.cluster import cores, workers
from yt8m.core.errors import InputError
from yt8m.core.schema import Level, Schema
from yt8m.intake.scans import read
from yt8m.intake.split import list_shards
from yt8m.records.manifest import DataError, place, root
from yt8m.records.remote import Place
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode_labels, encode_means, read_videos
from yt8m.settings.loading import load
from yt8m.settings.params import Augment, Params

SAMPLE = 10_000  # seeds of the loop: 10 to 40 seconds
FULL_SHARDS = 256  # of a chunk at full size
LARGE = 100  # videos of a class, so that the work of a search exceeds the cost of a call
TOLERANCE = 1e-5  # between a feature of the loop and of augment
NOISE_TOLERANCE = 0.2  # between a video's noise and the parameter's, as a share; few values scatter more


@dataclass(frozen=True)
class Work:
    """What is augmented: shards with the videos each holds, videos by class, and how."""

    shards: list[tuple[Place, int]]
    counts: np.ndarray
    schema: Schema
    augment: Augment

    def primary(self, chunk: Chunk) -> np.ndarray:
        """The feature by which neighbours are found."""
        return chunk.features[:, : self.schema.features[self.schema.primary]]

    def changed(self, **changes: object) -> "Work":
        """The same work with other values in its section `augment`."""
        return replace(self, augment=self.augment.model_copy(update=changes))


class Speed(NamedTuple):
    """How many videos were made in how many seconds."""

    videos: int
    seconds: float


def survey(source: Path, params: Params, threshold: int | None) -> Work:
    """The video-level shards of a folder or of a manifest that `yt8m manifest` wrote, with their videos and labels.

    Raises:
        InputError: where there are none, or a record does not fit the schema.
    """
    names, recorded = list_shards(source, "**/*.tfrecord")
    found = [name for name in names if name not in recorded or recorded[name].level is Level.VIDEO]
    if not found:
        raise DataError(f"{source}: expected video-level shards, found none")
    base, schema = root(source), params.data.layout
    paths = [place(name, base, recorded.get(name)).resolve() for name in found]
    scans = [read(path, Level.VIDEO, schema) for path in paths]
    shards = [(path, each.shard.videos) for path, each in zip(paths, scans, strict=True)]
    work = Work(shards, np.sum([each.labels for each in scans], axis=0), schema, params.augment)
    return work.changed(threshold=threshold or params.augment.threshold)


# What is measured, each in a process of its own.


def augmented(work: Work, folder: Path) -> tuple[Speed, list[int], int]:
    """Augment the shards into a folder; also videos by kind, and the peak memory."""
    start = perf_counter()
    chunks = len(chunks_of(work.shards, work.augment.chunk_shards))
    with workers(None, min(chunks, cores())) as spread:  # a cluster's workers would be no children, nor their memory
        made = augment_shards(work.shards, work.counts, work.schema, folder, work.augment, spread)
    seconds = perf_counter() - start
    return Speed(int(made.kinds.sum()), seconds), made.kinds.tolist(), peak_memory_of_any()


def peak_memory_of_any() -> int:
    """The most bytes that this process or the largest of its workers has held at a time."""
    return max(peak_memory(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def looped(work: Work, folder: Path, sample: int) -> dict[str, Any]:
    """Make the videos of a sample of seeds by the loop, and compare them with those in the folder.

    Returns:
        Seconds of searching and of making, how many videos, and how many of them differ, by what differs.
    """
    chunk = read_chunk(work.shards, work.schema)
    taken = first_seeds(searches(chunk.labels, work.counts, work.augment), sample)
    with TemporaryDirectory() as own:
        path = Path(own) / "loop.tfrecord"
        loop = Loop(chunk, work.schema, work.augment)
        loop.run(taken, path)
        by_loop = list(read_videos(path, Level.VIDEO, work.schema))
    return {
        "search": loop.searching,
        "make": loop.making,
        "seeds": sum(len(search.seeds) for search in taken),
        "videos": len(by_loop),
        "differing": differences(work, loop, by_loop, sorted(folder.iterdir())),
    }


def differences(work: Work, loop: Loop, by_loop: Sequence[Video], written: Iterable[Path]) -> dict[str, int]:
    """How many of the loop's videos are not what augment wrote for the same seeds, by what differs.

    Noise is drawn anew, so that of it only the strength is compared.
    """
    seeds = {loop.chunk.ids[seed] for _, seed, _ in loop.made.values()}
    of_seeds = [
        video
        for path in written
        for video in read_videos(path, Level.VIDEO, work.schema)
        if video.id.partition("~")[0] in seeds
    ]
    expected, received = {video.id: video for video in of_seeds}, {video.id: video for video in by_loop}
    found = dict.fromkeys(("labels", "features", "noise"), 0)
    found["id"] = len(expected.keys() ^ received.keys())
    found["repeated"] = len(of_seeds) - len(expected) + len(by_loop) - len(received)
    for id in expected.keys() & received.keys():
        kind, seed, _ = loop.made[id]
        found["labels"] += not np.array_equal(expected[id].labels, received[id].labels)
        values = side_by_side(expected[id])
        if kind is Kind.NOISE:
            noise, tolerance = work.augment.noise, NOISE_TOLERANCE + 4 / np.sqrt(2 * len(values))
            found["noise"] += bool(abs(np.std(values - loop.chunk.features[seed]) - noise) > tolerance * noise)
        else:
            found["features"] += bool(np.abs(values - side_by_side(received[id])).max() > TOLERANCE)
    return found


def side_by_side(video: Video) -> np.ndarray:
    """All features of a video, (width,)."""
    return np.concatenate([rows[0] for rows in video.features.values()])


def at_once(work: Work, sample: int) -> tuple[Speed, Speed]:
    """Search and make all of a chunk's videos as the stage does, and again make those of the loop's seeds alone."""
    chunk, augment = read_chunk(work.shards, work.schema), work.augment
    taken = first_seeds(searches(chunk.labels, work.counts, augment), sample)
    seeds = np.concatenate([search.seeds for search in taken])
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / str(index) for index in range(len(work.shards))]
        start = perf_counter()
        given = chunk.ids, chunk.labels, work.primary(chunk), work.counts
        made = recipes(*given, threshold=augment.threshold, most=augment.neighbours, partners="class")
        write_chunk(chunk, made, work.schema, paths, augment, np.random.default_rng(augment.seed))
        everything = Speed(len(made.kind), perf_counter() - start)
        some = made.take(np.isin(made.seed, seeds))
        start = perf_counter()
        write_chunk(chunk, some, work.schema, paths, augment, np.random.default_rng(augment.seed))
        return everything, Speed(len(some.kind), perf_counter() - start)


def searched(work: Work) -> list[list[str]]:
    """Neighbour searches alone, by `nearest` and by scikit-learn: those of augment, of all classes, of large ones."""
    chunk = read_chunk(work.shards, work.schema)
    everywhere = searches(chunk.labels, work.counts, work.changed(threshold=None).augment)
    cases = {
        "rare classes": searches(chunk.labels, work.counts, work.augment),
        "all classes": everywhere,
        f"of {LARGE} videos or more": [search for search in everywhere if len(search.members) >= LARGE],
    }
    return [compare_searches(name, work.primary(chunk), found) for name, found in cases.items() if found]


def write_random(work: Work, folder: Path, shards: int, videos: int) -> Work:
    """Write shards of random features, and labels as videos of the input have them; one chunk of them is other work."""
    labels = [video.labels for path, _ in work.shards for video in read_videos(path, Level.VIDEO, work.schema)]
    random = np.random.default_rng(0)
    paths = [folder / f"random{index:04d}.tfrecord" for index in range(shards)]
    for path in paths:
        ids = [f"{path.stem}-{index}" for index in range(videos)]
        drawn = [encode_labels(labels[row], work.schema) for row in random.integers(len(labels), size=videos).tolist()]
        features = random.standard_normal((videos, work.schema.width), np.float32)
        write_records(path, encode_means(ids, drawn, features, work.schema))
    return replace(work.changed(chunk_shards=shards), shards=[(path, videos) for path in paths])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augment", description="Time the augmentation.")
    parser.add_argument("source", type=Path, metavar="FOLDER_OR_MANIFEST", help="of video-level shards")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    parser.add_argument("--threshold", type=positive, help="default: the parameter file's augment.threshold")
    parser.add_argument("--sample", type=positive, default=SAMPLE, help=f"seeds of the loop; default: {SAMPLE}")
    parser.add_argument("--shards", type=positive, nargs=2, default=[8, 16], help="of random chunks; default: 8 16")
    parser.add_argument("--videos-per-shard", type=positive, default=1300, help="of random chunks; default: 1300")
    args = parser.parse_args(argv)
    try:
        work = survey(args.source, load(args.params), args.threshold)
        differing = against_the_loop(work, args.sample)
        say("neighbour searches alone ...")
        header = ["", "searches", "seeds", "videos compared with", "nearest s", "scikit-learn s"]
        header += ["scikit-learn / nearest", "equal neighbours"]
        show("neighbour searches", header, _processes.apart(searched, work))
        memory(work, sorted(args.shards), args.videos_per_shard)
    except (InputError, Failed) as error:
        sys.exit(f"augment: {error}")
    if differing:
        say(f"failed: expected the loop's videos to be augment's, received others: {differing}")
    sys.exit(int(bool(differing)))


def against_the_loop(work: Work, sample: int) -> dict[str, int]:
    """Augment all shards, make some videos by the loop, and print both speeds; return what differs."""
    with TemporaryDirectory() as folder:
        say("augmenting all shards ...")
        whole, kinds, peak = _processes.apart(augmented, work, Path(folder))
        say(f"the loop, {sample:,} seeds ...")
        loop = _processes.apart(looped, work, Path(folder), sample)
    say("the loop's work at once ...")
    everything, some = _processes.apart(at_once, work, sample)
    before = sum(videos for _, videos in work.shards)
    row = [f"{count:,}" for count in (before, whole.videos, *kinds)]
    row += [f"{whole.seconds:.1f}", f"{whole.videos / whole.seconds:,.0f}", f"{peak / 1e9:.2f}"]
    header = ["videos before", "after", *(kind.name.lower() for kind in Kind), "s", "videos/s", "peak GB"]
    title = f"augment, threshold {work.augment.threshold}, at most {work.augment.neighbours} neighbours"
    show(title, header, [row])
    by_loop = Speed(loop["videos"], loop["search"] + loop["make"])
    header = ["", "augment: videos", "loop: videos", "augment: videos/s", "loop: videos/s", "augment / loop"]
    pairs = {
        "all of it": (whole, by_loop),
        "without reading": (everything, by_loop),
        "over the same neighbours": (some, Speed(loop["videos"], loop["make"])),
    }
    rows = []
    for name, pair in pairs.items():
        speeds = [each.videos / each.seconds for each in pair]
        taken = [f"{each.videos:,} in {each.seconds:.2f} s" for each in pair]
        rows.append([name, *taken, *(f"{speed:,.0f}" for speed in speeds), f"{speeds[0] / speeds[1]:.1f}"])
    show("augment and the loop", header, rows)
    return {what: number for what, number in loop["differing"].items() if number}


def memory(work: Work, shards: Sequence[int], videos_per_shard: int) -> None:
    """Augment chunks of random shards; print their memory, and what follows for a chunk of full size."""
    rows, peaks = [], []
    for number in shards:
        say(f"{number} random shards ...")
        with TemporaryDirectory() as folder:
            other = _processes.apart(write_random, work, Path(folder), number, videos_per_shard)
            made, _, peak = _processes.apart(augmented, other, Path(folder) / "out")
        peaks.append(peak)
        rows.append([str(number), f"{number * videos_per_shard:,}", f"{made.videos:,}", f"{peak / 1e9:.3f}"])
    show("memory of a chunk", ["shards", "videos", "videos written", "peak GB"], rows)
    slope = (peaks[1] - peaks[0]) / ((shards[1] - shards[0]) * videos_per_shard)
    full, large = FULL_SHARDS * videos_per_shard, shards[1] * videos_per_shard
    say(
        f"{slope:,.0f} bytes a video; {FULL_SHARDS} shards of {videos_per_shard:,} videos: {peaks[1] / 1e9:.3f} GB "
        f"+ {slope:,.0f} x ({full:,} - {large:,}) = {(peaks[1] + slope * (full - large)) / 1e9:.2f} GB"
    )


if __name__ == "__main__":
    main()
