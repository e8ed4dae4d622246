"""Shards by pattern, and their level."""

import re
from pathlib import Path

import pytest

from tests.records import made
from yt8m.core.schema import Level
from yt8m.records.manifest import DataError
from yt8m.records.shards import find, level_of
from yt8m.records.tfrecord import RecordError, write_records


def test_patterns_find_each_file_once_in_order(tmp_path, monkeypatch):
    for name in ("b.tfrecord", "a.tfrecord", "deep/er/c.tfrecord"):
        made.write_shard(tmp_path / name, Level.FRAME, 1)
    paths = [tmp_path / name for name in ("a.tfrecord", "b.tfrecord", "deep/er/c.tfrecord")]
    assert find([f"{tmp_path}/**/*.tfrecord", f"{tmp_path}/a*"]) == paths
    monkeypatch.chdir(tmp_path)
    assert find(["?.tfrecord"]) == [Path("a.tfrecord"), Path("b.tfrecord")]


def test_a_pattern_without_a_match_is_named(tmp_path):
    made.write_shard(tmp_path / "a.tfrecord", Level.FRAME, 1)
    with pytest.raises(DataError, match=r"b\*: expected shards, found no file of that name"):
        find([f"{tmp_path}/a*", f"{tmp_path}/b*"])


@pytest.mark.parametrize("level", Level)
def test_level(tmp_path, level):
    made.write_shard(tmp_path / "a.tfrecord", level, 1)
    assert level_of(tmp_path / "a.tfrecord") is level


def test_empty_feature_lists_are_no_frames(tmp_path):
    """As in YouTube-8M's published video-level shards."""
    write_records(tmp_path / "a.tfrecord", [made.sequence_example({"id": made.bytes_feature(b"v")}, {})])
    assert level_of(tmp_path / "a.tfrecord") is Level.VIDEO


def test_shards_without_a_level(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match="empty: expected records, received an empty shard"):
        level_of(tmp_path / "empty")
    write_records(tmp_path / "x", [b"\xff\xff"])
    with pytest.raises(RecordError, match="x: record 0: the message ends within a number"):
        level_of(tmp_path / "x")


def test_what_urls_name(tmp_path, bucket, monkeypatch):
    """Behind the files, each once; of a folder what is called as shards are."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.tfrecord", "b.tfrecord", "notes.txt", "deep/c.tfrecord-00000-of-00001"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    url = bucket.copy(tmp_path)
    everything = ["a.tfrecord", "b.tfrecord", "deep/c.tfrecord-00000-of-00001"]
    for patterns, names in {
        (url,): everything,
        (f"{url}/",): everything,
        (f"{url}/deep",): everything[2:],
        (f"{url}/*.tfrecord", f"{url}/a*"): everything[:2],
        (f"{url}/**/*.tfrecord*",): everything,
        (f"{url}/b.tfrecord",): everything[1:2],
        (f"{url}/notes.txt",): ["notes.txt"],
    }.items():
        assert list(map(str, find(patterns))) == [f"{url}/{name}" for name in names]
    assert list(map(str, find([f"{url}/a*", "b.tfrecord"]))) == ["b.tfrecord", f"{url}/a.tfrecord"]


@pytest.mark.parametrize("path", ["/none*", "/none", "/none.tfrecord", "none/x*", "none"])
def test_a_url_that_names_nothing(bucket, path):
    with pytest.raises(DataError, match=rf"^{re.escape(bucket.url + path)}: expected shards.*, found none"):
        find([bucket.url + path])
