"""Shards that no manifest lists: which files a pattern names, and of which level a file is."""

from collections.abc import Iterable
from glob import glob
from pathlib import Path

from yt8m.core.schema import Level
from yt8m.records import wire
from yt8m.records.manifest import DataError
from yt8m.records.tfrecord import RecordError, read_records


def find(patterns: Iterable[str]) -> list[Path]:
    """The files that any of the patterns matches (`**` for any folders), each once and sorted.

    Raises:
        DataError: naming the pattern that matches nothing.
    """
    found: set[Path] = set()
    for pattern in patterns:
        matched = glob(pattern, recursive=True)  # noqa: PTH207, since Path.glob takes no absolute pattern
        if not matched:
            raise DataError(f"{pattern}: expected shards, found no file of that name")
        found.update(map(Path, matched))
    return sorted(found)


def record_level(record: memoryview) -> Level:
    """Whether a record is a `SequenceExample` with feature lists, or an `Example`.

    The published video-level records are `SequenceExample`s whose feature lists are empty.

    Raises:
        WireError: where it is no message at all.
    """
    return Level.FRAME if any(map(len, wire.submessages(record, 2))) else Level.VIDEO


def level_of(path: Path) -> Level:
    """The level of a shard, which is that of its first record.

    Raises:
        DataError: where it has no record.
        RecordError: where the record is damaged.
    """
    record = next(read_records(path), None)
    if record is None:
        raise DataError(f"{path}: expected records, received an empty shard")
    try:
        return record_level(record)
    except wire.WireError as error:
        raise RecordError(f"{path}: record 0: {error}") from None
