from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.data import made
from tests.data.made import SCHEMA, same
from yt8m.augmentation.regimes import kept, neighbours
from yt8m.augmentation.synthesis import augment, augment_shards
from yt8m.data.tfrecord import read_records
from yt8m.data.videos import Video, read_videos
from yt8m.schema import Level

THRESHOLD, STEP, NOISE = 60, 0.5, 0.03
COUNTS = np.array([900, 500, 200, 80, 60, 40, 20, 10, 5, 1])  # over a data set of which tests see a chunk
ONLY = 9  # a class that one video carries


def labelled(video: Video, *labels: int) -> Video:
    return replace(video, labels=np.array(labels, np.int32))


def chunk(seed: int, size: int = 60) -> list[Video]:
    random = np.random.default_rng(seed)
    videos = [made.video_video(random, f"v{index}") for index in range(size)]
    videos = [labelled(video, *video.labels[video.labels != ONLY]) for video in videos]
    videos[7] = labelled(videos[7], ONLY)
    return videos


def run(videos: list[Video], schema=SCHEMA, counts=COUNTS, seed: int = 0) -> list[tuple[str, Video]]:
    random = np.random.default_rng(seed)
    return list(augment(videos, counts, schema, threshold=THRESHOLD, step=STEP, noise=NOISE, random=random))


def slow_pairs(videos: list[Video]) -> tuple[list[tuple[int, int]], list[int]]:
    """(seed, neighbour) of all pairs, and the seeds that get noise, by loops over all there is."""
    pairs: list[tuple[int, int]] = []
    alone: list[int] = []
    for label in range(SCHEMA.classes):
        members = [row for row, video in enumerate(videos) if label in video.labels]
        for row in members:
            rarest = min(videos[row].labels, key=lambda other: (COUNTS[other], other))
            if rarest != label or COUNTS[label] > THRESHOLD:
                continue
            distances = {
                other: np.linalg.norm(videos[row].features["rgb"] - videos[other].features["rgb"])
                for other in members
                if other != row
            }
            nearest = sorted(distances, key=lambda other: distances[other])
            fresh = [
                other
                for other in nearest[: neighbours(int(COUNTS[label]), THRESHOLD)]
                if (row, other) not in pairs and (other, row) not in pairs
            ]
            pairs += [(row, other) for other in fresh]
            alone += [] if fresh else [row]
    return pairs, alone


@pytest.mark.parametrize("seed", range(4))
def test_against_loops(seed):
    videos = chunk(seed)
    made_of = run(videos)
    pairs, alone = slow_pairs(videos)
    assert pairs
    by_id = {video.id: video for _, video in made_of}
    assert len(by_id) == len(made_of)
    expected = {f"v{i}~{kind}~v{j}" for i, j in pairs for kind in ("int", "ext")} | {f"v{i}~noise" for i in alone}
    assert {id for id in by_id if "~" in id} == expected
    assert {"v7~noise"} <= expected
    for i, j in pairs:
        for name in SCHEMA.features:
            x, other = videos[i].features[name].astype(float), videos[j].features[name].astype(float)
            inside, outside = by_id[f"v{i}~int~v{j}"], by_id[f"v{i}~ext~v{j}"]
            np.testing.assert_allclose(inside.features[name], x + STEP * (other - x), atol=1e-5)
            np.testing.assert_allclose(outside.features[name], x + STEP * (x - other), atol=1e-5)
            for video in (inside, outside):
                assert video.labels.tolist() == videos[i].labels.tolist()
                assert video.features[name].dtype == np.float32


@pytest.mark.parametrize("seed", range(4))
def test_kinds_and_values(seed):
    videos = chunk(seed)
    for kind, video in run(videos):
        mark = {"original": None, "interpolated": "int", "extrapolated": "ext", "noise": "noise"}[kind]
        assert video.id.split("~")[1:2] == ([mark] if mark else [])
        assert all(
            np.isfinite(rows).all() and rows.shape == (1, SCHEMA.features[n]) for n, rows in video.features.items()
        )


def test_originals():
    """Videos of rare classes and those without a label stay, of frequent classes those that are kept."""
    videos = chunk(0)
    videos += [labelled(made.video_video(np.random.default_rng(1), f"f{index}"), 0) for index in range(100)]
    videos[3] = labelled(videos[3])
    expected = []
    for video in videos:
        count = min((int(COUNTS[label]) for label in video.labels), default=0)
        if count <= THRESHOLD or kept(video.id, count, THRESHOLD):
            expected.append(video)
    originals = [video for kind, video in run(videos) if kind == "original"]
    assert len(originals) == len(expected) < len(videos)
    assert all(map(same, originals, expected))


