"""The protocol-buffer wire format of `Example` and `SequenceExample`, as far as shards use it.

Only the published messages are known here (field numbers in brackets):

    Example          {features[1]: Features}
    SequenceExample  {context[1]: Features, feature_lists[2]: {[1]: map of name[1] -> FeatureList[2]}}
    FeatureList      {[1]: repeated Feature}
    Features         {[1]: map of name[1] -> Feature[2]}
    Feature          one of bytes_list[1], float_list[2], int64_list[3], each {[1]: repeated values}
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

import numpy as np

Value = bytes | Sequence[int] | np.ndarray

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SMALL = [bytes((value,)) for value in range(0x80)]  # numbers that take one byte


class WireError(ValueError):
    """The bytes are not the expected message."""


def varint(buffer: memoryview, position: int) -> tuple[int, int]:
    """The unsigned number at `position` and the position behind it."""
    result = shift = 0
    while True:
        if position >= len(buffer) or shift > 63:
            raise WireError("the message ends within a number")
        byte = buffer[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            if result >> 64:
                raise WireError("a number takes more than 64 bits")
            return result, position
        shift += 7


def fields(buffer: memoryview) -> Iterator[tuple[int, int, memoryview | int]]:
    """The (field number, wire type, value) of a message in order.

    Numbers of one byte, as most are, are taken here: a record has about forty, and a call for each takes as long as all
    else that is parsed.
    """
    position, end = 0, len(buffer)
    while position < end:
        if (key := buffer[position]) < 0x80:
            position += 1
        else:
            key, position = varint(buffer, position)
        number, wire = key >> 3, key & 7
        if wire == _BYTES:
            if position < end and (size := buffer[position]) < 0x80:
                position += 1
            else:
                size, position = varint(buffer, position)
        elif wire == _VARINT:
            value, position = varint(buffer, position)
            yield number, wire, value
            continue
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise WireError(f"unknown wire type {wire}")
        if position + size > end:
            raise WireError(f"a field of {size} bytes reaches past the message's end")
        yield number, wire, buffer[position : position + size]
        position += size


def submessages(buffer: memoryview, number: int) -> Iterator[memoryview]:
    """The messages held by one field."""
    for found, wire, value in fields(buffer):
        if found == number:
            if wire != _BYTES or isinstance(value, int):
                raise WireError(f"field {number} is not a message")
            yield value


def mapping(buffer: memoryview) -> dict[str, memoryview]:
    """The entries of a map from names to messages, in field 1."""
    entries = {}
    for entry in submessages(buffer, 1):
        name, value = b"", memoryview(b"")
        for number, _, content in fields(entry):
            if number == 1 and not isinstance(content, int):
                name = bytes(content)
            elif number == 2 and not isinstance(content, int):
                value = content
        entries[name.decode("utf-8", "replace")] = value
    return entries


_KINDS = {1: "bytes", 2: "floats", 3: "int64"}


def _lists(feature: memoryview, number: int) -> Iterator[memoryview]:
    """The lists of a `Feature` that holds one kind of value; an empty feature holds none."""
    for found, wire, value in fields(feature):
        if found == number and (wire != _BYTES or isinstance(value, int)):
            raise WireError(f"expected {_KINDS[number]}, received a list of them that is no message")
        if found != number or isinstance(value, int):
            raise WireError(f"expected {_KINDS[number]}, received {_KINDS.get(found, f'field {found}')}")
        yield value


def bytes_values(feature: memoryview) -> list[memoryview]:
    """The values of a `Feature` that holds bytes."""
    return [value for values in _lists(feature, 1) for value in submessages(values, 1)]


def int_values(feature: memoryview) -> list[int]:
    """The values of a `Feature` that holds int64, packed or not."""
    result: list[int] = []
    for values in _lists(feature, 3):
        for _, _, value in fields(values):
            if isinstance(value, int):
                result.append(value)
                continue
            position = 0
            while position < len(value):
                number, position = varint(value, position)
                result.append(number)
    return [value - (1 << 64) if value >> 63 else value for value in result]


def float_values(feature: memoryview, size: int) -> np.ndarray:
    """The values of a `Feature` that holds floats, packed or not, as float32.

    Args:
        size: how many there should be; as many, packed, are one comparison and a view, not a copy.

    Raises:
        WireError: where it holds something else, or another number of values.
    """
    header = _floats_header(size)
    if len(feature) == len(header) + 4 * size and feature[: len(header)] == header:
        return np.frombuffer(feature, "<f4", offset=len(header))
    found = all_floats(feature)
    if len(found) != size:
        raise WireError(f"expected {size} floats, received {len(found)}")
    return found


def all_floats(feature: memoryview) -> np.ndarray:
    """The values of a `Feature` that holds floats, packed or not, as float32, however many there are.

    Raises:
        WireError: where it holds something else.
    """
    parts = (
        np.frombuffer(value, "<f4")
        for values in _lists(feature, 2)
        for _, _, value in fields(values)
        if not isinstance(value, int) and len(value) % 4 == 0
    )
    return np.concatenate([np.empty(0, np.float32), *parts])


def float_rows(feature_list: memoryview, size: int) -> np.ndarray:
    """The frames of a `FeatureList` of `size` floats each, (frames, size) float32.

    Raises:
        WireError: naming the first frame that is not as many floats.
    """
    rows = []
    for index, feature in enumerate(submessages(feature_list, 1)):
        try:
            rows.append(float_values(feature, size))
        except WireError as error:
            raise WireError(f"frame {index}: {error}") from None
    return np.array(rows, np.float32).reshape(-1, size)


def holds_floats(feature_list: memoryview) -> bool:
    """Whether the first frame of a `FeatureList` is floats."""
    first = next(submessages(feature_list, 1), memoryview(b""))
    return any(number == 2 for number, _, _ in fields(first))


def byte_rows(feature_list: memoryview, size: int) -> np.ndarray:
    """The frames of a `FeatureList` of `size` bytes each, as a (frames, size) uint8 view, not a copy.

    Frames of one size lie at a fixed stride, so one comparison checks all their headers.

    Raises:
        WireError: naming the first frame that is not one value of `size` bytes.
    """
    header = len(_frame_header(size))
    frames, rest = divmod(len(feature_list), header + size)
    if not rest:
        rows = np.frombuffer(feature_list, np.uint8).reshape(frames, header + size)
        if rows[:, :header].tobytes() == _frame_headers(size, frames):
            return rows[:, header:]
    for index, feature in enumerate(submessages(feature_list, 1)):
        sizes = [len(value) for value in bytes_values(feature)]
        if sizes != [size]:
            raise WireError(f"frame {index}: expected one value of {size} bytes, received sizes {sizes}")
    raise WireError(f"frames of {size} bytes are not encoded as published")


@cache
def _floats_header(size: int) -> bytes:
    """The bytes before the values of a feature of `size` floats."""
    return _feature(np.zeros(size, np.float32))[: -4 * size or None]


@lru_cache
def _bytes_header(name: str, size: int) -> bytes:
    """The bytes of an entry before its one value of so many bytes."""
    return _entry(name, _feature(bytes(size)))[: -size or None]


@cache
def _frame_header(size: int) -> bytes:
    """The bytes before each frame's content: one value, in a bytes list, in a feature."""
    header = b""
    for _ in range(3):
        header = b"\x0a" + _number(size + len(header)) + header
    return header


