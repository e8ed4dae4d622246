"""Predictions on disk: Parquet, a video a row: its id, labels, and top-k classes with scores in float32.

Stores are written and read in blocks of rows: memory holds a block, and the ids of all videos.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from yt8m.core.errors import InputError, counted
from yt8m.core.files import whole
from yt8m.core.ragged import Ragged
from yt8m.scoring.metrics import top_k

GROUP = 8192  # rows written at once


class PredictionError(InputError):
    """Predictions are missing or are not of the same videos; the message says which."""


@dataclass(frozen=True)
class Predictions:
    """The predictions of one model for N videos.

    Attributes:
        ids: N ids; Arrow's, since Python's take 60 bytes each.
        labels: each video's classes, N int32 arrays, as one where they are read from a store.
        indices: (N, k) int32, highest score first.
        scores: (N, k) float32.
    """

    ids: pa.StringArray
    labels: Sequence[np.ndarray]
    indices: np.ndarray
    scores: np.ndarray

    def dense(self, classes: int) -> np.ndarray:
        """The scores of every class, (N, classes) float32: 0 outside a video's k."""
        return _dense(self.indices, self.scores, classes)


class ById:
    """Scores of N videos, found by their ids: arrays alone, and no object for each video.

    Args:
        ids: each once.
        indices: (N, k) int32.
        scores: (N, k) float32.
    """

    def __init__(self, ids: pa.StringArray, indices: np.ndarray, scores: np.ndarray):
        names = _fixed_width(ids)
        self._order = np.argsort(names)
        self._names, self._indices, self._scores = names[self._order], indices, scores

    def has(self, ids: Sequence[str]) -> np.ndarray:
        """Which of the named videos have scores, (n,) bool."""
        found: np.ndarray = np.isin(_fixed_width(pa.array(ids, pa.string())), self._names)
        return found

    def at(self, ids: Sequence[str], classes: int) -> np.ndarray:
        """Scores of the named videos for every class, (n, classes) float32.

        Raises:
            PredictionError: where a video has no prediction.
        """
        wanted = _fixed_width(pa.array(ids, pa.string()))
        places, ends = (np.searchsorted(self._names, wanted, side) for side in ("left", "right"))
        if missing := [id for id, start, end in zip(ids, places, ends, strict=True) if start == end]:
            raise PredictionError(f"expected a prediction of each video, {counted(missing)} have none")
        rows = self._order[places]
        return _dense(self._indices[rows], self._scores[rows], classes)


def _fixed_width(ids: pa.StringArray) -> np.ndarray:
    """Ids as one array of bytes, all as long as the longest."""
    parts = (ids.slice(start, GROUP).cast(pa.binary()).to_pylist() for start in range(0, len(ids), GROUP))
    return np.concatenate([np.empty(0, "S1"), *(np.array(part, "S") for part in parts)])


def _dense(indices: np.ndarray, scores: np.ndarray, classes: int) -> np.ndarray:
    full = np.zeros((len(indices), classes), np.float32)
    np.put_along_axis(full, indices.astype(np.int64), scores, axis=1)
    return full


class Writer:
    """Appends batches of predictions to an open file, in row groups of `GROUP`."""

    def __init__(self, file: pq.ParquetWriter, k: int):
        self._file, self._k = file, k
        self._waiting = file.schema.empty_table()

    def write(self, ids: Sequence[str], labels: Sequence[np.ndarray], scores: np.ndarray) -> "Predictions":
        """Append the k highest of (n, classes) scores, and return what was appended."""
        block = Predictions(pa.array(ids, pa.string()), labels, *top_k(np.asarray(scores, np.float32), self._k))
        self.append(block)
        return block

    def append(self, block: "Predictions") -> None:
        """Append predictions; of their classes the first k are kept."""
        columns = [
            block.ids,
            _list_array(Ragged.of(block.labels)),
            *(
                pa.FixedSizeListArray.from_arrays(pa.array(values[:, : self._k].ravel()), self._k)
                for values in (block.indices, block.scores)
            ),
        ]
        self._waiting = pa.concat_tables([self._waiting, pa.Table.from_arrays(columns, schema=self._file.schema)])
        while len(self._waiting) >= GROUP:
            self.flush()

    def flush(self) -> None:
        """Write a row group of what waits, if anything does."""
        if len(self._waiting):
            self._file.write_table(self._waiting.slice(0, GROUP))
            self._waiting = self._waiting.slice(GROUP)


