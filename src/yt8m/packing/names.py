"""What columns of tables are called, in any case and however words are parted."""

from collections.abc import Sequence
from pathlib import Path

from yt8m.core.errors import InputError

ID = ("id", "videoid")
CLASS = ("labels", "label", "classes", "class")


def column_of(names: Sequence[str], columns: Sequence[str], path: Path) -> str:
    """The column that has one of the names.

    Raises:
        InputError: where none has, or several have.
    """
    found = [column for column in columns if _plain(column) in names]
    if len(found) != 1:
        raise InputError(f"{path}: expected one column called {' or '.join(names)}, received {list(columns)}")
    return found[0]


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "").replace(" ", "")
