"""Shards behind URLs: read as files are, whatever the other side does, and refused where they have changed."""

import pickle
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Timer

import numpy as np
import pytest

from tests.records import made
from tests.records.made import SCHEMA
from yt8m.core.errors import DataError
from yt8m.core.schema import Level
from yt8m.records import buckets, readers
from yt8m.records.batches import Batch
from yt8m.records.buckets import TAG, entry
from yt8m.records.cache import Cache
from yt8m.records.dataset import Dataset, Shards
from yt8m.records.manifest import Shard, checksum, describe, write_manifest
from yt8m.records.remote import Remote, listed, opened, total_size
from yt8m.records.tfrecord import RecordError, read_records

SIZES = [5, 1, 7, 4]
NAMES = [f"frame{index}.tfrecord" for index in range(len(SIZES))]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(buckets, "PAUSES", (0.01, 0.1))


@pytest.fixture
def folder(tmp_path) -> Path:
    """Shards, and manifests of them: as stages write them, of files and of the bucket's."""
    shards = []
    for name, size in zip(NAMES, SIZES, strict=True):
        path = tmp_path / "source" / "frame" / name
        made.write_shard(path, Level.FRAME, size)
        shards.append(replace(describe(path, Level.FRAME, size), path=f"{{source}}/frame/{name}"))
    write_manifest(tmp_path / "train.tsv", shards, SCHEMA)
    return tmp_path


@pytest.fixture
def dataset(folder, bucket):
    """A function to the videos in a bucket, read through a cache of so many bytes."""
    bucket.copy(folder / "source")
    write_manifest(folder / "source.tsv", [], root=bucket.url)

    def open_dataset(limit: int = 10**6, readers: int | None = None) -> Dataset:
        cache = Cache(folder / "cache", limit)
        return Dataset(folder / "train.tsv", folder / "source.tsv", readers, cache)

    return open_dataset


def local(folder: Path) -> Dataset:
    return Dataset(folder / "train.tsv", folder / "source")


def same(one: Iterator[Batch], other: Iterator[Batch]) -> bool:
    """Whether batches are of the same bytes."""
    pairs = list(zip(one, other, strict=True))
    return bool(pairs) and all(
        a.ids == b.ids
        and a.inputs.keys() == b.inputs.keys()
        and all(np.array_equal(a.inputs[name], b.inputs[name]) for name in a.inputs)
        and np.array_equal(a.labels, b.labels)
        for a, b in pairs
    )


def epochs(videos: Dataset, batches: int = 20) -> Iterator[Batch]:
    return islice(videos.shuffled(3, 0, 6), batches)


def held(folder: Path) -> int:
    """Bytes of what a cache holds."""
    return sum(path.stat().st_size for path in (folder / "cache").glob("*") if not path.is_symlink() and path.is_file())


@pytest.mark.parametrize("count", [1, 2])
def test_batches_are_those_of_files(folder, dataset, count):
    assert same(dataset(readers=count).batches(3), local(folder).batches(3))
    assert same(epochs(dataset(readers=count)), epochs(local(folder)))
    assert [video.id for video in dataset().videos()] == [video.id for video in local(folder).videos()]


def test_a_shard_is_fetched_once(dataset, bucket):
    videos = dataset()
    for _ in range(2):
        list(videos.batches(3))
        list(epochs(videos))
    list(dataset(readers=2).batches(3))  # another process
    assert bucket.server.fetched() == [f"frame{index}" for index in range(4)]


