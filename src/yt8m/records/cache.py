"""Files that can be had again, in a folder of bounded size that several processes share."""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from yt8m.settings.params import Data

FOLDER = Path("data/cache")  # in the project; not an output of any stage
TEMPORARY = 4_000_000_000  # bytes: for commands, which have no parameters
PARTIAL, LOCKS = ".partial", "locks"


@dataclass(frozen=True)
class Cache:
    """A folder of files by name, of which the least recently used ones are removed.

    A file that is in use keeps its content when its name is removed, and is made again for who comes later.

    Attributes:
        folder: where they lie; absolute, since a cluster's workers need not run in the project's folder.
        limit: bytes that it may hold, beside files that are being made.
    """

    folder: Path
    limit: int

    @classmethod
    def of(cls, data: "Data", root: Path = Path()) -> Self:
        """The cache of a project in the folder `root`."""
        return cls((root / FOLDER).resolve(), int(data.cache_gb * 1e9))

    def open(self, name: str, size: int, make: Callable[[Path], str]) -> FileIO:
        """A file by its name, unbuffered; it is made where it is not there.

        Args:
            size: about how many bytes it has.
            make: writes it to a path, and returns the name of its content, by which it is found too.
        """
        if file := self._held(name):
            return file
        (self.folder / LOCKS).mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCKS / name).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one of all processes and threads makes it
            return self._held(name) or self._made(name, size, make)

    def _held(self, name: str) -> FileIO | None:
        with suppress(FileNotFoundError):
            file = (self.folder / name).open("rb", buffering=0)
            os.utime(file.fileno())  # used now
            return file
        return None

    def _made(self, name: str, size: int, make: Callable[[Path], str]) -> FileIO:
        path, partial = self.folder / name, self.folder / f"{name}{PARTIAL}"
        self._make_room(size)
        try:
            content = make(partial)
            file = partial.open("rb", buffering=0)  # before others may remove it
            partial.replace(self.folder / content)
        finally:
            partial.unlink(missing_ok=True)
        if content != name:
            path.unlink(missing_ok=True)
            path.symlink_to(content)
        self._make_room(0, besides=content)
        return file

    def _make_room(self, size: int, besides: str = "") -> None:
        """Remove what was used least recently, besides one, until so many bytes more are within the limit."""
        files = []
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):  # removed by another process
                if path.is_file() and not path.is_symlink():
                    status = path.stat()
                    files.append((status.st_mtime_ns, status.st_size, path))
        held = sum(length for _, length, _ in files)
        for _, length, path in sorted(files):
            if held + size <= self.limit:
                return
            if path.name != besides and self._removed(path):
                held -= length

    def _removed(self, path: Path) -> bool:
        """Remove a file, unless it is being made; one whose maker was killed is not."""
        if path.suffix != PARTIAL:
            path.unlink(missing_ok=True)
            return True
        with (self.folder / LOCKS / path.stem).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            path.unlink(missing_ok=True)  # while nobody can make it
            return True


@cache
def temporary() -> Cache:
    """This process's own cache for a command, removed when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="yt8m-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Cache(folder, TEMPORARY)
