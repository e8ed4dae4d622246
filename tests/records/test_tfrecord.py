import gzip
import struct
import zlib
from pathlib import Path

import google_crc32c
import numpy as np
import pytest

from yt8m.records.tfrecord import PackedError, RecordError, read_at, read_records, record_bounds, write_records

RECORDS = [b"first", b"", b"x" * 1000]
STARTS = [0, 12 + 5 + 4, 2 * 16 + 5]  # header of 12 bytes, content, checksum of 4 bytes


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "train0000.tfrecord"
    assert write_records(path, RECORDS) == len(RECORDS)
    return path


@pytest.mark.parametrize("seed", range(3))
def test_round_trip(tmp_path, seed):
    random = np.random.default_rng(seed)
    records = [random.bytes(size) for size in random.integers(0, 3000, 20)]
    write_records(tmp_path / "shard", records)
    assert [bytes(record) for record in read_records(tmp_path / "shard")] == records


def test_layout(shard):
    def masked(content):
        crc = google_crc32c.value(content)
        return struct.pack("<I", ((crc >> 15) + (crc % 2**15) * 2**17 + 0xA282EAD8) % 2**32)

    lengths = [struct.pack("<Q", len(record)) for record in RECORDS]
    expected = [
        length + masked(length) + record + masked(record) for length, record in zip(lengths, RECORDS, strict=True)
    ]
    assert shard.read_bytes() == b"".join(expected)


def test_empty_file_has_no_records(tmp_path):
    (tmp_path / "empty").touch()
    assert list(read_records(tmp_path / "empty")) == []
    assert write_records(tmp_path / "empty", []) == 0


@pytest.mark.parametrize(
    ("index", "size", "match"),
    [
        (0, 11, "expected a header of 12 bytes, received 11: truncated"),
        (2, STARTS[2] + 3, "expected a header of 12 bytes, received 3: truncated"),
        (0, 14, "expected 9 bytes, received 2: truncated"),
        (1, STARTS[1] + 15, "expected 4 bytes, received 3: truncated"),
        (2, STARTS[2] + 1000, "expected 1004 bytes, received 988: truncated"),
    ],
)
def test_truncated(shard, index, size, match):
    shard.write_bytes(shard.read_bytes()[:size])
    records = read_records(shard)
    assert [bytes(next(records)) for _ in range(index)] == RECORDS[:index]
    with pytest.raises(RecordError, match=f"{shard}: record {index} at byte {STARTS[index]}: {match}"):
        next(records)


def read_by_bounds(path: Path) -> list[bytes]:
    """All records, the last first, each read where its bounds are."""
    bounds = record_bounds(path)
    buffer = memoryview(bytearray(path.stat().st_size))
    with path.open("rb", buffering=0) as file:
        found = [bytes(read_at(file, path, bounds, index, buffer)) for index in reversed(range(len(bounds) - 1))]
    return found[::-1]


def read_in_order(path: Path) -> list[bytes]:
    return [bytes(record) for record in read_records(path)]


@pytest.mark.parametrize("read", [read_in_order, read_by_bounds])
@pytest.mark.parametrize("byte", range(12 + 5 + 4))
def test_any_corrupt_byte_is_found(shard, byte, read):
    content = bytearray(shard.read_bytes())
    content[STARTS[0] + byte] ^= 1
    shard.write_bytes(content)
    what = "length" if byte < 12 else "content"
    with pytest.raises(RecordError, match=f"{shard}: record 0 at byte 0: the checksum of the {what}"):
        read(shard)


def test_not_a_tfrecord(tmp_path):
    path = tmp_path / "text.tfrecord"
    path.write_text("index,name\n0,Game\n1,Vehicle\n")
    with pytest.raises(RecordError, match=f"{path}: record 0 at byte 0: .* not a TFRecord file"):
        list(read_records(path))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_records_at_their_bounds(tmp_path, count):
    path = tmp_path / "shard"
    write_records(path, RECORDS[:count])
    assert record_bounds(path).tolist() == [*STARTS[:count], path.stat().st_size]
    assert read_by_bounds(path) == RECORDS[:count]


@pytest.mark.parametrize("size", [3, 14, STARTS[2] + 999])
def test_a_truncated_shard_has_no_bounds(shard, size):
    shard.write_bytes(shard.read_bytes()[:size])
    with pytest.raises(RecordError, match=r"record \d at byte \d+: expected \d+ bytes|expected a header"):
        record_bounds(shard)


def test_a_shard_that_was_cut_off_meanwhile_is_named(shard):
    bounds = record_bounds(shard)
    shard.write_bytes(shard.read_bytes()[: STARTS[2] + 3])
    with shard.open("rb", buffering=0) as file, pytest.raises(RecordError, match="record 2 at byte 37: expected 1016"):
        read_at(file, shard, bounds, 2, memoryview(bytearray(2000)))


def test_failed_write_leaves_nothing(tmp_path):
    def records():
        yield b"first"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_records(tmp_path / "shard", records())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
def test_a_compressed_file_is_read_in_order_where_asked_for(shard, pack):
    packed = shard.with_name("train0001.tfrecord.gz")
    packed.write_bytes(pack(shard.read_bytes()))
    assert [bytes(record) for record in read_records(packed, unpack=True)] == RECORDS
    assert [bytes(record) for record in read_records(packed, 1, unpack=True)] == RECORDS[1:]
    for read in (lambda path: list(read_records(path)), record_bounds):
        with pytest.raises(PackedError, match=rf"{packed}: expected records, .* compressed with (gzip|zlib): unpack"):
            read(packed)


def test_what_begins_like_a_compressed_file_and_is_none(tmp_path):
    """A record of 0x8b1f bytes."""
    write_records(tmp_path / "s", [bytes(0x8B1F)])
    assert [len(record) for record in read_records(tmp_path / "s", unpack=True)] == [0x8B1F]


@pytest.mark.parametrize("cut", [3, 30])
def test_a_compressed_file_that_breaks_off(shard, cut):
    shard.write_bytes(gzip.compress(shard.read_bytes())[:-cut])
    with pytest.raises(RecordError, match=f"{shard}: expected a compressed file as a whole"):
        list(read_records(shard, unpack=True))
