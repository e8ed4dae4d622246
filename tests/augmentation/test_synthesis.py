import hashlib
import resource
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.augmentation.made import COUNTS, MOST, SCHEMA, THRESHOLD, by_loops, chunk, random_chunk, recipes_of
from tests.records import made
from yt8m.augmentation import synthesis
from yt8m.augmentation.recipes import Kind
from yt8m.augmentation.synthesis import Source, augment_shards, read_chunk, synthesize
from yt8m.core.cluster import workers
from yt8m.core.schema import Level
from yt8m.records.manifest import Shard
from yt8m.records.tfrecord import RecordError, read_records, write_records
from yt8m.records.videos import Video, encode, read_videos
from yt8m.settings.params import Augment

STEP, NOISE = 0.5, 0.03
MARKS = {Kind.INTERPOLATED: "int", Kind.EXTRAPOLATED: "ext"}


def assert_made_of(x, videos, kind, row, other):
    """Whether features are what the formulas give in float64, but for noise."""
    seed_x, other_x = videos.features[row].astype(float), videos.features[other].astype(float)
    expected = {
        Kind.ORIGINAL: seed_x,
        Kind.INTERPOLATED: seed_x + STEP * (other_x - seed_x),
        Kind.EXTRAPOLATED: seed_x + STEP * (seed_x - other_x),
        Kind.NOISE: seed_x,
    }[Kind(kind)]
    np.testing.assert_allclose(x, expected, atol=6 * NOISE if kind == Kind.NOISE else 1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_features_against_the_formulas(seed):
    videos = random_chunk(seed)
    recipes = recipes_of(videos)
    x = synthesize(videos, recipes, STEP, NOISE, np.random.default_rng(0))
    assert x.dtype == np.float32
    for kind, row, other, found in zip(*(column.tolist() for column in recipes), x, strict=True):
        assert_made_of(found, videos, kind, row, other)


def test_noise():
    videos = chunk(*[[row] for row in range(10)])
    recipes = recipes_of(videos, threshold=10**6)
    noisy = recipes.kind == Kind.NOISE
    assert noisy.sum() == 10
    differences = [
        synthesize(videos, recipes, STEP, NOISE, np.random.default_rng(draw))[noisy] - videos.features
        for draw in range(100)
    ]
    assert np.std(differences) == pytest.approx(NOISE, rel=0.1)
    assert abs(np.mean(differences)) < NOISE / 5
    for axis, size in enumerate(np.shape(differences)):  # draws, videos and values are independent
        assert np.std(np.mean(differences, axis)) == pytest.approx(NOISE / np.sqrt(size), rel=0.2)


@pytest.fixture
def shards(tmp_path: Path) -> list[Source]:
    paths = [tmp_path / "in" / f"train{index:04d}.tfrecord" for index in range(5)]
    for path in paths:
        made.write_shard(path, Level.VIDEO, 30)
    return [(path, 30) for path in paths]


def augment(shards, out, *, jobs=1, seed=0, cluster=None):
    settings = Augment(
        threshold=THRESHOLD, neighbours=MOST, partners="class", chunk_shards=2, step=STEP, noise=NOISE, seed=seed
    )
    with workers(cluster, jobs) as spread:
        return augment_shards(shards, COUNTS, SCHEMA, out, settings, spread)


def written(result) -> list[list[Video]]:
    """The videos of each shard."""
    return [list(read_videos(shard.path, Level.VIDEO, SCHEMA)) for shard in result.shards]


def bytes_of(result) -> list[bytes]:
    return [Path(shard.path).read_bytes() for shard in result.shards]


def records_of(result) -> list[bytes]:
    return [bytes(record) for shard in result.shards for record in read_records(shard.path)]


@pytest.mark.parametrize("block", [7, synthesis.BLOCK])
def test_shards_hold_what_loops_over_their_chunk_give(tmp_path, shards, monkeypatch, block):
    monkeypatch.setattr(synthesis, "BLOCK", block)
    result = augment(shards, tmp_path / "out")
    by_shard = written(result)
    assert [len(videos) for videos in by_shard] == [shard.videos for shard in result.shards]
    for first in range(0, 5, 2):
        videos = read_chunk(shards[first : first + 2], SCHEMA)
        found = {video.id: video for shard in by_shard[first : first + 2] for video in shard}
        assert len(found) == sum(map(len, by_shard[first : first + 2]))  # each id once
        expected = {}
        for kind, row, other in by_loops(videos):
            mark = {Kind.ORIGINAL: "", Kind.NOISE: "~noise"}.get(kind, f"~{MARKS.get(kind)}~{videos.ids[other]}")
            expected[videos.ids[row] + mark] = kind, row, other
        assert found.keys() == expected.keys()
        for id, (kind, row, other) in expected.items():
            assert found[id].labels.tolist() == videos.labels[row].tolist()
            x = np.concatenate([rows[0] for rows in found[id].features.values()])
            assert_made_of(x, videos, kind, row, other)


def test_originals_are_the_videos_that_were_read(tmp_path, shards):
    before = {video.id: video for path, _ in shards for video in read_videos(path, Level.VIDEO, SCHEMA)}
    originals = [
        video for videos in written(augment(shards, tmp_path / "out")) for video in videos if "~" not in video.id
    ]
    assert originals
    assert all(made.same(video, before[video.id]) for video in originals)


def test_counts(tmp_path, shards):
    result = augment(shards, tmp_path / "out")
    everything = [video for videos in written(result) for video in videos]
    marks = Counter([*video.id.split("~"), "original"][1] for video in everything)
    assert result.kinds.tolist() == [marks[mark] for mark in ("original", "int", "ext", "noise")]
    assert result.labels.tolist() == [
        sum(label in video.labels for video in everything) for label in range(SCHEMA.classes)
    ]


def test_shards_are_described(tmp_path, shards):
    result = augment(shards, tmp_path / "out")
    expected = []
    for index, (content, videos) in enumerate(zip(bytes_of(result), written(result), strict=True)):
        path = str(tmp_path / "out" / f"augmented{index:04d}.tfrecord")
        checksum = hashlib.blake2b(content, digest_size=16).hexdigest()
        expected.append(Shard(Level.VIDEO, path, len(content), len(videos), checksum))
    assert result.shards == expected
    assert len(expected) == len(shards)


def test_videos_are_not_in_order_of_kinds(tmp_path, shards):
    for videos in written(augment(shards, tmp_path / "out")):
        synthetic = ["~" in video.id for video in videos]
        changes = sum(one != other for one, other in pairwise(synthetic))
        assert changes > 5


def test_jobs_change_no_byte(tmp_path, shards):
    one, two = (augment(shards, tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2))
    assert bytes_of(one) == bytes_of(two)
    assert one.kinds.tolist() == two.kinds.tolist()
    assert one.labels.tolist() == two.labels.tolist()


def test_blocks_change_neither_videos_nor_order(tmp_path, shards, monkeypatch):
    whole = augment(shards, tmp_path / "whole")
    monkeypatch.setattr(synthesis, "BLOCK", 7)
    ids = [
        [[video.id for video in videos] for videos in written(each)]
        for each in (whole, augment(shards, tmp_path / "7"))
    ]
    assert ids[0] == ids[1]


def test_a_dask_cluster_writes_the_same_bytes(tmp_path, shards, monkeypatch):
    """Its workers run in another folder than the one that paths are relative to."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        monkeypatch.chdir(tmp_path)
        relative = [(path.relative_to(tmp_path), videos) for path, videos in shards]
        result = augment(relative, Path("dask"), cluster=cluster.scheduler_address)
    assert bytes_of(result) == bytes_of(augment(shards, tmp_path / "here"))


def test_the_seed_changes_noise_and_order_alone(tmp_path, shards):
    records = [records_of(augment(shards, tmp_path / str(seed), seed=seed)) for seed in (0, 1)]
    assert records[0] != records[1]
    differing = set(records[0]) ^ set(records[1])
    assert differing
    assert all(b"~noise" in record for record in differing)


def test_noise_differs_between_chunks(tmp_path, shards):
    """Even where their videos do not."""
    records = records_of(augment(shards[:2] * 2, tmp_path / "out"))
    noisy = [record for record in records if b"~noise" in record]
    assert noisy
    assert len(set(noisy)) == len(noisy)


def test_an_empty_shard_passes(tmp_path, shards):
    """Alone in its chunk, it changes nothing."""
    without = augment(shards[:4], tmp_path / "without")
    path = shards[4][0]
    path.write_bytes(b"")
    result = augment([*shards[:4], (path, 0)], tmp_path / "out")
    assert bytes_of(result) == [*bytes_of(without), b""]
    assert result.kinds.tolist() == without.kinds.tolist()
    assert result.labels.tolist() == without.labels.tolist()


def test_a_shard_without_labels_passes(tmp_path, shards):
    path = shards[0][0]
    videos = [Video(video.id, video.labels[:0], video.features) for video in read_videos(path, Level.VIDEO, SCHEMA)]
    write_records(path, [encode(video, Level.VIDEO, SCHEMA) for video in videos])
    ids = {video.id for each in written(augment(shards, tmp_path / "out")) for video in each}
    assert {video.id for video in videos} <= ids
    assert not any(id.startswith(f"{videos[0].id}~") for id in ids)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_feature_that_is_not_finite_is_refused(tmp_path, shards, jobs):
    path = shards[1][0]
    videos = list(read_videos(path, Level.VIDEO, SCHEMA))
    rows = videos[3].features | {"audio": np.full((1, 4), np.nan, np.float32)}
    videos[3] = Video(videos[3].id, videos[3].labels, rows)
    write_records(path, [encode(video, Level.VIDEO, SCHEMA) for video in videos])
    with pytest.raises(RecordError, match=f"{path.name}: record 3: .*finite"):
        augment(shards, tmp_path / "out", jobs=jobs)


def test_an_output_that_cannot_be_written_is_an_error(tmp_path, shards):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        augment(shards, tmp_path / "file" / "out")
    assert (tmp_path / "file").read_text() == ""


def test_a_disk_that_is_full_leaves_no_part_of_a_shard(tmp_path, shards):
    """As far as a limit on the size of files stands for one."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            augment(shards, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "out").iterdir()) == []
