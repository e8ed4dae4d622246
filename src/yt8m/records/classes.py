"""Tables of classes: their names, and how many videos show them."""

import csv
from pathlib import Path

import numpy as np

from yt8m.core.errors import InputError


def read_label_counts(path: str | Path) -> np.ndarray:
    """Videos by class, (classes,) int64, as `split` wrote them."""
    return np.loadtxt(path, np.int64, delimiter=",", skiprows=1, usecols=1, ndmin=1)


def read_class_names(path: Path, classes: int) -> list[str]:
    """Class names from a table with a column `index` and one of `name`, `display_name` (in any case).

    A class without a name is called by its number; so are all of a table that has a header alone.

    Raises:
        InputError: where the table lacks the columns.
    """
    names = [f"class {index}" for index in range(classes)]
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        columns = {column.lower(): column for column in rows.fieldnames or []}
        name = columns.get("name") or columns.get("display_name")
        if "index" not in columns or name is None:
            raise InputError(
                f"{path}: expected columns 'index' and 'name' or 'display_name', received {rows.fieldnames}"
            )
        for row in rows:
            index, text = row[columns["index"]], row[name]
            if text is None or not (index or "").isdecimal():
                raise InputError(f"{path}: line {rows.line_num}: expected a class number and a name, received {row}")
            if int(index) < classes and text.strip():
                names[int(index)] = text.strip()
    return names
