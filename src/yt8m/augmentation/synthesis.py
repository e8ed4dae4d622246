"""Videos made of others in feature space (section 3.1): by interpolation, extrapolation and noise."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from yt8m.augmentation.neighbours import nearest
from yt8m.augmentation.regimes import kept, neighbours, rarest_label
from yt8m.data.tfrecord import write_records
from yt8m.data.videos import Video, encode, read_videos
from yt8m.schema import Level, Schema

KINDS = ("original", "interpolated", "extrapolated", "noise")


def augment(
    videos: Sequence[Video],
    counts: np.ndarray,
    schema: Schema,
    *,
    threshold: int,
    step: float,
    noise: float,
    random: np.random.Generator,
) -> Iterator[tuple[str, Video]]:
    """The augmented videos of a chunk, each with its kind.

    A video of a frequent class is kept or left out. One of a rare class stays, and each of its nearest neighbours
    among the chunk's videos with its rarest label (by the primary feature) gives `x_i + step (x_j - x_i)` (eq. 3)
    and `x_i + step (x_i - x_j)` (eq. 4), with the labels of x_i; a pair is used once. Where no neighbour is left,
    one copy with Gaussian noise stands in (eq. 2). An id says what it was made of: `SEED~int~NEIGHBOUR`,
    `SEED~ext~NEIGHBOUR`, `SEED~noise`.

    Args:
        videos: video-level, one frame each.
        counts: training videos by class over the whole data set, (classes,).
        threshold: classes with more videos are sub-sampled, all others over-sampled.
        step: of eq. 3 and 4.
        noise: standard deviation of eq. 2.
    """
    classes: dict[int, list[int]] = {}
    for row, video in enumerate(videos):
        for label in video.labels:
            classes.setdefault(int(label), []).append(row)
    seeds: dict[int, list[int]] = {}
    for row, video in enumerate(videos):
        if not len(video.labels):
            yield "original", video  # no label, no regime
            continue
        label = rarest_label(video.labels, counts)
        if counts[label] <= threshold or kept(video.id, int(counts[label]), threshold):
            yield "original", video
        if counts[label] <= threshold:
            seeds.setdefault(label, []).append(row)
    primary = np.array([video.features[schema.primary][0] for video in videos])
    used: set[tuple[int, int]] = set()
    for label, rows in sorted(seeds.items()):
        members = np.array(classes[label])
        found = members[nearest(primary[members], neighbours(int(counts[label]), threshold))]
        for row in rows:
            near = [int(other) for other in found[np.searchsorted(members, row)]]
            fresh = [other for other in near if (min(row, other), max(row, other)) not in used]
            used.update((min(row, other), max(row, other)) for other in fresh)
            for other in fresh:
                yield "interpolated", _between(videos[row], videos[other], step, "int")
                yield "extrapolated", _between(videos[row], videos[other], -step, "ext")
            if not fresh:
                yield "noise", _noisy(videos[row], noise, random)


def _between(seed: Video, other: Video, step: float, kind: str) -> Video:
    features = {
        name: (x + np.float32(step) * (other.features[name] - x)).astype(np.float32)
        for name, x in seed.features.items()
    }
    return Video(f"{seed.id}~{kind}~{other.id}", seed.labels, features)


def _noisy(seed: Video, sigma: float, random: np.random.Generator) -> Video:
    features = {
        name: (x + sigma * random.standard_normal(x.shape)).astype(np.float32) for name, x in seed.features.items()
    }
    return Video(f"{seed.id}~noise", seed.labels, features)


def augment_shards(
    paths: Sequence[Path],
    counts: np.ndarray,
    schema: Schema,
    out: Path,
    *,
    chunk_shards: int,
    threshold: int,
    step: float,
    noise: float,
    seed: int,
    jobs: int = -1,
) -> tuple[list[tuple[Path, int]], dict[str, int], np.ndarray]:
    """Augment chunks of shards independently and write a shard of `Example`s for each chunk below `out`.

    Args:
        paths: video-level shards.
        jobs: processes, as joblib counts them; the bytes written do not depend on it.

    Returns:
        The shards written with their number of videos, videos by kind, and label counts afterwards.
    """
    chunks = [paths[start : start + chunk_shards] for start in range(0, len(paths), chunk_shards)]

    def work(index: int) -> tuple[tuple[Path, int], Counter[str], np.ndarray]:
        videos = [video for path in chunks[index] for video in read_videos(path, Level.VIDEO, schema)]
        random = np.random.default_rng((seed, index))
        kinds: Counter[str] = Counter()
        labels = np.zeros(schema.classes, np.int64)

        def records() -> Iterator[bytes]:
            made = augment(videos, counts, schema, threshold=threshold, step=step, noise=noise, random=random)
            for kind, video in made:
                kinds[kind] += 1
                labels[video.labels] += 1
                yield encode(video, Level.VIDEO, schema)

        path = out / f"augmented{index:04d}.tfrecord"
        return (path, write_records(path, records())), kinds, labels

    results = Parallel(n_jobs=jobs, return_as="generator")(delayed(work)(index) for index in range(len(chunks)))
    written, kinds, labels = zip(*tqdm(results, "augmenting", len(chunks), unit="chunk", disable=None), strict=True)
    total = sum(kinds, Counter[str]())
    return list(written), {kind: total[kind] for kind in KINDS}, np.sum(labels, 0)
