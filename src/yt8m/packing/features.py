"""One feature of many videos, wherever its values lie: read one video at a time, in any order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Self
from zipfile import BadZipFile
from zlib import error as ZlibError

import numpy as np
import pyarrow as pa

from yt8m.core.errors import InputError


@dataclass(frozen=True)
class Feature:
    """A feature by the ids of its videos; subclasses read one video's values."""

    places: Mapping[str, object]

    def of(self, ids: Iterable[str]) -> Self:
        """The same feature of these videos alone, which is what another process needs."""
        return replace(self, places={id: self.places[id] for id in ids})

    def where(self, id: str) -> str:
        """Where a video's values lie, for messages."""
        raise NotImplementedError

    def read(self, id: str) -> np.ndarray:
        """A video's values as they lie there: (frames, size), or (size,) at the video level.

        Raises:
            InputError: where they cannot be read as an array.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class ArrayFiles(Feature):
    """A file of numpy's for each video: `.npy`, or `.npz` with an array of the name `key`."""

    places: Mapping[str, Path]
    key: str | None = None

    def where(self, id: str) -> str:
        """The file, and the array in it."""
        return str(self.places[id]) + (f": array {self.key!r}" if self.key else "")

    def read(self, id: str) -> np.ndarray:
        """A video's array."""
        try:
            with self.places[id].open("rb") as file:
                if self.key is None:
                    return np.lib.format.read_array(file, allow_pickle=False)
                with np.lib.npyio.NpzFile(file) as arrays:
                    return arrays[self.key]
        except (ValueError, EOFError, BadZipFile, ZlibError) as error:
            message = next(iter(str(error).splitlines()), "")
            raise InputError(f"{self.where(id)}: expected an array of numbers: {message}") from None


@dataclass(frozen=True)
class Column(Feature):
    """A column of lists in an Arrow file, which is mapped and not read: a place is a batch and a row of it.

    Attributes:
        file: Arrow's.
        name: of the column.
        table: what the file was made of, for messages.
    """

    places: Mapping[str, tuple[int, int]]
    file: Path
    name: str
    table: Path

    def where(self, id: str) -> str:
        """The table, its column, and the video."""
        return f"{self.table}: column {self.name!r} of {id!r}"

    def read(self, id: str) -> np.ndarray:
        """A video's list, or list of lists, as an array."""
        batch, row = self.places[id]
        values = _batch(self.file, batch).column(self.name).slice(row, 1).flatten()
        shape: tuple[int, ...] = (len(values),)
        if is_list(values.type):
            sizes = {len(frame) if frame.is_valid else 0 for frame in values}
            if len(sizes) > 1:
                raise InputError(f"{self.where(id)}: expected frames of one size, received {sorted(sizes)}")
            shape, values = (len(values), *sizes), values.flatten()
        return values.to_numpy(zero_copy_only=False).reshape(shape)


def is_list(kind: pa.DataType) -> bool:
    """Whether values of a type are lists, fixed-size or not."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


@lru_cache(maxsize=8)
def _batch(file: Path, index: int) -> pa.RecordBatch:
    return pa.ipc.open_file(pa.memory_map(str(file))).get_batch(index)
