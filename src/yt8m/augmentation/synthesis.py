"""Videos made of others in feature space (section 3.1): by interpolation, extrapolation and noise, chunk by chunk."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from yt8m.augmentation.recipes import Kind, Recipes, recipes
from yt8m.core.cluster import Spread
from yt8m.core.schema import Level, Schema
from yt8m.records.manifest import Shard, describe
from yt8m.records.remote import Place
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import encode_labels, encode_means, read_videos
from yt8m.settings.params import Augment

Source = tuple[Place, int]  # a video-level shard, and how many videos it holds

BLOCK = 1024  # videos made at a time
WRITERS = 2  # of a chunk's shards: one makes videos while the other's are written and summed
IDS = {  # of a seed's and a neighbour's
    Kind.ORIGINAL: "{0}",
    Kind.INTERPOLATED: "{0}~int~{1}",
    Kind.EXTRAPOLATED: "{0}~ext~{1}",
    Kind.NOISE: "{0}~noise",
}


class Chunk(NamedTuple):
    """The videos of some shards.

    Attributes:
        ids: of each.
        labels: of each, ascending.
        features: all features of each side by side, (videos, width) float32.
    """

    ids: list[str]
    labels: list[np.ndarray]
    features: np.ndarray


class Augmented(NamedTuple):
    """What was written.

    Attributes:
        shards: described, at the paths written to.
        kinds: videos by `Kind`.
        labels: videos by class, (classes,).
    """

    shards: list[Shard]
    kinds: np.ndarray
    labels: np.ndarray


def read_chunk(shards: Sequence[Source], schema: Schema) -> Chunk:
    """Read shards into one array.

    Raises:
        RecordError: for the first record that does not fit the schema.
    """
    ids: list[str] = []
    labels: list[np.ndarray] = []
    features = np.empty((sum(videos for _, videos in shards), schema.width), np.float32)
    for path, _ in shards:
        for video in read_videos(path, Level.VIDEO, schema):
            np.concatenate([video.features[name][0] for name in schema.features], out=features[len(ids)])
            ids.append(video.id)
            labels.append(video.labels)
    return Chunk(ids, labels, features)


def synthesize(chunk: Chunk, made: Recipes, step: float, noise: float, random: np.random.Generator) -> np.ndarray:
    """The features of the videos that recipes describe, (M, width) float32.

    `x_i + step (x_j - x_i)` (eq. 3), `x_i + step (x_i - x_j)` (eq. 4), or x_i with Gaussian noise (eq. 2).

    Args:
        noise: its standard deviation.
    """
    direction = np.zeros(len(Kind), np.float32)
    direction[[Kind.INTERPOLATED, Kind.EXTRAPOLATED]] = step, -step
    x = chunk.features[made.seed]
    x += direction[made.kind][:, None] * (chunk.features[made.other] - x)
    noisy = made.kind == Kind.NOISE
    x[noisy] += np.float32(noise) * random.standard_normal((noisy.sum(), x.shape[1]), np.float32)
    return x


def records(
    chunk: Chunk,
    made: Recipes,
    labels: Sequence[bytes],
    schema: Schema,
    settings: Augment,
    random: np.random.Generator,
) -> Iterator[bytes]:
    """The records of the videos that recipes describe, made block by block.

    Args:
        labels: of the chunk's videos, encoded.
    """
    for start in range(0, len(made.kind), BLOCK):
        block = made.take(slice(start, start + BLOCK))
        made_of = zip(*(column.tolist() for column in block), strict=True)
        ids = [IDS[Kind(kind)].format(chunk.ids[seed], chunk.ids[other]) for kind, seed, other in made_of]
        encoded = [labels[row] for row in block.seed.tolist()]
        features = synthesize(chunk, block, settings.step, settings.noise, random)
        yield from encode_means(ids, encoded, features, schema)


def write_chunk(
    chunk: Chunk,
    made: Recipes,
    schema: Schema,
    paths: Sequence[Path],
    settings: Augment,
    random: np.random.Generator,
) -> list[Shard]:
    """Make the videos that recipes describe and write them, in random order, to shards of the same size."""
    # In order of classes a training's shuffle buffer would see one class after another.
    parts = np.array_split(random.permutation(len(made.kind)), len(paths))
    labels = [encode_labels(row, schema) for row in chunk.labels]

    def write(path: Path, part: np.ndarray, random: np.random.Generator) -> Shard:
        videos = records(chunk, made.take(part), labels, schema, settings, random)
        return describe(path, Level.VIDEO, write_records(path, videos))

    with ThreadPoolExecutor(WRITERS) as writers:
        return list(writers.map(write, paths, parts, random.spawn(len(paths))))


def augment_chunk(
    shards: Sequence[Source],
    counts: np.ndarray,
    schema: Schema,
    paths: Sequence[Path],
    settings: Augment,
    index: int,
) -> Augmented:
    """Augment the videos of some shards and write them, in random order, to as many shards.

    Args:
        counts: training videos by class over the whole data set, (classes,).
        paths: to write to, one for each shard.
        index: of the chunk, which draws from (seed, index).
    """
    chunk = read_chunk(shards, schema)
    random = np.random.default_rng((settings.seed, index))
    primary = chunk.features[:, : schema.features[schema.primary]]
    made = recipes(
        chunk.ids,
        chunk.labels,
        primary,
        counts,
        threshold=settings.threshold,
        most=settings.neighbours,
        partners=settings.partners,
    )
    written = write_chunk(chunk, made, schema, paths, settings, random)
    kinds = np.bincount(made.kind, minlength=len(Kind))
    videos = np.bincount(made.seed, minlength=len(chunk.ids))
    weights = np.repeat(videos, [len(row) for row in chunk.labels])
    flat = np.concatenate([np.empty(0, np.int64), *chunk.labels])
    return Augmented(written, kinds, np.bincount(flat, weights, schema.classes).astype(np.int64))


def augment_shards(
    shards: Sequence[Source], counts: np.ndarray, schema: Schema, out: Path, settings: Augment, spread: Spread
) -> Augmented:
    """Augment chunks of shards independently, and write as many shards of `Example`s below `out`.

    Memory holds one chunk's features a process, whatever the size of the data.

    Args:
        counts: training videos by class over the whole data set, (classes,).
        spread: divides the chunks among workers, which see the same files; the bytes do not depend on them.
    """
    # Absolute, since a cluster's workers need not run in this folder.
    paths = [out.resolve() / f"augmented{index:04d}.tfrecord" for index in range(len(shards))]
    shards = [(path.resolve(), videos) for path, videos in shards]
    chunks = chunks_of(shards, settings.chunk_shards)
    out.mkdir(parents=True, exist_ok=True)
    results = spread(
        augment_chunk,
        ((shards[chunk], counts, schema, paths[chunk], settings, index) for index, chunk in enumerate(chunks)),
    )
    done = list(tqdm(results, "augmenting", len(chunks), unit="chunk", disable=None))
    return Augmented(
        [shard for result in done for shard in result.shards],
        np.sum([result.kinds for result in done], axis=0),
        np.sum([result.labels for result in done], axis=0),
    )


def chunks_of(shards: Sequence[Source], size: int) -> list[slice]:
    """The chunks of `size` shards; the last may be smaller."""
    return [slice(start, start + size) for start in range(0, len(shards), size)]
