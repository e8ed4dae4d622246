"""Shards that no manifest lists: which files patterns name, and of which level a file is."""

from collections.abc import Iterable
from pathlib import Path

from yt8m.core.errors import DataError
from yt8m.core.schema import Level
from yt8m.records import wire
from yt8m.records.buckets import entry, is_url, is_wild
from yt8m.records.cache import temporary
from yt8m.records.names import EXPECTED, below, is_shard
from yt8m.records.remote import Place, Remote, listed
from yt8m.records.tfrecord import RecordError, read_records


def find(patterns: Iterable[str]) -> list[Place]:
    """The files that any of the patterns names (`**` for any folders), each once and sorted; of a folder all shards.

    What URLs name comes behind the files.

    Raises:
        DataError: naming the pattern that matches nothing, or the URL that cannot be listed.
    """
    files: set[Path] = set()
    remote: dict[str, Remote] = {}
    for pattern in patterns:
        if is_url(pattern):
            remote |= {each.url: each for each in behind(pattern)}
        elif Path(pattern).is_dir():
            files.update(in_folder(Path(pattern)))
        elif matched := below("", pattern):
            files.update(matched)
        else:
            raise DataError(f"{pattern}: expected shards, found no file of that name")
    return [*sorted(files), *(remote[url] for url in sorted(remote))]


def in_folder(folder: Path) -> list[Path]:
    """All shards below a folder, by their names.

    Raises:
        DataError: where there is none.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of shards, found none")
    if not (found := [path for path in below(folder) if is_shard(path)]):
        raise DataError(f"{folder}: expected shards ({EXPECTED}), found none")
    return found


def behind(url: str) -> list[Remote]:
    """The files that a URL names, sorted; of a folder all shards.

    Raises:
        DataError: where there is none, or they cannot be listed.
    """
    if is_wild(url):
        found = listed(url)
    elif is_shard(url):  # not listed: of a web server that would be to read its content as names
        found = [Remote(*entry(url), temporary())]
    else:
        found = [each for each in listed(url) if is_shard(each.url) or each.url == url]
    if not found:
        raise DataError(f"{url}: expected shards ({EXPECTED}), found none")
    return found


def record_level(record: memoryview) -> Level:
    """Whether a record is a `SequenceExample` with feature lists, or an `Example`.

    The published video-level records are `SequenceExample`s whose feature lists are empty.

    Raises:
        WireError: where it is no message at all.
    """
    return Level.FRAME if any(map(len, wire.submessages(record, 2))) else Level.VIDEO


def level_of(path: Place) -> Level:
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
