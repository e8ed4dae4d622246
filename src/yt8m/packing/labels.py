"""Labels as people keep them: a table of ids and classes, by index or by name."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from yt8m.core.errors import InputError, counted
from yt8m.core.tables import read_rows
from yt8m.packing.names import CLASS, ID, column_of
from yt8m.packing.splits import SPLITS
from yt8m.records.classes import read_class_names

MOST = 1 << 20  # classes: a number beyond is no index, but an id or a date


class Row(NamedTuple):
    """A line of the table: a video, the text of its classes, and its split, if a column says so."""

    id: str
    text: str
    split: str | None


class Labels(NamedTuple):
    """What a table says of videos.

    Attributes:
        classes: each video's, ascending and each once, int32; none for a video whose cell is empty.
        names: of all classes, by index.
        splits: of each video; empty where no column says so.
    """

    classes: dict[str, np.ndarray]
    names: list[str]
    splits: dict[str, str]


def read_labels(path: Path, table: Path | None = None, split_column: str | None = None) -> Labels:
    """Read a CSV with a column of ids and one of classes; what several lines say of a video is put together.

    Classes are indices where all of them are whole numbers, names otherwise. Between several of one cell stand `;` or
    `|`, or spaces where neither occurs in the column.

    Args:
        table: of classes, with the columns `index` and `name`; without it names are sorted.
        split_column: the column that says train, validate or test.

    Raises:
        InputError: naming the file, and the line, the column or the class that is not as expected.
    """
    rows = list(_rows(path, split_column))
    given = read_class_names(table) if table else None
    parts = _parts([row.text for row in rows], given or [])
    found = sorted({part for several in parts for part in several})
    if not found:
        raise InputError(f"{path}: expected classes, received none in {len(rows)} lines")
    index = _indices(found, given, table or path)
    classes: dict[str, set[int]] = {}
    for row, several in zip(rows, parts, strict=True):
        classes.setdefault(row.id, set()).update(index[part] for part in several)
    names = given or (_unnamed(max(index.values()) + 1) if _numbers(found) else found)
    return Labels({id: np.array(sorted(of), np.int32) for id, of in classes.items()}, names, _splits(path, rows))


def _rows(path: Path, split_column: str | None) -> Iterator[Row]:
    rows = read_rows(path)
    _, header = next(rows, (0, []))
    id, text = header.index(column_of(ID, header, path)), header.index(column_of(CLASS, header, path))
    if split_column is not None and split_column not in header:
        raise InputError(f"{path}: expected a column {split_column!r}, received {header}")
    for line, row in rows:
        if len(row) != len(header) or not row[id]:
            raise InputError(f"{path}: line {line}: expected {len(header)} cells with an id, received {row}")
        split = row[header.index(split_column)] if split_column is not None else None
        if split_column is not None and split not in SPLITS:
            raise InputError(f"{path}: line {line}: {split_column}: expected {', '.join(SPLITS)}, received {split!r}")
        yield Row(row[id], row[text], split)


def _parts(texts: Sequence[str], known: Sequence[str]) -> list[list[str]]:
    """The classes of each cell; a cell that is a known name is one class, whatever stands in it."""
    names, between = set(known), r"[;|]" if any(set(text) & {";", "|"} for text in texts) else r"\s"
    return [
        [text.strip()] if text.strip() in names else [part.strip() for part in re.split(between, text) if part.strip()]
        for text in texts
    ]


def _numbers(found: Sequence[str]) -> bool:
    return all(part.isascii() and part.isdecimal() for part in found)


def _indices(found: Sequence[str], given: Sequence[str] | None, path: Path) -> dict[str, int]:
    """The index of each class as the table of labels calls it."""
    if _numbers(found):
        index = {part: int(part) for part in found}
        if max(index.values()) >= MOST:
            raise InputError(f"{path}: expected class indices below {MOST}, received {max(index.values())}")
        if given and max(index.values()) >= len(given):
            raise InputError(
                f"{path}: expected a line for each class, received {len(given)} and labels up to {max(index.values())}"
            )
        return index
    index = {name: number for number, name in enumerate(given or found)}
    if unknown := [part for part in found if part not in index]:
        raise InputError(f"{path}: expected all classes of the labels, received none called {counted(unknown)}")
    return {part: index[part] for part in found}


def _unnamed(classes: int) -> list[str]:
    return [f"class {index}" for index in range(classes)]


def _splits(path: Path, rows: Sequence[Row]) -> dict[str, str]:
    splits: dict[str, str] = {}
    for row in rows:
        if row.split is not None and splits.setdefault(row.id, row.split) != row.split:
            raise InputError(f"{path}: {row.id}: expected one split, received {splits[row.id]} and {row.split}")
    return splits
