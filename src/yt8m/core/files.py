"""Files that are either whole or absent."""

import csv
import hashlib
import json
import mmap
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import IO, Any


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Yield a path beside `path` to write a file or folder to; rename it to `path` on success.

    A process killed in between leaves only `NAME.partial`, which the next call removes and which
    git and DVC ignore. An exception removes it at once; an older `path` stays as it was until the end.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    remove(partial)
    try:
        yield partial
        if partial.is_dir() or path.is_dir():
            remove(path)
        partial.replace(path)
    except BaseException:
        remove(partial)
        raise


def link(source: Path, path: Path) -> None:
    """Give a file a second name, or copy it where its file system has none; no file stands at `path` yet."""
    try:
        path.hardlink_to(source)
    except OSError:
        shutil.copy2(source, path)


def checksum_of(file: IO[bytes]) -> str:
    """BLAKE2b-128 of all the bytes of an open file."""
    digest = hashlib.blake2b(digest_size=16)
    if os.fstat(file.fileno()).st_size:  # what is empty cannot be mapped
        # In one piece: other threads run all the while, and need not give way for every block.
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            digest.update(content)
    return digest.hexdigest()


def remove(path: Path) -> None:
    """Remove a file or a folder; do nothing where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` as a whole."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """The content of a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON to `path` as a whole."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """The rows of a table by column."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table to `path` as a whole; floats in full."""
    out = StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    write_text(path, out.getvalue())
