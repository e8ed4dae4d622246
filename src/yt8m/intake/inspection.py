"""What shards hold, without a schema: each record is looked at, and what is wrong is noted, not the end.

What the pipeline would refuse is a problem, what it would take and probably should not is a warning.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from yt8m.core.errors import DataError
from yt8m.core.schema import Level
from yt8m.records import wire
from yt8m.records.remote import Place
from yt8m.records.shards import record_level
from yt8m.records.tfrecord import PackedError, RecordError, read_records

EMPTY = memoryview(b"")
ORDINARY = 0.99  # share of a feature's numbers
SATURATED = 0.4  # share of bytes at the ends of the code's range; AudioSet's features have 0.18


class Problem(NamedTuple):
    """Something wrong with a file, or with a record of it (counted from 0)."""

    file: str
    record: int | None
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {'' if self.record is None else f'record {self.record}: '}{self.problem}"


class Shape(NamedTuple):
    """What all good records of a data set have in common: their level, and what each key holds."""

    level: Level
    entries: tuple[tuple[str, str], ...]


@dataclass
class Seen:
    """What one record holds.

    Attributes:
        kinds: what each key holds, in words.
        id: that of the video, if there is one.
        labels: its classes, (n,) int64.
        frames: of the longest feature; 1 at the video level.
        codes: frames of bytes by feature, (frames, size) uint8.
        problems: what is wrong with it.
    """

    level: Level
    kinds: dict[str, str] = field(default_factory=dict)
    id: bytes = b""
    labels: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    frames: int = 1
    codes: dict[str, np.ndarray] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def shape(self) -> Shape:
        """What other records should be like."""
        return Shape(self.level, tuple(sorted(self.kinds.items())))


@dataclass
class Contents:
    """What one shard holds.

    Attributes:
        shapes: those of its records.
        rows: (records, 4) int64: place in the file, place in `shapes`, frames, labels.
        ids: (records,) uint64, hashes; 0 where there is none.
        classes: lowest and highest label, if any.
        codes: how often each byte stands in each feature, (256,) int64.
        encodings: numbers of other types that a feature's bytes look like, with the records of which they do.
        problems: of the file and of single records.
    """

    path: str
    shapes: list[Shape]
    rows: np.ndarray
    ids: np.ndarray
    classes: tuple[int, int] | None
    codes: dict[str, np.ndarray]
    encodings: Counter[tuple[str, str]]
    problems: list[Problem]


def examine(path: Place) -> Contents:
    """Look at every record of a shard that can be read."""
    shapes: dict[Shape, int] = {}
    rows, ids, classes, problems = [], [], set(), []
    codes: dict[str, np.ndarray] = {}
    encodings: Counter[tuple[str, str]] = Counter()
    for index, record in _records(path):
        if isinstance(record, str):
            problems.append(Problem(str(path), index, record))
            continue
        try:
            seen = look(record)
        except wire.WireError as error:
            problems.append(Problem(str(path), index, f"expected an Example or a SequenceExample: {error}"))
            continue
        problems += [Problem(str(path), index, problem) for problem in seen.problems]
        rows.append((index, shapes.setdefault(seen.shape, len(shapes)), seen.frames, len(seen.labels)))
        ids.append(int.from_bytes(hashlib.blake2b(seen.id, digest_size=8).digest(), "little") if seen.id else 0)
        classes.update(seen.labels.tolist())
        for name, values in seen.codes.items():
            codes[name] = codes.get(name, 0) + np.bincount(values.ravel(), minlength=256)
            encodings.update((name, kind) for kind in other_encodings(values))
    if not rows and not problems:
        problems.append(Problem(str(path), None, "expected records, received an empty shard"))
    table = np.array(rows, np.int64).reshape(-1, 4)
    extent = (min(classes), max(classes)) if classes else None
    return Contents(str(path), list(shapes), table, np.array(ids, np.uint64), extent, codes, encodings, problems)


def _records(path: Place) -> Iterator[tuple[int | None, memoryview | str]]:
    """The records with their places, or what is wrong; goes on behind a record whose content alone is damaged."""
    last, place = "", 0
    try:
        next(read_records(path), None)
    except PackedError as error:
        yield None, str(error).removeprefix(f"{path}: ")
    except (OSError, DataError, RecordError):
        pass  # said below, with its place
    while True:
        try:
            for record in read_records(path, place, unpack=True):
                yield place, record
                place += 1
            return
        except OSError as error:
            yield None, f"cannot be read: {error.strerror}"
            return
        except DataError as error:  # behind a URL
            yield None, str(error).removeprefix(f"{path}: ")
            return
        except RecordError as error:
            # The same error again, though the record's content was passed over: nothing behind it can be found.
            if str(error) == last:
                return
            last = str(error)
            yield place, last.removeprefix(f"{path}: record {place} ")
            place += 1


def look(record: memoryview) -> Seen:
    """What a record holds.

    Raises:
        WireError: where its bytes are no message.
    """
    seen = Seen(record_level(record))
    context = wire.mapping(next(wire.submessages(record, 1), EMPTY))
    values = {key: _values(key, feature, seen) for key, feature in context.items()}
    if seen.level is Level.FRAME:
        _look_at_frames(wire.mapping(next(wire.submessages(record, 2))), seen)
    ids, labels = (values.get(key_of(kind, seen.kinds), []) for kind in ("id", "label"))
    if len(ids) != 1 or not len(ids[0]):
        seen.problems.append(
            f"expected a key that holds one id as bytes, received {dict(seen.kinds)}; with data.schema.id_key null "
            "videos are called by shard and record"
        )
    else:
        seen.id = bytes(ids[0])
    seen.labels = np.unique(np.array(labels, np.int64))
    if len(seen.labels) and seen.labels[0] < 0:
        seen.problems.append(f"expected labels of at least 0, received {seen.labels[0]}")
    return seen


def key_of(word: str, kinds: Mapping[str, str]) -> str:
    """The key of ids ("id") or labels ("label"): of those that hold bytes or int64, one so called if there is one."""
    kind = {"id": "bytes", "label": "int64"}[word]
    return min(
        (key for key in kinds if kinds[key] == kind), key=lambda key: (word not in key, len(key), key), default=""
    )


def _values(key: str, feature: memoryview, seen: Seen) -> Sequence[Any]:
    """Note what kind a key holds and return its values."""
    numbers = {number for number, _, _ in wire.fields(feature)}
    if numbers == {1}:
        seen.kinds[key] = "bytes"
        return wire.bytes_values(feature)
    if numbers == {3}:
        seen.kinds[key] = "int64"
        return wire.int_values(feature)
    if numbers == {2}:
        values = wire.all_floats(feature)
        # At the frame level they are no feature, and may be many or few.
        seen.kinds[key] = f"{len(values)} floats" if seen.level is Level.VIDEO else "floats"
        if bad := int(np.sum(~np.isfinite(values))):
            seen.problems.append(f"{key!r}: expected finite floats, received {bad} others (NaN or infinite)")
        return ()
    seen.kinds[key] = "nothing" if not numbers else f"fields {sorted(numbers)}"
    return ()


def _look_at_frames(lists: Mapping[str, memoryview], seen: Seen) -> None:
    """Note kinds, sizes and numbers of frames."""
    lengths = {}
    for name, content in lists.items():
        try:
            lengths[name] = _frames(name, content, seen)
        except wire.WireError as error:
            seen.problems.append(f"{name!r}: {error}")
    features = {name: lengths[name] for name in lengths if not seen.kinds[name].endswith("int64")}
    if not any(kind.startswith("frames of") and not kind.endswith("int64") for kind in seen.kinds.values()):
        seen.problems.append(f"expected frames of bytes or floats, received {dict(seen.kinds)}")
    if len(set(features.values())) > 1:
        seen.problems.append(
            f"expected the same number of frames in each feature, received {features}; with data.schema.uneven_frames "
            "cut they end with the shortest"
        )
    seen.frames = max(features.values(), default=0)


def _frames(name: str, content: memoryview, seen: Seen) -> int:
    """Note what kind a feature's frames are, and return how many there are.

    Raises:
        WireError: where they are not alike.
    """
    first = next(wire.submessages(content, 1), None)
    if first is None:
        seen.kinds[name] = "no frames"
        return 0
    numbers = {number for number, _, _ in wire.fields(first)}
    if numbers == {2}:
        size = len(wire.all_floats(first))
        seen.kinds[name] = f"frames of {size} floats"
        values = wire.float_rows(content, size)
        if bad := int(np.sum(~np.isfinite(values))):
            raise wire.WireError(f"expected finite floats, received {bad} others (NaN or infinite)")
        return len(values)
    if numbers == {3}:  # times, as a rule: nothing that the pipeline takes
        seen.kinds[name] = "frames of int64"
        return sum(1 for _ in wire.submessages(content, 1))
    if not (stored := wire.bytes_values(first)):
        raise wire.WireError("expected frames of bytes or floats, received none")
    seen.kinds[name] = f"frames of {len(stored[0])} bytes"
    seen.codes[name] = wire.byte_rows(content, len(stored[0]))
    return len(seen.codes[name])


def other_encodings(codes: np.ndarray) -> Iterator[str]:
    """The types of numbers that bytes look like, (frames, size) uint8: nearly all of an ordinary size or 0.

    Of 8-bit codes read so hardly any are: their exponents are anywhere.
    """
    for kind in ("float32", "float64"):
        width = np.dtype(kind).itemsize
        if codes.shape[1] % width == 0 and codes.size:
            with np.errstate(invalid="ignore"):
                values = np.abs(np.ascontiguousarray(codes).view(kind))
            if np.mean((values == 0) | ((values > 1e-8) & (values < 1e6))) > ORDINARY and values.any():
                yield kind


# Of many shards.


def combine(shards: Sequence[Contents]) -> dict[str, Any]:
    """What shards hold together, as JSON; what most records are like is what all should be like."""
    counted: Counter[Shape] = Counter()
    for shard in shards:
        for shape, count in zip(shard.shapes, np.bincount(shard.rows[:, 1], minlength=len(shard.shapes)), strict=True):
            counted[shape] += int(count)
    problems = [problem for shard in shards for problem in shard.problems]
    rows = np.concatenate([np.empty((0, 4), np.int64), *(shard.rows for shard in shards)])
    summary: dict[str, Any] = {"shards": len(shards), "records": len(rows)}
    if counted:
        ((usual, _),) = counted.most_common(1)
        kinds = dict(usual.entries)
        problems += [*_unlike(shards, usual), *_repeated(shards)]
        ends = [end for shard in shards if shard.classes for end in shard.classes]
        summary |= {
            "level": usual.level.value,
            "id_key": key_of("id", kinds),
            "labels_key": key_of("label", kinds),
            "keys": kinds,
            "frames": _spread(rows[:, 2]),
            "labels": int(rows[:, 3].sum()),
            "labels_per_video": _spread(rows[:, 3]),
            "classes": {"min": min(ends), "max": max(ends)} if ends else None,
            "bytes": {name: _looks(counts) for name, counts in _added(shards).items()},
        }
        summary["warnings"] = list(_warnings(shards, summary))
    order = sorted(problems, key=lambda problem: (problem.file, -1 if problem.record is None else problem.record))
    return summary | {"problems": [problem._asdict() for problem in order]}


def _added(shards: Sequence[Contents]) -> dict[str, np.ndarray]:
    """How often each byte stands in each feature, in all shards."""
    found: dict[str, np.ndarray] = {}
    for shard in shards:
        for name, counts in shard.codes.items():
            found[name] = found.get(name, 0) + counts
    return found


def _looks(counts: np.ndarray) -> dict[str, float]:
    """What a feature's bytes look like: their mean, and the shares at both ends of their range."""
    total = max(1, int(counts.sum()))
    ends = {"at 0": counts[0] / total, "at 255": counts[255] / total}
    return {"mean": float(counts @ np.arange(256) / total), **{name: float(share) for name, share in ends.items()}}


