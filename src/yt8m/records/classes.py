"""Tables of classes: their names, and how many videos show them."""

from pathlib import Path

import numpy as np

from yt8m.core.errors import InputError
from yt8m.core.tables import column, read_rows


def read_label_counts(path: str | Path) -> np.ndarray:
    """Videos by class, (classes,) int64, as `split` wrote them."""
    return np.loadtxt(path, np.int64, delimiter=",", skiprows=1, usecols=1, ndmin=1)


def read_class_names(path: Path, classes: int | None = None) -> list[str]:
    """Class names from a table with a column `index` and one of `name`, `display_name` (in any case).

    A class without a name is called by its number; so are all of a table that has a header alone.

    Args:
        classes: how many there are; None: as many as the highest index says.

    Raises:
        InputError: where the table lacks the columns.
    """
    rows = read_rows(path)
    _, header = next(rows, (0, []))
    index, name = column(header, "index"), column(header, "name", "display_name")
    if index is None or name is None:
        raise InputError(f"{path}: expected columns 'index' and 'name' or 'display_name', received {header}")
    found: dict[int, str] = {}
    for line, row in rows:
        if len(row) < len(header) or not row[index].isdecimal():
            raise InputError(f"{path}: line {line}: expected a class number and a name, received {row}")
        found[int(row[index])] = row[name].strip()
    count = max(found, default=-1) + 1 if classes is None else classes
    return [found.get(number) or f"class {number}" for number in range(count)]


def is_class_table(path: Path) -> bool:
    """Whether a file is a table of classes as published, and no list of names; raises as `read_rows` does."""
    _, header = next(read_rows(path), (0, []))
    return column(header, "index") is not None and column(header, "name", "display_name") is not None
