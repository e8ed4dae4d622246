"""Predictions and labels as the challenge exchanges them: CSV, a video a line.

    VideoId,LabelConfidencePairs        VideoId,Labels
    abcd,5 0.93 17 0.25                 abcd,5 9

Pairs are a class and its score, highest score first. Scores are written with as many digits as tell a float32 from
its neighbours, so that reading them gives the same numbers.
"""

import csv
import errno
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa

from yt8m.core.errors import InputError, counted
from yt8m.core.files import whole
from yt8m.core.ragged import Ragged
from yt8m.core.tables import read_lines, read_rows
from yt8m.records.classes import is_class_table, read_class_names
from yt8m.scoring.predictions import Predictions

PAIRS, LABELS = ["VideoId", "LabelConfidencePairs"], ["VideoId", "Labels"]
MAX_CLASS = 2**31 - 1
Value = TypeVar("Value")
Write = Callable[[Iterable[str], Iterable[str]], None]


class SubmissionError(InputError):
    """A table is not what it should be; the message names the file and the lines."""


@contextmanager
def writer(path: Path, header: Sequence[str]) -> Iterator[Write]:
    """Open a table that appears at `path` when complete; yield what appends ids and their texts to it.

    Raises:
        OSError: naming `path`, where there is no space for it.
    """
    try:
        with whole(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(header)
            yield lambda ids, texts: table.writerows(zip(ids, texts, strict=True))
    except OSError as error:
        if error.errno == errno.ENOSPC and error.filename is None:
            error.filename = str(path)  # Python names a file that it cannot open, not one that it cannot write to
        raise


def pairs(indices: np.ndarray, scores: np.ndarray, names: Sequence[str] | None = None) -> Iterator[str]:
    """The text of each video's predictions.

    Args:
        indices: (videos, k), highest score first.
        scores: (videos, k) float32.
        names: what stands for each class, without spaces; its index by default.
    """
    for row, values in zip(indices.tolist(), scores, strict=True):
        classes = (names[index] if names else str(index) for index in row)
        # A float32's own text: as a Python float it would be written as the nearest float64.
        yield " ".join(f"{name} {value!s}" for name, value in zip(classes, values, strict=True))


def read_names(path: Path, classes: int) -> list[str]:
    """Class names with `_` for spaces, since a space ends a name in a pair.

    Args:
        path: one name a line, as `split` writes them, or the table of classes as it is published.

    Raises:
        InputError: where there are not as many names as classes.
    """
    found = read_class_names(path, classes) if is_class_table(path) else read_lines(path)
    names = ["_".join(line.split()) for line in found]
    if len(names) != classes or not all(names):
        blank = names.count("")
        raise InputError(f"{path}: expected {classes} class names, one a line, received {len(names)}, {blank} blank")
    return names


def read_predictions(path: Path) -> Predictions:
    """Read a table of predictions; a line may have fewer pairs than others.

    Returns:
        Predictions without labels. `scores` is float64, and -inf, for a class that no line names, where a line has
        fewer pairs.

    Raises:
        SubmissionError: naming the lines that are not as expected.
    """
    table = _read(path, PAIRS, "an even number of words, 'CLASS SCORE CLASS SCORE …', each class once", _parse_pairs)
    k = max((len(indices) for indices, _ in table.values()), default=0)
    beyond = 1 + max((int(indices.max()) for indices, _ in table.values() if len(indices)), default=0)
    indices, scores = np.full((len(table), k), beyond, np.int64), np.full((len(table), k), -np.inf)
    for row, (classes, values) in enumerate(table.values()):
        indices[row, : len(classes)], scores[row, : len(classes)] = classes, values
    none = Ragged(np.empty(0, np.int32), np.zeros(len(table), int))
    return Predictions(pa.array(list(table), pa.string()), none, indices, scores)


def read_labels(path: Path) -> Predictions:
    """Read a table of labels, as predictions with none (k = 0).

    Raises:
        SubmissionError: naming the lines that are not as expected.
    """
    table = _read(path, LABELS, "class indices with spaces between", _parse_labels)
    labels, nothing = Ragged.of(list(table.values())), np.empty((len(table), 0))
    return Predictions(pa.array(list(table), pa.string()), labels, nothing.astype(np.int32), nothing)


def _parse_pairs(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Classes and scores, highest score first and ties by class number."""
    words = text.split()
    classes, scores = np.array([_class(word) for word in words[::2]], np.int64), list(map(float, words[1::2]))
    if len(words) % 2 or len(np.unique(classes)) != len(classes) or not all(map(math.isfinite, scores)):
        raise ValueError
    values = np.array(scores)
    order = np.lexsort((classes, -values))
    return classes[order], values[order]


def _parse_labels(text: str) -> np.ndarray:
    return np.unique(np.array([_class(word) for word in text.split()], np.int32))


def _class(word: str) -> int:
    if not (word.isascii() and word.isdigit() and int(word) < MAX_CLASS):
        raise ValueError
    return int(word)


def _read(path: Path, header: list[str], what: str, parse: Callable[[str], Value]) -> dict[str, Value]:
    """The parsed second column by the first.

    Raises:
        SubmissionError: where the header is another, lines are malformed, ids repeat, or there are none.
    """
    found: dict[str, Value] = {}
    malformed, repeated = [], []
    rows = read_rows(path)
    _, received = next(rows, (0, []))
    if received != header:
        raise SubmissionError(f"{path}: expected the header {','.join(header)}, received {_shown(received)}")
    for line, row in rows:
        try:
            id, text = row
            value = parse(text)
        except ValueError:
            malformed.append(f"line {line}: {_shown(row)}")
            continue
        if id in found:
            repeated.append(f"line {line}: {id}")
        found[id] = value
    if malformed:
        raise SubmissionError(f"{path}: expected an id and {what} on each line, wrong are {counted(malformed, '; ')}")
    if repeated:
        raise SubmissionError(f"{path}: expected each id once, repeated are {counted(repeated, '; ')}")
    if not found:
        raise SubmissionError(f"{path}: expected videos, received the header alone")
    return found


def _shown(row: Sequence[str]) -> str:
    text = ",".join(row)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
