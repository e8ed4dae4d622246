"""Shards wherever they lie: files, or behind URLs and read through a cache."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Self

from yt8m.core.errors import DataError
from yt8m.core.files import checksum_of
from yt8m.records import buckets
from yt8m.records.buckets import TAG, Entry
from yt8m.records.cache import Cache, temporary

_CONTENT = re.compile(r"[0-9a-f]{32}")  # the checksum of a content


@dataclass(frozen=True)
class Remote:
    """A shard behind a URL, which is fetched as a whole when it is opened.

    Attributes:
        url: where it lies.
        bytes, checksum: what it was when it was recorded or listed; None where that is not known.
        cache: of local copies. Who knows the checksum of a shard's content finds it there wherever it lay.
    """

    url: str
    bytes: int | None
    checksum: str | None
    cache: Cache

    def __str__(self) -> str:
        return self.url

    def open(self) -> FileIO:
        """Its content, unbuffered.

        Raises:
            DataError: where it is not there, cannot be read, or is not what it was.
        """
        return self.cache.open(self._name, self.bytes or 0, self._fetch)

    def fetch(self) -> None:
        """Have it in the cache; raises as `open` does."""
        self.open().close()

    def resolve(self) -> Self:
        """Itself, as a path that is absolute."""
        return self

    @property
    def _name(self) -> str:
        """In the cache: the checksum of its content, if that is known."""
        if _CONTENT.fullmatch(self.checksum or ""):
            return str(self.checksum)
        about = f"{self.url}\n{self.bytes}\n{self.checksum}"
        return f"tag-{hashlib.blake2b(about.encode(), digest_size=16).hexdigest()}"

    def _fetch(self, path: Path) -> str:
        return buckets.fetch(self.url, path, partial(self._checked, path))

    def _checked(self, path: Path, found: Entry) -> str:
        """The checksum of what was fetched, where it is as recorded; `found` is what the provider says of it now."""
        tagged = (self.checksum or "").startswith(TAG)
        if differs(self.bytes, found.bytes) or (tagged and found.checksum != self.checksum):
            raise self._changed(found.bytes, found.checksum)
        held = path.stat().st_size
        if differs(found.bytes, held):
            raise OSError(f"expected {found.bytes} bytes, received {held}")  # another try may give all
        with path.open("rb") as file:
            content = checksum_of(file)
        if self.checksum and not tagged and content != self.checksum:
            raise self._changed(held, content)
        return content

    def _changed(self, size: int | None, checksum: str | None) -> DataError:
        return DataError(
            f"{self.url}: expected {self.bytes} bytes, checksum {self.checksum} as recorded, "
            f"received {size}, {checksum}: the shard has changed"
        )


Place = Path | Remote


def differs(one: int | None, other: int | None) -> bool:
    """Whether two numbers differ that may not be known."""
    return None not in (one, other) and one != other


def listed(pattern: str) -> list[Remote]:
    """The files that a URL names, with patterns or of a folder, to be read through this process's own cache.

    Raises:
        DataError: where they cannot be listed.
    """
    return [Remote(*entry, temporary()) for entry in buckets.entries(pattern)]


def opened(place: str | Place) -> FileIO:
    """A shard for reading, unbuffered: all are opened here.

    Raises:
        OSError, DataError: where there is none, or it cannot be read.
    """
    return place.open() if isinstance(place, Remote) else Path(place).open("rb", buffering=0)


def total_size(places: Iterable[Place]) -> int:
    """Bytes of all shards, as far as they are known."""
    return sum(each.bytes or 0 if isinstance(each, Remote) else each.stat().st_size for each in places)
