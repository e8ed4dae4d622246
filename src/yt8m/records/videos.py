"""Videos in records: what a shard's bytes mean under a schema."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np

from yt8m.core.quantization import beyond, dequantize, quantize
from yt8m.core.schema import Level, Schema
from yt8m.records import wire
from yt8m.records.names import name_of
from yt8m.records.remote import Place
from yt8m.records.tfrecord import RecordError, read_records

Result = TypeVar("Result")


class Losses(NamedTuple):
    """What a video is not as it is stored: frames left out, values clipped by the 8-bit code, features of zeros."""

    frames: int = 0
    values: int = 0
    features: int = 0


NONE = Losses()
ZERO = int(quantize(np.zeros(1))[0])  # the code of 0


@dataclass(frozen=True)
class Video:
    """One video.

    Attributes:
        id: as stored; of its shard's name and its record's number where the schema has no key for it.
        labels: its classes, ascending and each once, int32.
        features: by name, (frames, size); uint8 at the frame level, float32 and one frame at the video level.
    """

    id: str
    labels: np.ndarray
    features: dict[str, np.ndarray]
    losses: Losses = NONE

    @property
    def frames(self) -> int:
        """Number of frames stored."""
        return len(next(iter(self.features.values())))

    def means(self) -> dict[str, np.ndarray]:
        """The mean of each feature over the frames, (size,) float32, dequantised."""
        return {
            name: (dequantize(rows) if rows.dtype == np.uint8 else rows).mean(0, dtype=np.float64).astype(np.float32)
            for name, rows in self.features.items()
        }


def read_videos(path: str | Place, level: Level, schema: Schema) -> Iterator[Video]:
    """The videos of a shard.

    Frames past `schema.max_frames` are left out, frames of floats become bytes, labels that repeat are kept once.

    Raises:
        RecordError: naming the file, the record and what is wrong with it.
    """
    for index, record in enumerate(read_records(path)):
        yield parse(record, level, schema, path, index)


def parse(record: memoryview, level: Level, schema: Schema, path: str | Place, index: int) -> Video:
    """The video of one record.

    Args:
        path: of its shard, for errors.
        index: of the record in the shard, for errors.

    Raises:
        RecordError: naming the file, the record and what is wrong with it.
    """
    try:
        video = _frame_level(record, schema) if level is Level.FRAME else _video_level(record, schema)
        return video if video.id else replace(video, id=f"{name_of(str(path))}:{index}")
    except wire.WireError as error:
        raise RecordError(f"{path}: record {index}: {error}") from None


def encode(video: Video, level: Level, schema: Schema) -> bytes:
    """The record of a video, as published: `SequenceExample` of bytes or `Example` of means."""
    id: dict[str, wire.Value] = {schema.id_key: video.id.encode()} if schema.id_key else {}
    context = id | {schema.labels_key: [int(label) for label in video.labels]}
    if level is Level.FRAME:
        return wire.sequence_example(context, video.features)
    return wire.example(context | {schema.mean_key(name): rows[0] for name, rows in video.features.items()})


def encode_labels(labels: np.ndarray, schema: Schema) -> bytes:
    """A record's entry of labels, for `encode_means`."""
    return wire.entry(schema.labels_key, labels.tolist())


def encode_means(ids: Iterable[str], labels: Iterable[bytes], features: np.ndarray, schema: Schema) -> Iterator[bytes]:
    """The video-level records of many videos, the same bytes as `encode`'s.

    Args:
        labels: what `encode_labels` gives, since many videos have the same.
        features: all features of each video side by side, (videos, width) float32.
    """
    entries = wire.float_entries({schema.mean_key(name): size for name, size in schema.features.items()}, features)
    for id, entry, values in zip(ids, labels, entries, strict=True):
        key = wire.entry(schema.id_key, id.encode()) if schema.id_key else b""
        yield wire.example_of(key, entry, values.data)