@contextmanager
def writer(path: str | Path, k: int, classes: int) -> Iterator[Writer]:
    """Open a store of the top k of `classes`; it appears at `path` when complete."""
    k = min(k, classes)
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("labels", pa.list_(pa.int32())),
            ("indices", pa.list_(pa.int32(), k)),
            ("scores", pa.list_(pa.float32(), k)),
        ]
    )
    with whole(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as file:
        out = Writer(file, k)
        yield out
        out.flush()


class Store:
    """A file of predictions.

    Attributes:
        size: its videos.
        k: classes kept of each.

    Raises:
        PredictionError: where there is no such file.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.is_file():
            raise PredictionError(f"{path}: expected predictions, found no file")
        with pq.ParquetFile(self.path) as file:
            self.size = file.metadata.num_rows
            self.k = file.schema_arrow.field("indices").type.list_size

    def ids(self) -> pa.StringArray:
        """The ids of all videos, in order.

        Raises:
            PredictionError: where one stands there twice.
        """
        ids = pq.read_table(self.path, columns=["id"])["id"].combine_chunks()
        counts = pc.value_counts(ids)
        more = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        if len(more):
            raise PredictionError(f"{self.path}: expected each id once, {counted(more)} stand there more often")
        return ids

    def labels(self) -> Ragged:
        """The labels of all videos, in order."""
        return _lists(pq.read_table(self.path, columns=["labels"])["labels"].combine_chunks())

    def by_id(self) -> ById:
        """The scores of all videos, without their labels. Memory holds them once, also while they are read.

        Raises:
            PredictionError: where an id stands there twice.
        """
        indices, scores = np.empty((self.size, self.k), np.int32), np.empty((self.size, self.k), np.float32)
        start = 0
        for table in self._tables(["indices", "scores"]):
            rows = slice(start, start + len(table))
            indices[rows], scores[rows] = _scores(table)
            start = rows.stop
        return ById(self.ids(), indices, scores)

    def blocks(self, size: int) -> Iterator["Predictions"]:
        """All videos in order, `size` at a time; the last may be fewer."""
        waiting: list[pa.Table] = []
        for table in self._tables():
            joined = pa.concat_tables([*waiting, table])
            while len(joined) >= size:
                yield _predictions(joined.slice(0, size))
                joined = joined.slice(size)
            waiting = [joined] if len(joined) else []
        yield from map(_predictions, waiting)

    def _tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        with pq.ParquetFile(self.path, pre_buffer=False) as file:  # a buffer grows with the file
            for batch in file.iter_batches(GROUP, columns=columns):
                yield pa.Table.from_batches([batch])

    def read(self) -> "Predictions":
        """All videos at once.

        Raises:
            PredictionError: where an id stands there twice.
        """
        self.ids()
        return _predictions(pq.read_table(self.path))

    def reordered(self, order: pa.Array, path: Path) -> "Store":
        """The same predictions with the rows in another order, written to `path`; memory holds them all meanwhile."""
        pq.write_table(pq.read_table(self.path).take(order), path, row_group_size=GROUP)
        return Store(path)


def _list_array(labels: Ragged) -> pa.ListArray:
    """Labels as a column."""
    return pa.ListArray.from_arrays(pa.array(labels.ends, pa.int32()), pa.array(labels.values.astype(np.int32)))


def _lists(column: pa.ListArray) -> Ragged:
    """A column's lists."""
    return Ragged(column.flatten().to_numpy(), pc.list_value_length(column).to_numpy())


def _scores(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The indices and scores in a table, (rows, k) each."""
    columns = (table[name].combine_chunks() for name in ("indices", "scores"))
    indices, scores = (column.flatten().to_numpy().reshape(-1, column.type.list_size) for column in columns)
    return indices, scores


def _predictions(table: pa.Table) -> Predictions:
    return Predictions(
        table["id"].combine_chunks(),
        _lists(table["labels"].combine_chunks()),
        *_scores(table),
    )


def concatenate(blocks: Sequence[Predictions]) -> Predictions:
    """The predictions of blocks, of which there is at least one, after one another."""
    return Predictions(
        pa.concat_arrays([block.ids for block in blocks]),
        Ragged.joined([block.labels for block in blocks]),
        np.concatenate([block.indices for block in blocks]),
        np.concatenate([block.scores for block in blocks]),
    )


class Aligned:
    """Stores of the same videos, read side by side in the order of the first.

    Attributes:
        names: of the stores.
        ids: of the videos, N.
    """

    def __init__(self, stores: Mapping[str, Store], ids: pa.StringArray):
        self._stores, self.names, self.ids = stores, list(stores), ids

    @property
    def k(self) -> int:
        """Classes that each store keeps of a video; the fewest."""
        return min(store.k for store in self._stores.values())

    def read(self, name: str) -> Predictions:
        """All predictions of a store."""
        return self._stores[name].read()

    def take(self, names: Sequence[str]) -> "Aligned":
        """Some of the stores."""
        return Aligned({name: self._stores[name] for name in names}, self.ids)

    def blocks(self, size: int) -> Iterator[list[Predictions]]:
        """The predictions of each store for `size` videos at a time."""
        yield from map(list, zip(*(store.blocks(size) for store in self._stores.values()), strict=True))


def order_of(wanted: pa.StringArray, ids: pa.StringArray, first: str, name: str) -> pa.Array:
    """Where each of the wanted ids stands in `ids`, which holds each once.

    Args:
        first: whose ids are wanted.
        name: whose `ids` are.

    Raises:
        PredictionError: where one lacks ids of the other, with counts and first examples.
    """
    order = pc.index_in(wanted, value_set=ids)
    missing, extra = wanted.filter(order.is_null()), ids.filter(pc.invert(pc.is_in(ids, value_set=wanted)))
    if len(missing) or len(extra):
        raise PredictionError(
            f"{name}: expected predictions of the same videos as {first}, "
            f"missing are {counted(missing)}, too many are {counted(extra)}"
        )
    return order


@contextmanager
def aligned(paths: Mapping[str, str | Path]) -> Iterator[Aligned]:
    """Open stores by name. One whose videos are in another order than the first's is read from a copy in that order.

    Raises:
        PredictionError: naming the store that is missing or whose ids differ, with counts and first examples.
    """
    stores = {name: Store(path) for name, path in paths.items()}
    first, *others = stores
    wanted = stores[first].ids()
    with TemporaryDirectory() as folder:
        for name in others:
            ids = stores[name].ids()
            if ids.equals(wanted):
                continue
            order = order_of(wanted, ids, first, name)
            stores[name] = stores[name].reordered(order, Path(folder) / f"{name}.parquet")
        yield Aligned(stores, wanted)
