"""Tables and lists that people bring: CSV and text in UTF-8, with or without a byte order mark, lines of any length."""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from yt8m.core.errors import InputError

# A line of all scores of a video is longer than Python's limit; a C long is the most that it takes.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK": "a spreadsheet or a ZIP file"}


def read_rows(path: Path, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The rows of a table with the number of the line that each ends on; blank lines are left out.

    Raises:
        InputError: naming the file, where it is not UTF-8 or no table.
        OSError: where it cannot be read.
    """
    with _refused(path), path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.reader(file, delimiter=delimiter)
        try:
            for row in table:
                if row:
                    yield table.line_num, row
        except csv.Error as error:
            raise InputError(f"{path}: line {table.line_num}: expected a table: {error}") from None


def read_lines(path: Path) -> list[str]:
    """The lines of a text; raises as `read_rows` does."""
    with _refused(path):
        return path.read_text(encoding="utf-8-sig").splitlines()


def column(header: Sequence[str], *names: str) -> int | None:
    """Where a column stands, by the first of the names that is there, in any case; None where none is."""
    held = [name.strip().lower() for name in header]
    return next((held.index(name) for name in names if name in held), None)


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        start = path.open("rb").read(2)
        received = _MARKS.get(start, f"byte {error.object[error.start]:#x} among others")
        raise InputError(f"{path}: expected text in UTF-8, received {received}: save it as CSV in UTF-8") from None
