"""Names of shards: which files below a folder are shards, and what a pattern means."""

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

# As TensorFlow's writers and TFDS make them: a.tfrecord, a.tfrecords, a.tfrecord.gz, a.tfrecord-00000-of-00002,
# a-00000-of-00002.
_ENDING = re.compile(r"\.(tfrecords?|tfrec)(?=[-.]|$)", re.ASCII)
_PART = re.compile(r"-\d{2,}-of-\d{2,}", re.ASCII)
_WILD = re.compile(r"[*?\[]")
_PACKED = re.compile(r"\.(gz|gzip|zlib|z)$", re.ASCII | re.IGNORECASE)
EXPECTED = "*.tfrecord, *.tfrecord-00000-of-00001, *-00000-of-00001"


def is_shard(path: str | PurePath) -> bool:
    """Whether a file is called as shards are, compressed ones too."""
    name = _PACKED.sub("", PurePath(path).name)
    return bool(_ENDING.search(name) or _PART.search(name)) and not name.endswith((".json", ".partial"))


def name_of(path: str | PurePath) -> str:
    """A shard's name without folder and ending: what patterns without a folder match. A part's number stays in it."""
    name = _PACKED.sub("", PurePath(path).name)
    if _ENDING.search(name):
        return _ENDING.sub("", name, count=1)
    return name if _PART.search(name) else PurePath(name).stem


def inside(path: str) -> str:
    """A path as one below some folder, whatever it is relative to: no two become the same."""
    parts = ("%2E%2E" if part == ".." else part for part in PurePath(path).parts if part != "/")
    return "/".join((*(["%2F"] if PurePath(path).is_absolute() else []), *parts))


def matches(path: str, pattern: str) -> bool:
    """Whether a pattern with folders (`**` for any) names a path; of an absolute one or a URL the end has to match."""

    def match(parts: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
        if not wanted:
            return not parts
        if wanted[0] == "**":
            return any(match(parts[start:], wanted[1:]) for start in range(len(parts) + 1))
        return bool(parts) and fnmatchcase(parts[0], wanted[0]) and match(parts[1:], wanted[1:])

    wanted, absolute = PurePath(pattern).parts, PurePath(path).is_absolute() or "://" in path
    return match(PurePath(path).parts, ("**", *wanted) if absolute else wanted)


def below(folder: str | Path, pattern: str = "**/*") -> list[Path]:
    """The files that a pattern names below a folder (or anywhere, if it is absolute), sorted.

    Links are followed, and each file is given once: of its names there one that is no link, else the first. What is
    called `.NAME` is left out, as in a shell. A link to nothing is given, so that whoever opens it says so.
    """
    parts = PurePath(pattern).parts
    plain = next((index for index, part in enumerate(parts) if _WILD.search(part)), len(parts))
    start, rest = Path(folder, *parts[:plain]), parts[plain:]
    if not rest:
        return [start] if start.is_file() else []
    if not start.is_dir():
        return []
    wanted, depth = str(PurePath(*rest)), None if "**" in rest else len(rest)
    found: dict[str, Path] = {}
    for path in _files(start, depth, frozenset()):
        if matches(str(path.relative_to(start)), wanted):
            real = os.path.realpath(path)
            found[real] = min(found.get(real, path), path, key=lambda each: (each.is_symlink(), _linked(each), each))
    return sorted(found.values())


def _linked(path: Path) -> bool:
    """Whether a path leads through a link."""
    return os.path.realpath(path.parent) != str(path.parent.absolute())


def _files(folder: Path, depth: int | None, above: frozenset[str]) -> Iterator[Path]:
    """The files at most `depth` names below a folder; a link to a folder that it lies in is not followed."""
    above |= {os.path.realpath(folder)}
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            if not entry.is_dir():
                yield folder / entry.name
            elif depth != 1 and os.path.realpath(entry.path) not in above:
                yield from _files(folder / entry.name, depth and depth - 1, above)
