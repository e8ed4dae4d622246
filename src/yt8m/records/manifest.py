"""Lists of shards with what identifies their content, so that terabytes are versioned by a small file.

A manifest is a tab-separated table, a shard a line: level, path, bytes, videos, checksum. One that a stage writes
begins with a line that says what the records hold, `# schema: {…}`, so that who depends on it depends on that too. Its
paths start with `{source}` where the shard lies in `data.source`: what a shard contains is recorded, where the data set
lies is not, so that moving it retrains nothing.
"""

import csv
import hashlib
import mmap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from fnmatch import fnmatchcase
from io import StringIO
from pathlib import Path, PurePath
from typing import NamedTuple

from yt8m.core.errors import InputError
from yt8m.core.files import write_text
from yt8m.core.schema import Level, Schema
from yt8m.records.names import matches, name_of

SOURCE = "{source}"
SCHEMA = "# schema: "


class DataError(InputError):
    """A data set is not what the parameters say of it."""


@dataclass(frozen=True, order=True)
class Shard:
    """One shard: where it lies and what it holds; `bytes` is its size, `checksum` its BLAKE2b-128."""

    level: Level
    path: str
    bytes: int
    videos: int
    checksum: str

    def moved(self, folder: Path) -> "Shard":
        """The same shard in another folder."""
        return replace(self, path=str(folder / Path(self.path).name))


def root(source: str | Path) -> Path:
    """The folder that relative paths of a data set start from: `source`, or the manifest's own folder."""
    source = Path(source)
    return source if source.is_dir() else source.parent


def checksum(path: Path) -> str:
    """BLAKE2b-128 of a file's bytes."""
    digest = hashlib.blake2b(digest_size=16)
    if path.stat().st_size:  # what is empty cannot be mapped
        # In one piece: other threads run all the while, and need not give way for every block.
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            digest.update(content)
    return digest.hexdigest()


def describe(path: Path, level: Level, videos: int) -> Shard:
    """What a manifest records of a file of so many videos, at the path itself."""
    return Shard(level, str(path), path.stat().st_size, videos, checksum(path))


class Manifest(NamedTuple):
    """What a manifest says: its shards, and what their records hold, if it says so."""

    shards: list[Shard]
    schema: Schema | None

    @property
    def videos(self) -> int:
        """Videos of all shards."""
        return sum(shard.videos for shard in self.shards)


def write_manifest(path: str | Path, shards: Iterable[Shard], schema: Schema | None = None) -> None:
    """Write shards as a table, under a line for the schema of their records if there is one."""
    out = StringIO()
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
    expected, schema = [field.name for field in fields(Shard)], None
    with Path(path).open(encoding="utf-8", newline="") as file:
        first = file.readline()
        if first.startswith(SCHEMA):
            try:
                schema = Schema.model_validate_json(first.removeprefix(SCHEMA))
            except ValueError as error:  # pydantic's, among others
                raise DataError(f"{path}: line 1: expected a schema: {error}") from None
        else:
            file.seek(0)
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
                line = table.line_num + (schema is not None)
                raise DataError(f"{path}: line {line}: expected {expected}, received {row}") from None
        return Manifest(shards, schema)


def locate(shard: Shard, source: str | Path) -> Path:
    """The file of a shard; `source` is `data.source`.

    Raises:
        DataError: where there is no file, or its size is not the recorded one.
    """
    name = shard.path
    path = root(source) / name.removeprefix(f"{SOURCE}/") if name.startswith(SOURCE) else Path(name)
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
        DataError: where a shard is of two splits, or a split is empty.
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
        if not members:
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