def _frame_level(record: memoryview, schema: Schema) -> Video:
    messages = {number: value for number, _, value in wire.fields(record) if not isinstance(value, int)}
    if 2 not in messages:
        raise wire.WireError("expected a frame-level SequenceExample, received no feature lists")
    stored, clipped = wire.mapping(messages[2]), 0
    features = {}
    for name, size in schema.features.items():
        if schema.missing_features == "zeros" and not stored.get(name):
            continue
        content = _entry(stored, name, "feature lists")
        features[name], beyond = _at("feature", name, _rows, content, size)
        clipped += beyond
    lengths = {name: len(rows) for name, rows in features.items()}
    if not features or 0 in lengths.values() or (schema.uneven_frames == "refuse" and len(set(lengths.values())) > 1):
        raise wire.WireError(f"expected the same number of frames, at least 1, in each feature, received {lengths}")
    frames = min(*lengths.values(), schema.max_frames)
    if max(lengths.values()) > frames or clipped or len(features) < len(schema.features):
        losses = Losses(max(lengths.values()) - frames, clipped, len(schema.features) - len(features))
        features = {
            name: features[name][:frames] if name in features else np.full((frames, size), ZERO, np.uint8)
            for name, size in schema.features.items()
        }
    else:
        losses = NONE
    return _video(wire.mapping(messages.get(1, memoryview(b""))), features, schema, losses)


def _rows(feature_list: memoryview, size: int) -> tuple[np.ndarray, int]:
    """The frames of a feature, (frames, size) uint8, and how many of its values were clipped, if they are floats."""
    try:
        return wire.byte_rows(feature_list, size), 0
    except wire.WireError:
        if not wire.holds_floats(feature_list):
            raise
    values = wire.float_rows(feature_list, size)
    _require_finite(values)
    return quantize(values), beyond(values)


def _video_level(record: memoryview, schema: Schema) -> Video:
    stored = wire.mapping(next(wire.submessages(record, 1), memoryview(b"")))
    features, missing = {}, 0
    for name, size in schema.features.items():
        key = schema.mean_key(name)
        if schema.missing_features == "zeros" and not stored.get(key):
            features[name], missing = np.zeros((1, size), np.float32), missing + 1
        else:
            features[name] = _at("feature", key, _finite_values, _entry(stored, key, "features"), size)[None]
    if missing == len(features):
        raise wire.WireError(f"expected one of the features {list(features)} at least, received {sorted(stored)}")
    return _video(stored, features, schema, Losses(features=missing) if missing else NONE)


def _video(context: Mapping[str, memoryview], features: dict[str, np.ndarray], schema: Schema, losses: Losses) -> Video:
    """A video, with no id where the schema has no key for it."""
    id = _at("", schema.id_key, _id, _entry(context, schema.id_key, "keys")) if schema.id_key else ""
    # The published test shards have no labels, so that a missing key is no error.
    stored = context.get(schema.labels_key, memoryview(b""))
    return Video(id, _at("", schema.labels_key, _labels, stored, schema.classes), features, losses)


def _finite_values(feature: memoryview, size: int) -> np.ndarray:
    values = wire.float_values(feature, size)
    _require_finite(values)
    return values


def _require_finite(values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise wire.WireError(f"expected finite floats, received {np.sum(~np.isfinite(values))} others")


def _id(feature: memoryview) -> str:
    ids = wire.bytes_values(feature)
    if len(ids) != 1 or not len(ids[0]):
        raise wire.WireError(f"expected one id, received {len(ids)}")
    return bytes(ids[0]).decode("utf-8", "replace")


def _labels(feature: memoryview, classes: int) -> np.ndarray:
    labels = sorted(set(wire.int_values(feature)))
    if labels and (labels[0] < 0 or labels[-1] >= classes):
        outside = [label for label in labels if not 0 <= label < classes]
        raise wire.WireError(f"expected labels from 0 to {classes - 1}, received {outside}")
    return np.array(labels, np.int32)


def _entry(entries: Mapping[str, memoryview], key: str, what: str) -> memoryview:
    if key not in entries:
        raise wire.WireError(f"expected {key!r} among its {what}, received {sorted(entries)}")
    return entries[key]


def _at(what: str, name: str, function: Callable[..., Result], *args: object) -> Result:
    """A function's result; an error of the wire format says which entry it is about."""
    try:
        return function(*args)
    except wire.WireError as error:
        raise wire.WireError(f"{what} {name!r}: {error}".lstrip()) from None
