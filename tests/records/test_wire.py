import struct

import numpy as np
import pytest

from tests.records import made
from yt8m.records import wire

NUMBERS = [0, 1, 127, 128, 300, 2**31, 2**63 - 1, -1, -(2**63)]


@pytest.mark.parametrize("seed", range(5))
def test_example_round_trip(seed):
    random = np.random.default_rng(seed)
    values: dict[str, wire.Value] = {
        "bytes": random.bytes(int(random.integers(0, 300))),
        "ints": random.integers(-(2**63), 2**63 - 1, random.integers(1, 50)).tolist(),
        "floats": random.normal(size=random.integers(1, 200)).astype(np.float32),
    }
    names = random.permutation(list(values)).tolist()
    stored = wire.mapping(next(wire.submessages(memoryview(wire.example({n: values[n] for n in names})), 1)))
    assert list(stored) == names
    assert [bytes(value) for value in wire.bytes_values(stored["bytes"])] == [values["bytes"]]
    assert wire.int_values(stored["ints"]) == values["ints"]
    np.testing.assert_array_equal(wire.float_values(stored["floats"], len(values["floats"])), values["floats"])


def test_example_is_the_hand_made_one():
    floats = [0.5, -2.0]
    values: dict[str, wire.Value] = {
        "id": b"x" * 200,
        "labels": NUMBERS,
        "mean_rgb": np.array(floats, np.float32),
    }
    assert wire.example(values) == made.example(
        {
            "id": made.bytes_feature(b"x" * 200),
            "labels": made.int_feature(*NUMBERS),
            "mean_rgb": made.float_feature(*floats),
        }
    )


@pytest.mark.parametrize("size", [1, 28, 29, 32, 128, 1024, 20_000])
def test_entries_of_floats_are_the_hand_made_ones(size):
    values = np.random.default_rng(size).normal(size=(3, size + 2)).astype("<f4")
    entries = wire.float_entries({"mean_rgb": size, "mean_audio": 2}, values)
    assert [wire.example_of(entry.data) for entry in entries] == [
        made.example(
            {
                "mean_rgb": made.float_feature(*row[:size].tolist()),
                "mean_audio": made.float_feature(*row[size:].tolist()),
            }
        )
        for row in values
    ]


@pytest.mark.parametrize("size", [1, 100, 125, 128, 1024, 20_000])
def test_sequence_example_is_the_hand_made_one(size):
    rows = np.random.default_rng(size).integers(0, 256, (3, size), np.uint8)
    assert wire.sequence_example({"id": b"a"}, {"rgb": rows}) == made.sequence_example(
        {"id": made.bytes_feature(b"a")}, {"rgb": made.feature_list(*(row.tobytes() for row in rows))}
    )


@pytest.mark.parametrize("size", [1, 100, 125, 128, 1024, 20_000])
@pytest.mark.parametrize("frames", [0, 1, 7])
def test_byte_rows(size, frames):
    rows = np.random.default_rng(size).integers(0, 256, (frames, size), np.uint8)
    content = memoryview(made.feature_list(*(row.tobytes() for row in rows)))
    np.testing.assert_array_equal(wire.byte_rows(content, size), rows)


def test_unpacked_values():
    ints = made.field(3, *(made.number(8) + made.number(value) for value in NUMBERS))
    assert wire.int_values(memoryview(ints)) == NUMBERS
    floats = made.field(2, *(made.number(13) + struct.pack("<f", value) for value in (1.5, -0.25)))
    np.testing.assert_array_equal(wire.float_values(memoryview(floats), 2), np.array([1.5, -0.25], np.float32))


@pytest.mark.parametrize("size", [1, 29, 1024])
@pytest.mark.parametrize("received", [0, 1, 28, 1023, 1025])
def test_other_numbers_of_floats(size, received):
    content = memoryview(made.float_feature(*([0.5] * received)))
    if size != received:
        with pytest.raises(wire.WireError, match=f"expected {size} floats, received {received}"):
            wire.float_values(content, size)


def test_floats_of_more_than_one_list():
    content = memoryview(made.float_feature(0.5, 1.5) + made.float_feature(2.5))
    np.testing.assert_array_equal(wire.float_values(content, 3), np.array([0.5, 1.5, 2.5], np.float32))


def test_fields_keep_their_order():
    message = made.field(2, b"x") + made.number(7 * 8) + made.number(300) + made.field(1, b"")
    found = [(index, value) for index, _, value in wire.fields(memoryview(message))]
    assert found == [(2, b"x"), (7, 300), (1, b"")]


@pytest.mark.parametrize(
    ("message", "match"),
    [
        (b"\x80", "ends within a number"),
        (b"\x08\xff" + b"\xff" * 10, "ends within a number"),
        (b"\x0a\x05abc", "field of 5 bytes reaches past"),
        (b"\x0d\x00\x00", "field of 4 bytes reaches past"),
        (b"\x0b", "unknown wire type 3"),
    ],
)
def test_broken_message(message, match):
    with pytest.raises(wire.WireError, match=match):
        list(wire.fields(memoryview(message)))


def test_example_cut_anywhere_is_refused():
    whole = made.example({"id": made.bytes_feature(b"abc"), "labels": made.int_feature(1, 300, 5)})
    for size in range(1, len(whole)):
        with pytest.raises(wire.WireError):
            list(wire.submessages(memoryview(whole)[:size], 1))
