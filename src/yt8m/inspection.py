"""What shards hold, told without a schema, and every problem found on the way."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from yt8m.data import wire
from yt8m.data.manifest import DataError
from yt8m.data.tfrecord import RecordError, read_records
from yt8m.schema import Level

CONTEXT, LISTS = 1, 2  # fields of an Example's or SequenceExample's message
BYTES, FLOATS, INTS = 1, 2, 3  # fields of a Feature


def find(pattern: str) -> list[Path]:
    """The files that a pattern names, in order.

    Raises:
        DataError: where there are none.
    """
    paths = sorted(map(Path, glob(pattern, recursive=True)))  # noqa: PTH207 - of a whole path, which may be absolute
    if not paths:
        raise DataError(f"{pattern}: expected shards, found no file")
    return paths


Kind = tuple[str, tuple[tuple[str, int], ...]]  # a record's level, and its entries with their sizes


@dataclass
class Inspection:
    """What was found so far; counts by value.

    Attributes:
        kinds: how many records are of a kind, and where the first is.
        problems: a line each.
    """

    shards: int = 0
    size: int = 0
    kinds: dict[Kind, tuple[int, str]] = field(default_factory=dict)
    frames: Counter[int] = field(default_factory=Counter)
    labels: Counter[int] = field(default_factory=Counter)
    labels_of_a_video: Counter[int] = field(default_factory=Counter)
    ids: set[bytes] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    @property
    def records(self) -> int:
        """Those that could be read."""
        return sum(count for count, _ in self.kinds.values())

    def summary(self) -> dict[str, Any]:
        """Figures by name; level, keys and sizes are those of most records."""
        level, entries = max(self.kinds, key=lambda kind: self.kinds[kind], default=("-", ()))
        return {
            "shards": self.shards,
            "bytes": self.size,
            "records": self.records,
            "level": level,
            "keys": ", ".join(name for name, size in entries if not size),
            "features": ", ".join(f"{name}: {size}" for name, size in entries if size),
            "frames (least, median, most)": _three(self.frames),
            "labels of a video (least, median, most)": _three(self.labels_of_a_video),
            "classes with labels": len(self.labels),
            "labels from": f"{min(self.labels)} to {max(self.labels)}" if self.labels else "-",
        }


def inspect(pattern: str) -> Inspection:
    """Read all records of the shards that a pattern names; memory holds the ids.

    What cannot be read is a problem, and what follows it in its shard is left out. A problem is also: an empty shard,
    an id that repeats, a value that is no number, another level, other keys or other sizes than most records have, and
    features of different lengths in one video.

    Raises:
        DataError: where there is no file.
    """
    found = Inspection()
    for path in tqdm(find(pattern), "inspecting", unit="shard", disable=None):
        before = found.records
        found.shards += 1
        try:
            found.size += path.stat().st_size
            for index, record in enumerate(read_records(path)):
                _take_in(found, record, f"{path}: record {index}")
            if found.records == before:
                found.problems.append(f"{path}: expected records, received none")
        except (RecordError, OSError) as error:
            found.problems.append(str(error))
    found.problems += _unlike_most(found.kinds)
    return found


def level_of(record: memoryview) -> Level:
    """Whether a record holds frames. YouTube-8M's video-level records have feature lists too, without any in them.

    Raises:
        WireError: where it is no message.
    """
    frames = any(
        number == LISTS and not isinstance(value, int) and len(value) for number, _, value in wire.fields(record)
    )
    return Level.FRAME if frames else Level.VIDEO


def _unlike_most(kinds: Mapping[Kind, tuple[int, str]]) -> Iterator[str]:
    """A line for each kind of record but the most frequent one."""
    usual = max(kinds, key=lambda kind: kinds[kind], default=None)
    for kind, (count, where) in kinds.items():
        if usual is not None and kind != usual:
            more = f" and {count - 1} more" if count > 1 else ""
            yield f"{where}{more}: expected {_said(usual)} as in most records, received {_said(kind)}"


def _said(kind: Kind) -> str:
    level, entries = kind
    return f"{level} level with {', '.join(f'{name}: {size}' if size else name for name, size in entries)}"


def _take_in(found: Inspection, record: memoryview, where: str) -> None:
    try:
        messages = {number: value for number, _, value in wire.fields(record) if not isinstance(value, int)}
        context = wire.mapping(messages.get(CONTEXT, memoryview(b"")))
        lists = wire.mapping(messages.get(LISTS, memoryview(b"")))
        sizes = {name: _context(found, name, value, where) for name, value in context.items()}
        frames = {name: _frames(value, name) for name, value in lists.items()}
    except wire.WireError as error:
        found.problems.append(f"{where}: {error}")
        return
    lengths = {name: length for name, (_, length) in frames.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        found.problems.append(f"{where}: expected as many frames in each feature, at least one, received {lengths}")
    entries = sizes | {name: size for name, (size, _) in frames.items()}
    kind = level_of(record).value, tuple(sorted(entries.items()))
    count, first = found.kinds.get(kind, (0, where))
    found.kinds[kind] = count + 1, first
    found.frames[max(lengths.values(), default=1)] += 1


def _context(found: Inspection, name: str, feature: memoryview, where: str) -> int:
    """Take in an id, labels or floats; how many floats."""
    kind = next((number for number, _, _ in wire.fields(feature)), INTS)
    if kind == FLOATS:
        parts = [value for part in wire.submessages(feature, FLOATS) for _, _, value in wire.fields(part)]
        values = np.concatenate([np.frombuffer(part, "<f4") for part in parts if not isinstance(part, int)])
        if wrong := int((~np.isfinite(values)).sum()):
            found.problems.append(f"{where}: {name}: expected finite floats, received {wrong} others")
        return len(values)
    if kind == INTS:
        labels = wire.int_values(feature)
        found.labels.update(labels)
        found.labels_of_a_video[len(labels)] += 1
    elif name.endswith("id"):  # `id`, or `video_id` in older shards; other strings may repeat
        for id in map(bytes, wire.bytes_values(feature)):
            if id in found.ids:
                found.problems.append(f"{where}: {name}: {id.decode('utf-8', 'replace')!r} stands in an earlier record")
            found.ids.add(id)
    return 0


def _frames(feature_list: memoryview, name: str) -> tuple[int, int]:
    """Bytes of a frame, and frames."""
    sizes = [len(value) for feature in wire.submessages(feature_list, 1) for value in wire.bytes_values(feature)]
    if len(set(sizes)) > 1:
        raise wire.WireError(f"{name}: expected frames of one size, received sizes {sorted(set(sizes))}")
    return (sizes[0] if sizes else 0), len(sizes)


def _three(counts: Counter[int]) -> str:
    if not counts:
        return "-"
    values = np.sort(list(counts))
    middle = values[np.searchsorted(np.cumsum([counts[value] for value in values]), counts.total() / 2)]
    return f"{values[0]}, {middle}, {values[-1]}"
