"""The TFRecord container: length, its checksum, content, its checksum.

Whole files may be compressed, as `TFRecordOptions` writes them. These can be read in order alone.
"""

import gzip
import mmap
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from io import RawIOBase
from pathlib import Path

import crc32c
import numpy as np

from yt8m.core.errors import InputError
from yt8m.core.files import whole
from yt8m.records.remote import Place, opened

HEADER, FOOTER = 12, 4  # bytes before and behind a record's content


# Of compressed files, by how they begin: what they are called, and what unpacks them.
_PACKED = {
    b"\x1f\x8b": ("gzip", "gunzip -k"),
    **dict.fromkeys((b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"), ("zlib", "pigz -dz")),
}


class RecordError(InputError):
    """A shard or a record is not what it should be; the message names both."""


class PackedError(RecordError):
    """A shard is compressed."""


def _masked_crc(content: bytes | memoryview) -> int:
    crc = crc32c.crc32c(content)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@lru_cache
def _header(length: int) -> bytes:
    """A record's length and its checksum."""
    content = struct.pack("<Q", length)
    return content + struct.pack("<I", _masked_crc(content))


def _end(header: bytes | memoryview, path: str | Place, index: int, start: int, size: int) -> int:
    """Where the record ends that starts with a header.

    Args:
        path, index: of the shard and of the record in it.
        start: of the record.
        size: of the file.

    Raises:
        RecordError: where the header is damaged, or the record does not end within the file.
    """
    where = f"{path}: record {index} at byte {start}"
    if len(header) < HEADER:
        raise RecordError(f"{where}: expected a header of {HEADER} bytes, received {len(header)}: truncated?")
    (length,) = struct.unpack_from("<Q", header)
    if header != _header(length):
        if not start and bytes(header[:2]) in _PACKED:
            name, unpack = _PACKED[bytes(header[:2])]
            raise PackedError(
                f"{path}: expected records, which are read in any order, received them compressed with {name}: "
                f"unpack the file ({unpack})"
            )
        raise RecordError(f"{where}: the checksum of the length does not hold: not a TFRecord file, or corrupt")
    if start + HEADER + length + FOOTER > size:
        raise RecordError(f"{where}: expected {length + FOOTER} bytes, received {size - start - HEADER}: truncated?")
    return int(start + HEADER + length + FOOTER)


def _content(record: memoryview, path: str | Place, index: int, start: int) -> memoryview:
    """What stands between a record's header and its checksum.

    Raises:
        RecordError: where the checksum does not hold.
    """
    content = record[HEADER:-FOOTER]
    if _masked_crc(content) != struct.unpack_from("<I", record, len(record) - FOOTER)[0]:
        where = f"{path}: record {index} at byte {start}"
        raise RecordError(f"{where}: the checksum of the content does not hold: corrupt")
    return content


def read_records(path: str | Place, first: int = 0, unpack: bool = False) -> Iterator[memoryview]:
    """The records of a shard in order, as views of the mapped file; the checksums of all that are given are verified.

    Args:
        first: index of the first record given; others are passed over without a look at their content.
        unpack: whether to take a compressed file, too, which memory then holds as a whole.

    Raises:
        PackedError: where the file is compressed.
        RecordError: where it is truncated or a checksum does not hold.
    """
    with opened(path) as file:
        if not file.seek(0, 2):
            return
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if unpack and bytes(content[:2]) in _PACKED and not _begins(content):
        content = _unpacked(content, path)
    start, index, size = 0, 0, len(content)
    while start < size:
        end = _end(content[start : start + HEADER], path, index, start, size)
        if index >= first:
            yield _content(content[start:end], path, index, start)
        start, index = end, index + 1


def _begins(content: memoryview) -> bool:
    """Whether bytes begin with a record's header."""
    return len(content) >= HEADER and content[:HEADER] == _header(struct.unpack_from("<Q", content)[0])


def _unpacked(content: memoryview, path: str | Place) -> memoryview:
    """The bytes of a compressed file.

    Raises:
        RecordError: where they are damaged.
    """
    try:
        return memoryview(gzip.decompress(content) if content[0] == 0x1F else zlib.decompress(content))
    except (EOFError, OSError, zlib.error) as error:
        raise RecordError(f"{path}: expected a compressed file as a whole: {error}") from None


def record_bounds(path: str | Place) -> np.ndarray:
    """Where each record of a shard begins, and the last one ends, (records + 1,) int64; no content is looked at.

    Raises:
        RecordError: where the file is truncated or a length's checksum does not hold.
    """
    bounds = [0]
    with opened(path) as file:
        size = file.seek(0, 2)
        while bounds[-1] < size:
            header = os.pread(file.fileno(), HEADER, bounds[-1])
            bounds.append(_end(header, path, len(bounds) - 1, bounds[-1], size))
    return np.array(bounds)


def read_at(file: RawIOBase, path: str | Place, bounds: np.ndarray, index: int, buffer: memoryview) -> memoryview:
    """One record of an open shard, as a view of the buffer, which it fits into.

    Args:
        bounds: see `record_bounds`.
        index: of the record.

    Raises:
        RecordError: where the file has become shorter, or the checksum does not hold.
    """
    start, end = int(bounds[index]), int(bounds[index + 1])
    record = buffer[: end - start]
    read = os.preadv(file.fileno(), [record], start)
    if read != len(record):
        raise RecordError(f"{path}: record {index} at byte {start}: expected {len(record)} bytes, received {read}")
    return _content(record, path, index, start)


def announce(path: str | Place) -> None:
    """Have the system read a shard ahead as a whole, where it can: its records will be taken in another order."""
    if hasattr(os, "posix_fadvise"):
        with opened(path) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)


def write_records(path: str | Path, records: Iterable[bytes]) -> int:
    """Write a shard as a whole and return its number of records."""
    count = 0
    with whole(path) as partial, partial.open("wb", buffering=1 << 20) as file:
        for record in records:
            file.writelines((_header(len(record)), record, struct.pack("<I", _masked_crc(record))))
            count += 1
    return count
