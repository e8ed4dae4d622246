"""Small videos and hand-made records for tests; the encoding is written out again, not the package's own."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np

from yt8m.core.schema import Level, Schema
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode

SCHEMA = Schema(
    id_key="id",
    labels_key="labels",
    mean_prefix="mean_",
    features={"rgb": 8, "audio": 4},
    classes=10,
    max_frames=6,
    uneven_frames="refuse",
    missing_features="refuse",
    extractor=None,
)


def frame_video(random: np.random.Generator, id: str, frames: int | None = None) -> Video:
    """A frame-level video of 1 to 6 random frames with 1 to 3 labels."""
    frames = frames or int(random.integers(1, SCHEMA.max_frames + 1))
    labels = np.sort(random.choice(SCHEMA.classes, random.integers(1, 4), replace=False)).astype(np.int32)
    features = {name: random.integers(0, 256, (frames, size), np.uint8) for name, size in SCHEMA.features.items()}
    return Video(id, labels, features)


def video_video(random: np.random.Generator, id: str) -> Video:
    """A video-level video: one frame of floats, with 1 to 3 labels."""
    features = {name: random.normal(size=(1, size)).astype(np.float32) for name, size in SCHEMA.features.items()}
    return replace(frame_video(random, id), features=features)


def make(level: Level, random: np.random.Generator, id: str) -> Video:
    """A random video of a level."""
    return (frame_video if level is Level.FRAME else video_video)(random, id)


def write_shard(path: Path, level: Level, videos: int, seed: int = 0) -> list[Video]:
    """Write a shard of random videos, with ids that begin with the shard's name, and return them."""
    random = np.random.default_rng([seed, *path.stem.encode()])
    made = [make(level, random, f"{path.stem}_{index}") for index in range(videos)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_records(path, [encode(video, level, SCHEMA) for video in made])
    return made


def same(one: Video, other: Video) -> bool:
    """Whether two videos are equal in everything, types included."""
    return (
        one.id == other.id
        and one.labels.dtype == other.labels.dtype
        and np.array_equal(one.labels, other.labels)
        and list(one.features) == list(other.features)
        and all(
            rows.dtype == other.features[name].dtype and np.array_equal(rows, other.features[name])
            for name, rows in one.features.items()
        )
    )


# Records by hand: a field is its number, its size and its content; numbers are base 128, lowest digits first.


def number(value: int) -> bytes:
    """A protocol-buffer number; negative ones in two's complement of 64 bits."""
    value %= 1 << 64
    digits = []
    while True:
        value, digit = divmod(value, 128)
        digits.append(digit)
        if not value:
            return bytes([digit + 128 for digit in digits[:-1]] + digits[-1:])


def field(index: int, *content: bytes) -> bytes:
    """A field of bytes."""
    joined = b"".join(content)
    return number(index * 8 + 2) + number(len(joined)) + joined


def map_of(entries: dict[str, bytes]) -> bytes:
    """A map from names to messages."""
    return b"".join(field(1, field(1, name.encode()), field(2, value)) for name, value in entries.items())


def bytes_feature(*values: bytes) -> bytes:
    """A `Feature` of bytes."""
    return field(1, *(field(1, value) for value in values))


def int_feature(*values: int) -> bytes:
    """A `Feature` of int64, packed."""
    return field(3, field(1, *map(number, values)))


def float_feature(*values: float) -> bytes:
    """A `Feature` of floats, packed."""
    return field(2, field(1, struct.pack(f"<{len(values)}f", *values)))


def feature_list(*rows: bytes) -> bytes:
    """A `FeatureList` of one value a frame."""
    return list_of(*map(bytes_feature, rows))


def list_of(*features: bytes) -> bytes:
    """A `FeatureList` of any features, one a frame."""
    return b"".join(field(1, feature) for feature in features)


def sequence_example(context: dict[str, bytes], lists: dict[str, bytes]) -> bytes:
    """A `SequenceExample`."""
    return field(1, map_of(context)) + field(2, map_of(lists))


def example(features: dict[str, bytes]) -> bytes:
    """An `Example`."""
    return field(1, map_of(features))
