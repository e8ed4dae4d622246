"""Lists of shards with what identifies their content, so that terabytes are versioned by a small file.

A manifest is a tab-separated table, a shard a line: level, path, bytes, videos, checksum. One that a stage writes
begins with a line that says what the records hold, `# schema: {…}`, so that who depends on it depends on that too. Its
paths start with `{source}` where the shard lies in `data.source`: what a shard contains is recorded, where the data set
lies is not, so that moving it retrains nothing.

One of shards in a bucket begins with a line that says where they lie, `# root: s3://…`. Their checksums are the
provider's ETags (`etag:…`) where it has any: what a stage writes has those of contents, as for files.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from fnmatch import fnmatchcase
from io import StringIO
from pathlib import Path, PurePath
from typing import NamedTuple

from pydantic import ValidationError

from yt8m.core.errors import DataError
from yt8m.core.files import checksum_of, write_text
from yt8m.core.schema import Level, Schema
from yt8m.records.buckets import is_url
from yt8m.records.cache import Cache, temporary
from yt8m.records.names import matches, name_of
from yt8m.records.remote import Place, Remote, opened

SOURCE = "{source}"
SCHEMA = "# schema: "
ROOT = "# root: "


@dataclass(frozen=True, order=True)
class Shard:
    """One shard: where it lies and what it holds; `bytes` is its size, `checksum` its BLAKE2b-128 or its ETag."""

    level: Level
    path: str
    bytes: int
    videos: int
    checksum: str

    def moved(self, folder: Path) -> "Shard":
        """The same shard in another folder."""
        return replace(self, path=str(folder / Path(self.path).name))


def root(source: str | Path) -> Path | str:
    """What relative paths of a data set start from: `source`, the URL that a manifest names, or its own folder."""
    source = Path(source)
    if source.is_dir():
        return source
    if source.is_file():
        with source.open(encoding="utf-8", errors="replace") as file:
            first = file.readline()
        if first.startswith(ROOT):
            return first.removeprefix(ROOT).strip()
    return source.parent


def checksum(path: Place) -> str:
    """BLAKE2b-128 of a shard's bytes."""
    with opened(path) as file:
        return checksum_of(file)


def describe(path: Place, level: Level, videos: int) -> Shard:
    """What a manifest records of a shard of so many videos, at the place itself."""
    with opened(path) as file:
        return Shard(level, str(path), file.seek(0, 2), videos, checksum_of(file))


class Manifest(NamedTuple):
    """What a manifest says: its shards, and what their records hold, if it says so."""

    shards: list[Shard]
    schema: Schema | None

    @property
    def videos(self) -> int:
        """Videos of all shards."""
        return sum(shard.videos for shard in self.shards)


def write_manifest(
    path: str | Path, shards: Iterable[Shard], schema: Schema | None = None, root: str | None = None
) -> None:
    """Write shards as a table, under lines for the URL they lie below and for the schema of their records, if any."""
    out = StringIO()
    if root is not None:
        out.write(f"{ROOT}{root}\n")
    if schema is not None:
        out.write(f"{SCHEMA}{schema.model_dump_json()}\n")
    table = csv.writer(out, delimiter="\t", lineterminator="\n")
    table.writerow(field.name for field in fields(Shard))
    table.writerows(astuple(shard) for shard in shards)
    write_text(path, out.getvalue())


def read_manifest(path: str | Path) -> Manifest:
    """Read a table of shards.

    Raises:
        DataError: naming the file and the line that is not a shard, or no schema.
    """
    expected, schema, above = [field.name for field in fields(Shard)], None, 0
    with Path(path).open(encoding="utf-8", newline="") as file:
        line = file.readline()
        if line.startswith(ROOT):
            line, above = file.readline(), 1
        if line.startswith(SCHEMA):
            above += 1
            try:
                schema = Schema.model_validate_json(line.removeprefix(SCHEMA))
            except ValidationError as error:
                wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
                raise DataError(f"{path}: line {above}: expected a schema: {'; '.join(wrong)}") from None
        file.seek(0)
        for _ in range(above):
            file.readline()
        table = csv.reader(file, delimiter="\t")
        header = next(table, [])
        if header != expected:
            raise DataError(f"{path}: expected the columns {expected}, received {header}")
        shards = []
        for row in table:
            try:
                level, name, size, videos, digest = row
                shards.append(Shard(Level(level), name, int(size), int(videos), digest))
            except ValueError:
                raise DataError(f"{path}: line {table.line_num + above}: expected {expected}, received {row}") from None
        return Manifest(shards, schema)


def place(path: str, root: Path | str, shard: Shard | None, cache: Cache | None = None) -> Place:
    """Where a shard lies.

    Args:
        path: relative to `root`, unless it is absolute or a URL.
        shard: what is recorded of it; a shard behind a URL has been recorded.
        cache: of shards behind URLs; None: this process's own.
    """
    url = path if is_url(path) else f"{root}/{path}" if isinstance(root, str) else None
    if url and shard:
        return Remote(url, shard.bytes, shard.checksum, cache or temporary())
    return Path(root, path)


def locate(shard: Shard, source: str | Path, cache: Cache | None = None) -> Place:
    """The file of a shard, or what gives its content; `source` is `data.source`, `cache` is for what lies behind URLs.

    Raises:
        DataError: where there is no file, or its size is not the recorded one. Behind URLs nothing is looked at yet.
    """
    relative = shard.path.startswith(SOURCE)
    path = place(shard.path.removeprefix(f"{SOURCE}/"), root(source) if relative else Path(), shard, cache)
    if isinstance(path, Remote):
        return path
    if not path.is_file():
        raise DataError(f"{path}: the shard is missing")
    size = path.stat().st_size
    if size != shard.bytes:
        raise DataError(f"{path}: expected {shard.bytes} bytes as recorded, received {size}: the shard has changed")
    return path


def assign(paths: Sequence[str], patterns: dict[str, list[str]]) -> dict[str, list[str]]:
    """Sort shards into splits by their patterns.

    A pattern with a folder in it (`eval/*`) is of the path below the data set's root, with its ending or without, and
    comes first; one without is of the name alone (`train????`). Shards that no pattern names are left out.

    Raises:
        DataError: where a shard is of two splits, or a split is empty that has patterns.
    """
    splits: dict[str, list[str]] = {split: [] for split in patterns}
    for path in sorted(paths):
        found = _splits_of(path, patterns, _names_path, lambda pattern: "/" in pattern)
        found = found or _splits_of(name_of(path), patterns, fnmatchcase, lambda pattern: "/" not in pattern)
        if len(found) > 1:
            raise DataError(f"split.patterns: shard {path!r} matches more than one split: {found}")
        for split in found:
            splits[split].append(path)
    for split, members in splits.items():
        if patterns[split] and not members:
            names = ", ".join(sorted(paths)[:3]) or "none at all"
            raise DataError(
                f"split.patterns.{split}: expected shards that match {patterns[split]}, received none "
                f"of the {len(paths)} shards ({names}, …)"
            )
    return splits


def _splits_of(
    name: str, patterns: dict[str, list[str]], match: Callable[[str, str], bool], concerns: Callable[[str], bool]
) -> list[str]:
    """The splits of which one of the patterns concerned matches a name."""
    return [split for split in patterns if any(match(name, each) for each in patterns[split] if concerns(each))]


def _names_path(path: str, pattern: str) -> bool:
    return matches(path, pattern) or matches(str(PurePath(path).with_name(name_of(path))), pattern)