def test_what_is_passed_over_is_not_fetched(dataset, bucket):
    assert len(list(dataset().batches(3, 4))) == 2  # from the 13th video on: the third shard's last and the fourth
    assert bucket.server.fetched() == ["frame2", "frame3"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_cache_that_holds_less_than_the_shards(folder, dataset, count):
    largest = max(path.stat().st_size for path in (folder / "source" / "frame").iterdir())
    limit = largest + 1
    batches = dataset(limit, count).batches(3)
    for batch, expected in zip(batches, local(folder).batches(3), strict=True):
        assert same(iter([batch]), iter([expected]))
        assert held(folder) <= limit + readers.FETCHERS * largest
    assert same(epochs(dataset(limit, count)), epochs(local(folder)))


def test_a_cache_that_is_too_small_for_the_shuffle_buffer_is_warned_of(folder, dataset, capsys):
    size = total_size(local(folder).paths)
    for limit, buffer, warned in [(size, 100, False), (size - 1, 100, True), (size // 2, 1, False)]:
        dataset(limit).shuffled(3, 0, buffer)
        assert capsys.readouterr().err.startswith("warning: data.cache_gb: ") is warned
    local(folder).shuffled(3, 0, 100)
    assert not capsys.readouterr().err


def test_requests_that_fail(folder, dataset, bucket, capfd):
    """One in ten, without an answer or in the middle of what is read; each pass fetches nearly all anew."""
    bucket.server.share = 0.1
    for _ in range(8):
        assert same(dataset(1000).batches(3), local(folder).batches(3))
    assert bucket.server.failed > 3


def test_all_that_fails_at_first(folder, dataset, bucket):
    bucket.server.share = 1.0
    Timer(0.7, bucket.server.reset).start()
    assert same(dataset().batches(3), local(folder).batches(3))
    assert bucket.server.fetched() == [f"frame{index}" for index in range(4)]


def test_a_server_that_ends_and_comes_back(folder, dataset, bucket):
    batches, expected = epochs(dataset(1000), 60), epochs(local(folder), 60)
    assert same(islice(batches, 5), islice(expected, 5))
    bucket.server.stop()
    Timer(1, bucket.server.start).start()
    assert same(batches, expected)


def test_a_server_that_does_not_come_back(dataset, bucket, monkeypatch):
    monkeypatch.setattr(buckets, "PATIENCE", 0.5)
    bucket.server.stop()
    try:
        with pytest.raises(
            DataError, match=rf"^{bucket.url}/frame/frame0\.tfrecord: cannot be read, tried \d+ times: "
        ):
            list(dataset().batches(3))
    finally:
        bucket.server.start()


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("change", ["content", "size", "removed"])
def test_a_shard_that_changes_during_a_run(folder, dataset, bucket, count, change):
    batches = epochs(dataset(1000, count), 100)
    next(batches)
    content = (folder / "source" / "frame" / NAMES[2]).read_bytes()
    if change == "removed":
        bucket.remove(f"frame/{NAMES[2]}")
    else:
        bucket.write(f"frame/{NAMES[2]}", content[:-1] + (b"?" if change == "content" else b"??"))
    expected = "found none" if change == "removed" else f"expected {len(content)} bytes, checksum .* has changed"
    with pytest.raises(DataError, match=rf"^{bucket.url}/frame/frame2\.tfrecord: .*{expected}"):
        list(batches)


def test_a_shard_that_is_damaged_is_named_by_its_url(folder, dataset, bucket):
    """Also where its manifest says that it should be as it is."""
    path = folder / "source" / "frame" / NAMES[0]
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    bucket.write(f"frame/{NAMES[0]}", bytes(content))
    found = entry(f"{bucket.url}/frame/{NAMES[0]}")
    shard = Remote(*found, Cache(folder / "cache", 10**6))
    with pytest.raises(RecordError, match=rf"^{bucket.url}/frame/frame0\.tfrecord: record 0 at byte 0: the checksum"):
        list(read_records(shard))


def test_an_etag_is_held_to(folder, bucket):
    bucket.copy(folder / "source")
    (shard, *_) = listed(f"{bucket.url}/frame/*")
    assert str(shard.checksum).startswith(TAG)
    shard.fetch()
    bucket.write(f"frame/{NAMES[0]}", b"x" * (shard.bytes or 0))
    shard.fetch()  # as it was
    elsewhere = replace(shard, cache=Cache(folder / "cache", 10**6))
    with pytest.raises(DataError, match=rf"^{shard}: expected {shard.bytes} bytes, checksum {shard.checksum} as rec"):
        elsewhere.fetch()
    assert held(folder) == 0


def test_who_knows_the_content_finds_it_wherever_it_lay(folder, bucket):
    bucket.copy(folder / "source")
    cache = Cache(folder / "cache", 10**6)
    (shard, *_) = (replace(each, cache=cache) for each in listed(f"{bucket.url}/frame/*"))
    shard.fetch()
    known = Remote("memory://moved/away.tfrecord", shard.bytes, checksum(shard), cache)
    with opened(known) as file:
        assert file.read() == (folder / "source" / "frame" / NAMES[0]).read_bytes()
    assert held(folder) == shard.bytes  # once, by two names


def test_it_is_pickled_for_other_processes(tmp_path):
    shard = Remote("s3://b/x.tfrecord", 3, "ab", Cache(tmp_path, 10))
    assert pickle.loads(pickle.dumps(shard)) == shard.resolve() == shard
    assert str(shard) == f"{shard}" == "s3://b/x.tfrecord"


@pytest.mark.parametrize("checksum", [None, "", "etag:a/b", "../x", "A" * 32])
def test_no_checksum_leads_out_of_the_cache(tmp_path, checksum):
    assert re.fullmatch("tag-[0-9a-f]{32}", Remote("s3://b/x", 3, checksum, Cache(tmp_path, 10))._name)


def test_sizes(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    cache = Cache(tmp_path, 10)
    places: Sequence = [tmp_path / "a", Remote("s3://b/x", 4, None, cache), Remote("s3://b/y", None, None, cache)]
    assert total_size(places) == 7


def test_shards_that_no_manifest_lists(folder, bucket):
    """How many records they hold is seen when they are there."""
    bucket.copy(folder / "source")
    paths = listed(f"{bucket.url}/frame/*.tfrecord")
    for count in (1, 2):
        shards = Shards(paths, Level.FRAME, SCHEMA, count)
        assert same(shards.batches(3), local(folder).batches(3))
    assert bucket.server.fetched() == [f"frame{index}" for index in range(4)]


def test_what_has_no_etag(folder):
    import fsspec

    files = fsspec.filesystem("memory")
    content = (folder / "source" / "frame" / NAMES[2]).read_bytes()
    files.pipe_file("/none/x.tfrecord", content)
    (shard,) = listed("memory://none/*")
    assert shard.checksum is None
    with opened(shard) as file:
        assert file.read() == content
    assert describe(shard, Level.FRAME, 7) == Shard(
        Level.FRAME, "memory:///none/x.tfrecord", len(content), 7, checksum(folder / "source" / "frame" / NAMES[2])
    )
    files.store.clear()