@lru_cache(1024)
def _frame_headers(size: int, frames: int) -> bytes:
    return _frame_header(size) * frames


def _number(value: int) -> bytes:
    if 0 <= value < 0x80:
        return _SMALL[value]
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@lru_cache
def _field_header(number: int, size: int) -> bytes:
    return _SMALL[number << 3 | _BYTES] + _number(size)


def _field(number: int, content: bytes) -> bytes:
    return _field_header(number, len(content)) + content


def _feature(value: Value) -> bytes:
    if isinstance(value, bytes):
        return _field(1, _field(1, value))
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return _field(2, _field(1, value.astype("<f4").tobytes()))
    return _field(3, _field(1, b"".join(map(_number, map(int, value)))))


def _entry(name: str, value: bytes) -> bytes:
    return _field(1, _field(1, name.encode()) + _field(2, value))


def entry(name: str, value: Value) -> bytes:
    """A named value of an `Example`."""
    if isinstance(value, bytes):
        return _bytes_header(name, len(value)) + value
    return _entry(name, _feature(value))


def float_entries(sizes: Mapping[str, int], values: np.ndarray) -> np.ndarray:
    """The entries of many records' floats, all of one length: what stands before the values is the same for all.

    Args:
        sizes: how many values there are by name.
        values: of all names side by side, (records, width) float32.

    Returns:
        (records, bytes) uint8.
    """
    contents, parts, start = values.astype("<f4", copy=False).view(np.uint8), [], 0
    for name, size in sizes.items():
        header = np.frombuffer(_entry(name, _floats_header(size) + bytes(4 * size))[: -4 * size], np.uint8)
        parts += [np.broadcast_to(header, (len(values), len(header))), contents[:, start : start + 4 * size]]
        start += 4 * size
    return np.concatenate(parts, axis=1)


def example_of(*entries: bytes | memoryview) -> bytes:
    """An `Example` of encoded entries."""
    return b"".join((_field_header(1, sum(map(len, entries))), *entries))


def example(values: Mapping[str, Value]) -> bytes:
    """Encode an `Example`: bytes, sequences of int, and float arrays by name."""
    return example_of(*(entry(name, value) for name, value in values.items()))


def sequence_example(context: Mapping[str, Value], frames: Mapping[str, np.ndarray]) -> bytes:
    """Encode a `SequenceExample`: its context and its (frames, size) uint8 features by name."""
    lists = []
    for name, rows in frames.items():
        header = np.frombuffer(_frame_header(rows.shape[1]), np.uint8)
        headers = np.broadcast_to(header, (len(rows), len(header)))
        lists.append(_entry(name, np.hstack([headers, rows]).astype(np.uint8).tobytes()))
    return example(context) + _field(2, b"".join(lists))
