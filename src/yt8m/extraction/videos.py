"""Which video files there are."""

from collections.abc import Iterable
from pathlib import Path

from yt8m.core.errors import InputError
from yt8m.packing.sources import by_id
from yt8m.records.names import below

ENDINGS = frozenset(
    f".{ending}"
    for ending in (
        *("3gp", "asf", "avi", "flv", "gif", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg"),
        *("mts", "mxf", "ogv", "ts", "vob", "webm", "wmv"),
    )
)


def find(patterns: Iterable[str]) -> dict[str, Path]:
    """The videos of folders, and files and patterns as they are named, by their ids: names without their endings.

    Raises:
        InputError: naming what holds no video, or an id that two files have.
    """
    found: set[Path] = set()
    for pattern in patterns:
        if Path(pattern).is_dir():
            matched = [path for path in below(pattern) if path.suffix.lower() in ENDINGS]
        else:
            matched = [Path(pattern)] if Path(pattern).is_file() else below("", pattern)
        if not matched:
            raise InputError(f"{pattern}: expected videos, found none of that name")
        found.update(matched)
    return by_id(sorted(found))