def test_a_pair_is_used_once():
    """Of two videos the first takes the pair; for the second noise stands in."""
    random = np.random.default_rng(0)
    videos = [labelled(made.video_video(random, id), 8) for id in ("a", "b")]
    assert [video.id for _, video in run(videos)] == ["a", "b", "a~int~b", "a~ext~b", "b~noise"]


def test_neighbours_may_be_of_other_rarest_labels():
    """They carry the seed's rarest label, which need not be their own rarest; labels are the seed's."""
    random = np.random.default_rng(0)
    videos = [labelled(made.video_video(random, "a"), 0, 6), labelled(made.video_video(random, "b"), 6, 9)]
    made_of = {video.id: video for _, video in run(videos)}
    assert set(made_of) == {"a", "b", "a~int~b", "a~ext~b", "b~noise"}
    assert made_of["a~int~b"].labels.tolist() == [0, 6]


def test_noise():
    schema = SCHEMA.model_copy(update={"classes": 300})
    random = np.random.default_rng(0)
    videos = [labelled(made.video_video(random, f"v{index}"), index) for index in range(300)]
    noisy = [video for kind, video in run(videos, schema, np.ones(300, int)) if kind == "noise"]
    assert [video.id for video in noisy] == [f"v{index}~noise" for index in range(300)]
    for name in SCHEMA.features:
        differences = np.array([v.features[name] - o.features[name] for v, o in zip(noisy, videos, strict=True)])
        assert differences.std() == pytest.approx(NOISE, rel=0.1)
        assert abs(differences.mean()) < NOISE / 5
        assert len(np.unique(differences)) > differences.size / 2


def test_noise_depends_on_the_seed():
    videos = chunk(0)
    first, again, other = (
        np.array([video.features["rgb"] for kind, video in run(videos, seed=seed) if kind == "noise"])
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()


def test_nothing_of_nothing():
    assert run([]) == []


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "in" / f"train{index:04d}.tfrecord" for index in range(5)]
    for path in paths:
        made.write_shard(path, Level.VIDEO, 30)
    return paths


def augment_all(paths: list[Path], out: Path, jobs: int, seed: int = 0):
    return augment_shards(
        paths,
        COUNTS,
        SCHEMA,
        out,
        chunk_shards=2,
        threshold=THRESHOLD,
        step=STEP,
        noise=NOISE,
        seed=seed,
        jobs=jobs,
    )


def test_shards(tmp_path, shards):
    before = [video for path in shards for video in read_videos(path, Level.VIDEO, SCHEMA)]
    written, kinds, labels = augment_all(shards, tmp_path / "out", jobs=1)
    assert len(written) == 3
    after = [list(read_videos(path, Level.VIDEO, SCHEMA)) for path, _ in written]
    assert [count for _, count in written] == [len(videos) for videos in after]
    everything = [video for videos in after for video in videos]
    assert sum(kinds.values()) == len(everything) > len(before)
    marks = Counter([*video.id.split("~"), "original"][1] for video in everything)
    assert kinds == {
        "original": marks["original"],
        "interpolated": marks["int"],
        "extrapolated": marks["ext"],
        "noise": marks["noise"],
    }
    assert labels.tolist() == [sum(label in video.labels for video in everything) for label in range(SCHEMA.classes)]
    assert len({video.id for video in everything}) == len(everything)


def test_neighbours_are_of_the_same_chunk(tmp_path, shards):
    written, *_ = augment_all(shards, tmp_path / "out", jobs=1)
    for index, (path, _) in enumerate(written):
        chunk_names = {shard.stem for shard in shards[2 * index : 2 * index + 2]}
        for video in read_videos(path, Level.VIDEO, SCHEMA):
            seed, *mark = video.id.split("~")
            assert {id.split("_")[0] for id in (seed, *mark[1:])} <= chunk_names


def test_jobs_change_no_byte(tmp_path, shards):
    results = [augment_all(shards, tmp_path / str(jobs), jobs) for jobs in (1, 2)]
    one, two = ([(path.name, count, path.read_bytes()) for path, count in written] for written, *_ in results)
    assert one == two
    assert results[0][1] == results[1][1]
    assert results[0][2].tolist() == results[1][2].tolist()


def test_the_seed_changes_noise_alone(tmp_path, shards):
    records = []
    for seed in (0, 1):
        written, *_ = augment_all(shards, tmp_path / str(seed), 1, seed)
        records.append([bytes(record) for path, _ in written for record in read_records(path)])
    differing = [one for one, other in zip(*records, strict=True) if one != other]
    assert differing
    assert all(b"~noise" in record for record in differing)
