"""The TFRecord container: length, its checksum, content, its checksum."""

import mmap
import struct
from collections.abc import Container, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import google_crc32c

from yt8m.core.errors import InputError
from yt8m.core.files import whole


class RecordError(InputError):
    """A shard or a record is not what it should be; the message names both."""


def _masked_crc(content: bytes | memoryview) -> int:
    crc = google_crc32c.value(bytes(content))
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@lru_cache
def _header(length: int) -> bytes:
    """A record's length and its checksum."""
    content = struct.pack("<Q", length)
    return content + struct.pack("<I", _masked_crc(content))


def read_records(path: str | Path, wanted: Container[int] | None = None) -> Iterator[memoryview]:
    """The records of a shard, as views of the mapped file; the checksums of all that are given are verified.

    Args:
        wanted: indices of records; others are passed over without a look at their content. None: all.

    Raises:
        RecordError: where the file is truncated or a checksum does not hold.
    """
    with Path(path).open("rb") as file:
        size = file.seek(0, 2)
        if not size:
            return
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    position = index = 0
    while position < size:
        where = f"{path}: record {index} at byte {position}"
        if position + 12 > size:
            raise RecordError(f"{where}: expected a header of 12 bytes, received {size - position}: truncated?")
        (length,) = struct.unpack_from("<Q", content, position)
        if content[position : position + 12] != _header(length):
            raise RecordError(f"{where}: the checksum of the length does not hold: not a TFRecord file, or corrupt")
        start, end = position + 12, position + 12 + length
        if end + 4 > size:
            raise RecordError(f"{where}: expected {length + 4} bytes, received {size - start}: truncated?")
        if wanted is None or index in wanted:
            if _masked_crc(content[start:end]) != struct.unpack_from("<I", content, end)[0]:
                raise RecordError(f"{where}: the checksum of the content does not hold: corrupt")
            yield content[start:end]
        position, index = end + 4, index + 1


def write_records(path: str | Path, records: Iterable[bytes]) -> int:
    """Write a shard as a whole and return its number of records."""
    count = 0
    with whole(path) as partial, partial.open("wb", buffering=1 << 20) as file:
        for record in records:
            file.writelines((_header(len(record)), record, struct.pack("<I", _masked_crc(record))))
            count += 1
    return count
