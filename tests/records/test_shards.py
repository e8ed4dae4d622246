"""Shards by pattern, and their level."""

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
