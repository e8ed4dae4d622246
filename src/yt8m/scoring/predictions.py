"""Predictions on disk: Parquet, a video a row: its id, labels, and top-k classes with scores in float32.

Stores are written and read in blocks of rows: memory holds a block, and the ids of all videos.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from yt8m.core.errors import InputError, counted
from yt8m.core.files import whole
from yt8m.scoring.metrics import top_k

GROUP = 8192  # rows written at once


class PredictionError(InputError):
    """Predictions are missing or are not of the same videos; the message says which."""


@dataclass(frozen=True)
class Predictions:
    """The predictions of one model for N videos.

    Attributes:
        ids: N ids.
        labels: each video's classes, N int32 arrays.
        indices: (N, k) int32, highest score first.
        scores: (N, k) float32.
    """

    ids: np.ndarray
    labels: list[np.ndarray]
    indices: np.ndarray
    scores: np.ndarray
    _rows: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    def at(self, ids: Sequence[str], classes: int) -> np.ndarray:
        """Scores of the named videos for every class, (n, classes) float32.

        Raises:
            PredictionError: where a video has no prediction.
        """
        if not self._rows:
            self._rows.update((str(id), row) for row, id in enumerate(self.ids))
        missing = [id for id in ids if id not in self._rows]
        if missing:
            raise PredictionError(f"expected a prediction of each video, {counted(missing)} have none")
        rows = [self._rows[id] for id in ids]
        full = np.zeros((len(rows), classes), np.float32)
        np.put_along_axis(full, self.indices[rows].astype(np.int64), self.scores[rows], axis=1)
        return full


class Writer:
    """Appends batches of predictions to an open file, in row groups of `GROUP`."""

    def __init__(self, file: pq.ParquetWriter, k: int):
        self._file, self._k = file, k
        self._waiting = file.schema.empty_table()

    def write(self, ids: Sequence[str], labels: Sequence[np.ndarray], scores: np.ndarray) -> "Predictions":
        """Append the k highest of (n, classes) scores, and return what was appended."""
        block = Predictions(np.array(ids, object), list(labels), *top_k(np.asarray(scores, np.float32), self._k))
        self.append(block)
        return block

    def append(self, block: "Predictions") -> None:
        """Append predictions; of their classes the first k are kept."""
        columns = [
            pa.array(block.ids.tolist(), pa.string()),
            pa.array([np.asarray(row, np.int32) for row in block.labels], pa.list_(pa.int32())),
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

    def ids(self) -> pa.Array:
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

    def labels(self) -> list[np.ndarray]:
        """The labels of all videos, in order."""
        return _lists(pq.read_table(self.path, columns=["labels"])["labels"].combine_chunks())

    def blocks(self, size: int) -> Iterator["Predictions"]:
        """All videos in order, `size` at a time; the last may be fewer."""
        with pq.ParquetFile(self.path, pre_buffer=False) as file:  # a buffer grows with the file
            waiting = file.schema_arrow.empty_table()
            for batch in file.iter_batches(GROUP):
                waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
                while len(waiting) >= size:
                    yield _predictions(waiting.slice(0, size))
                    waiting = waiting.slice(size)
            if len(waiting):
                yield _predictions(waiting)

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


def _lists(column: pa.ListArray) -> list[np.ndarray]:
    """A column's lists, each an array."""
    ends = np.cumsum(pc.list_value_length(column).to_numpy())
    return np.split(column.flatten().to_numpy(), ends[:-1]) if len(column) else []


def _predictions(table: pa.Table) -> Predictions:
    table = table.combine_chunks()
    k = table.schema.field("indices").type.list_size
    return Predictions(
        table["id"].to_numpy(),
        _lists(table["labels"].combine_chunks()),
        *(table[name].combine_chunks().flatten().to_numpy().reshape(-1, k) for name in ("indices", "scores")),
    )


def concatenate(blocks: Sequence[Predictions]) -> Predictions:
    """The predictions of blocks, of which there is at least one, after one another."""
    return Predictions(
        np.concatenate([block.ids for block in blocks]),
        [labels for block in blocks for labels in block.labels],
        np.concatenate([block.indices for block in blocks]),
        np.concatenate([block.scores for block in blocks]),
    )


class Aligned:
    """Stores of the same videos, read side by side in the order of the first.

    Attributes:
        names: of the stores.
        ids: of the videos, (N,) str.
    """

    def __init__(self, stores: Mapping[str, Store], ids: np.ndarray):
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


def order_of(wanted: pa.Array, ids: pa.Array, first: str, name: str) -> pa.Array:
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
        yield Aligned(stores, wanted.to_numpy(zero_copy_only=False))
