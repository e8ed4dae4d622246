"""Predictions on disk: Parquet, a video a row: its id, labels, and top-k classes with scores in float32."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from yt8m.errors import InputError
from yt8m.files import whole
from yt8m.metrics import top_k


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

    def dense(self, rows: slice, classes: int) -> np.ndarray:
        """Scores of some videos for every class, (n, classes) float32; 0 outside the top k."""
        indices, scores = self.indices[rows], self.scores[rows]
        full = np.zeros((len(indices), classes), np.float32)
        np.put_along_axis(full, indices.astype(np.int64), scores, axis=1)
        return full

    def hot(self, rows: slice, classes: int) -> np.ndarray:
        """Multi-hot labels of some videos, (n, classes) float32."""
        full = np.zeros((len(self.ids[rows]), classes), np.float32)
        for row, labels in zip(full, self.labels[rows], strict=True):
            row[labels] = 1
        return full

    def at(self, ids: Sequence[str], classes: int) -> np.ndarray:
        """Scores of the named videos for every class, (n, classes) float32.

        Raises:
            PredictionError: where a video has no prediction.
        """
        if not self._rows:
            self._rows.update((str(id), row) for row, id in enumerate(self.ids))
        missing = [id for id in ids if id not in self._rows]
        if missing:
            raise PredictionError(f"expected a prediction of each video, {_some(missing)} have none")
        rows = [self._rows[id] for id in ids]
        full = np.zeros((len(rows), classes), np.float32)
        np.put_along_axis(full, self.indices[rows].astype(np.int64), self.scores[rows], axis=1)
        return full


class Writer:
    """Appends batches of predictions to an open file."""

    def __init__(self, file: pq.ParquetWriter, k: int):
        self._file, self._k = file, k

    def write(self, ids: Sequence[str], labels: Sequence[np.ndarray], scores: np.ndarray) -> None:
        """Append the k highest of (n, classes) scores as one row group."""
        indices, values = top_k(np.asarray(scores, np.float32), self._k)
        columns = [
            pa.array(list(ids), pa.string()),
            pa.array([np.asarray(row, np.int32) for row in labels], pa.list_(pa.int32())),
            pa.FixedSizeListArray.from_arrays(pa.array(indices.ravel()), indices.shape[1]),
            pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1]),
        ]
        self._file.write_table(pa.Table.from_arrays(columns, schema=self._file.schema))


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
        yield Writer(file, k)


def read(path: str | Path) -> Predictions:
    """Read a store.

    Raises:
        PredictionError: where it is missing or an id stands in it twice.
    """
    path = Path(path)
    if not path.is_file():
        raise PredictionError(f"{path}: expected predictions, found no file")
    table = pq.read_table(path).combine_chunks()
    ids = table["id"].to_numpy()
    unique, counts = np.unique(ids.astype(str), return_counts=True)
    if len(unique) != len(ids):
        raise PredictionError(
            f"{path}: expected each id once, {_some(unique[counts > 1].tolist())} stand there more often"
        )
    labels = table["labels"].combine_chunks()
    k = table.schema.field("indices").type.list_size
    return Predictions(
        ids,
        np.split(labels.flatten().to_numpy(), labels.offsets.to_numpy()[1:-1]) if len(ids) else [],
        table["indices"].combine_chunks().flatten().to_numpy().reshape(-1, k),
        table["scores"].combine_chunks().flatten().to_numpy().reshape(-1, k),
    )


def read_aligned(folder: str | Path, names: Iterable[str]) -> dict[str, Predictions]:
    """Read `FOLDER/NAME.parquet` for each name, all in the order of the first.

    Raises:
        PredictionError: where a file is missing, or its ids are not those of the first.
    """
    return align({name: read(Path(folder) / f"{name}.parquet") for name in names})


def align(members: Mapping[str, Predictions]) -> dict[str, Predictions]:
    """Bring all members into the order of the first.

    Raises:
        PredictionError: naming the member whose ids differ, with counts and first examples.
    """
    first, *_ = members
    ids = members[first].ids
    aligned = {}
    for name, member in members.items():
        missing, extra = np.setdiff1d(ids, member.ids), np.setdiff1d(member.ids, ids)
        if len(missing) or len(extra):
            raise PredictionError(
                f"{name}: expected predictions of the same videos as {first}, "
                f"missing are {_some(missing.tolist())}, too many are {_some(extra.tolist())}"
            )
        sorter = np.argsort(member.ids)
        order = sorter[np.searchsorted(member.ids, ids, sorter=sorter)]
        aligned[name] = Predictions(
            ids, [member.labels[row] for row in order], member.indices[order], member.scores[order]
        )
    return aligned


def _some(ids: Sequence[str]) -> str:
    return f"{len(ids)} ({', '.join(map(str, ids[:3]))}{', …' if len(ids) > 3 else ''})" if len(ids) else "0"
