"""What is kept of a shard, and when it is read again."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.records import made
from tests.records.made import SCHEMA
from yt8m.core.schema import Level
from yt8m.intake import scans
from yt8m.intake.scans import forget, scan
from yt8m.records.tfrecord import RecordError

NAME = "frame/train0000.tfrecord"  # below the data set's root


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "train0000.tfrecord"
    made.write_shard(path, Level.FRAME, 7)
    return path


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """The names of the shards that were read, in order."""
    names: list[str] = []
    read = scans.read

    def counted(path, *rest):
        names.append(path.name)
        return read(path, *rest)

    monkeypatch.setattr(scans, "read", counted)
    return names


def assert_same(one: scans.Scan, other: scans.Scan) -> None:
    assert (one.shard, one.unlabelled, one.derived) == (other.shard, other.unlabelled, other.derived)
    for name in ("labels", "ids"):
        first, second = getattr(one, name), getattr(other, name)
        assert first.dtype == second.dtype
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("derive", [False, True])
def test_an_unchanged_shard_is_read_once(tmp_path, shard, reads, derive):
    first, second = (scan(shard, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", derive) for _ in range(2))
    assert reads == [shard.name]
    assert (first.derived is not None) is derive
    assert_same(first, second)


def test_so_is_one_that_was_moved(tmp_path, shard, reads):
    first = scan(shard, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", True)
    elsewhere = shard.rename(tmp_path / shard.name)
    second = scan(elsewhere, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", True)
    assert (first.shard.checksum, len(reads)) == (second.shard.checksum, 1)


def test_what_has_changed_is_read_again(tmp_path, shard, reads):
    scan(shard, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", False)
    scan(shard, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", True)  # nothing was derived
    made.write_shard(shard, Level.FRAME, 8)
    assert scan(shard, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", True).shard.videos == 8
    status = shard.stat()
    shard.write_bytes(bytes(status.st_size))
    os.utime(shard, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(RecordError, match="record 0"):
        scan(shard, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", True)
    assert len(reads) == 4


@pytest.mark.parametrize("lost", [f"means/{NAME}", f"frame/{NAME}.npz"])
def test_what_was_lost_is_made_again(tmp_path, shard, reads, lost):
    first = scan(shard, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", True)
    content = (tmp_path / "kept" / lost).read_bytes()
    (tmp_path / "kept" / lost).unlink()
    assert_same(scan(shard, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", True), first)
    assert len(reads) == 2
    if lost.endswith("tfrecord"):
        assert (tmp_path / "kept" / lost).read_bytes() == content


def test_a_file_that_was_cut_off_is_none(tmp_path, shard, reads):
    first = scan(shard, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", False)
    file = tmp_path / "kept" / f"frame/{NAME}.npz"
    for length in (0, 10, file.stat().st_size // 2):
        file.write_bytes(file.read_bytes()[:length])
        assert_same(scan(shard, NAME, Level.FRAME, SCHEMA, tmp_path / "kept", False), first)
    assert len(reads) == 4


def test_what_is_kept_of_shards_that_are_gone_is_removed(tmp_path):
    kept = tmp_path / "kept"
    for name in ("train0000", "train0001"):
        made.write_shard(tmp_path / f"{name}.tfrecord", Level.FRAME, 2)
        scan(tmp_path / f"{name}.tfrecord", f"frame/{name}.tfrecord", Level.FRAME, SCHEMA, kept, True)
    forget(kept, Level.FRAME, ["frame/train0001.tfrecord"])
    assert {str(path.relative_to(kept)) for path in kept.rglob("*.*")} == {
        "frame/frame/train0001.tfrecord.npz",
        "means/frame/train0001.tfrecord",
    }
