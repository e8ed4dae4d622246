"""Features in Parquet tables: a row a video, its id, and a column of lists for each feature."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from yt8m.core.errors import InputError, counted
from yt8m.packing.features import Column, is_list
from yt8m.packing.names import ID, column_of

ROWS = 16  # of a batch: 20 MB of YouTube-8M frames as float32


def open_table(path: Path, files: Sequence[Path], work: Path) -> dict[str, Column]:
    """The columns of a table's files that hold lists of floats or bytes, or lists of such lists, by name.

    Parquet is unpacked to an Arrow file, batch by batch: it cannot be read a row at a time, which the order of shards
    asks for.

    Args:
        path: of the table, for messages.
        work: the Arrow file.

    Raises:
        InputError: where a file is no Parquet table, the columns are not as expected, or an id repeats.
    """
    schema = _read_schema(files[0])
    id_column = column_of(ID, schema.names, files[0])
    names = [field.name for field in schema if field.name != id_column and _is_feature(field.type)]
    if not names:
        raise InputError(f"{path}: expected columns of lists of floats beside {id_column!r}, received {schema.names}")
    places: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in names}
    kept = pa.schema([schema.field(name) for name in names])
    seen: set[str] = set()
    with pa.OSFile(str(work), "wb") as out, pa.ipc.new_file(out, kept) as writer:
        for index, (file, batch) in enumerate(_batches(files, schema, [id_column, *names])):
            ids = [str(id) if id.is_valid else "" for id in batch.column(id_column)]
            if "" in ids or not seen.isdisjoint(ids) or len(set(ids)) < len(ids):
                again = [id for id in ids if not id or id in seen or ids.count(id) > 1]
                raise InputError(f"{file}: expected an id for each row, each once, received {counted(again)}")
            seen.update(ids)
            for name in names:
                valid = batch.column(name).is_valid().to_pylist()
                places[name].update((id, (index, row)) for row, id in enumerate(ids) if valid[row])
            writer.write_batch(batch.select(names))
    return {name: Column(places[name], work, name, path) for name in names}


def _batches(files: Sequence[Path], schema: pa.Schema, columns: list[str]) -> Iterator[tuple[Path, pa.RecordBatch]]:
    """The rows of all files in batches, each with the file that it is of; memory holds a row group as it is stored."""
    for file in tqdm(files, "unpacking", unit="file", disable=None):
        if not _read_schema(file).equals(schema):
            raise InputError(f"{file}: expected the columns and types of {files[0]}, received others")
        try:
            content = pq.ParquetFile(file)
            for group in range(content.num_row_groups):  # or all are fetched ahead
                for batch in content.iter_batches(ROWS, [group], columns):
                    yield file, batch
        except (pa.ArrowInvalid, OSError) as error:
            message = next(iter(str(error).splitlines()), "")
            raise InputError(f"{file}: expected a Parquet table, received a damaged one: {message}") from None


def _is_feature(kind: pa.DataType) -> bool:
    inner = kind.value_type if is_list(kind) else kind
    inner = inner.value_type if is_list(inner) else inner
    return is_list(kind) and (pa.types.is_floating(inner) or pa.types.is_uint8(inner))


def _read_schema(file: Path) -> pa.Schema:
    try:
        return pq.read_schema(file).remove_metadata()
    except pa.ArrowInvalid as error:
        raise InputError(f"{file}: expected a Parquet table: {error}") from None
