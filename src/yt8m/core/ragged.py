"""Rows of different lengths as one array: a million videos' labels are two arrays, not a million."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Self, overload

import numpy as np


class Ragged(Sequence[np.ndarray]):
    """Rows of numbers, one behind the other.

    Args:
        values: of all rows, (n,).
        lengths: of each row, (rows,); their sum is n.

    Attributes:
        ends: where each row begins, and the last one ends, (rows + 1,) int64.
    """

    def __init__(self, values: np.ndarray, lengths: np.ndarray):
        self.values, self.lengths = values, lengths
        self.ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

    @classmethod
    def of(cls, rows: Sequence[np.ndarray]) -> "Ragged":
        """Rows that are arrays each, or these already."""
        if isinstance(rows, Ragged):
            return rows
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        return cls(np.concatenate([np.empty(0, np.int64), *rows]) if len(rows) else np.empty(0, np.int64), lengths)

    @classmethod
    def hot(cls, rows: np.ndarray) -> Self:
        """Where each row of (rows, columns) is not zero."""
        # One comparison and flat places: np.nonzero of numbers in two dimensions takes fifty times as long.
        row, column = np.divmod(np.flatnonzero(rows != 0), max(1, rows.shape[1]))
        return cls(column, np.bincount(row, minlength=len(rows)))

    @classmethod
    def joined(cls, parts: Sequence[Sequence[np.ndarray]]) -> "Ragged":
        """The rows of several, one behind the other."""
        each = [cls.of(part) for part in parts]
        return cls(*(np.concatenate([getattr(part, name) for part in each]) for name in ("values", "lengths")))

    def take(self, rows: np.ndarray) -> "Ragged":
        """Some of the rows, in any order."""
        lengths = self.lengths[rows]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return Ragged(self.values[np.repeat(self.ends[rows], lengths) + within], lengths)

    def rows(self) -> np.ndarray:
        """The row of each value, (n,) int64."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> "Ragged": ...
    def __getitem__(self, index: int | slice) -> "np.ndarray | Ragged":
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                raise ValueError(f"expected rows in steps of 1, received {index}")
            stop = max(start, stop)
            return Ragged(self.values[self.ends[start] : self.ends[stop]], self.lengths[start:stop])
        row = range(len(self))[index]
        return self.values[self.ends[row] : self.ends[row + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self.values[start:end] for start, end in pairwise(self.ends))