def _warnings(shards: Sequence[Contents], summary: Mapping[str, Any]) -> Iterator[str]:
    """What the pipeline would take, and probably should not."""
    encodings = sum((shard.encodings for shard in shards), Counter[tuple[str, str]]())
    for (name, kind), records in encodings.items():
        if records > summary["records"] / 2:
            held = int(summary["keys"].get(name, "0 0 0").split()[2]) // np.dtype(kind).itemsize
            yield (
                f"{name!r}: in {records:,} of {summary['records']:,} records a frame's bytes look like {held} numbers "
                f"in {kind}, which would be read as 8-bit codes: quantise them first (yt8m pack)"
            )
    for name, looks in summary["bytes"].items():
        share = looks["at 0"] + looks["at 255"]
        if share > SATURATED and not any(name == other for other, _ in encodings):
            yield (
                f"{name!r}: {share:.0%} of the bytes are 0 or 255, the ends of the code's range from -2 to 2: "
                "values were clipped, scale them before they are quantised"
            )


def _spread(values: np.ndarray) -> dict[str, float]:
    return {"min": int(values.min()), "median": float(np.median(values)), "max": int(values.max())}


def _unlike(shards: Sequence[Contents], usual: Shape) -> Iterator[Problem]:
    """The records that are not like most."""
    for shard in shards:
        differences = [difference(shape, usual) for shape in shard.shapes]
        for index, shape, *_ in shard.rows.tolist():
            if shard.shapes[shape] != usual:
                yield Problem(shard.path, index, differences[shape])


def difference(shape: Shape, usual: Shape) -> str:
    """How a record differs from most."""
    if shape.level is not usual.level:
        return f"expected a {usual.level}-level record as most are, received {shape.level}-level"
    held, expected = dict(shape.entries), dict(usual.entries)
    return "; ".join(
        f"{key!r}: expected {expected.get(key, 'no such key')} as in most records, received {held.get(key, 'none')}"
        for key in sorted(held | expected)
        if held.get(key) != expected.get(key)
    )


def _repeated(shards: Sequence[Contents]) -> Iterator[Problem]:
    """The records whose id an earlier one has."""
    ids = np.concatenate([shard.ids for shard in shards])
    shard_of = np.repeat(np.arange(len(shards)), [len(shard.ids) for shard in shards])
    place = np.concatenate([shard.rows[:, 0] for shard in shards])
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    for row in np.flatnonzero((first[inverse] != np.arange(len(ids))) & (ids != 0)).tolist():
        earlier = int(first[inverse[row]])
        where = f"{shards[shard_of[earlier]].path}: record {place[earlier]}"
        yield Problem(shards[shard_of[row]].path, int(place[row]), f"expected each id once, received that of {where}")
