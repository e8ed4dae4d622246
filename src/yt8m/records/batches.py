"""Batches of videos for models: padded, always bytes as stored."""

import math
from typing import NamedTuple, Self

import numpy as np

from yt8m.core.schema import LENGTH, Level, Schema
from yt8m.records.videos import Video

ALIGNED = 64  # bytes: where arrays begin in a batch's memory


class Batch(NamedTuple):
    """A batch of B videos.

    Attributes:
        ids: B ids.
        inputs: each feature by name, (B, T, size), padded with zeros behind the video's frames, and
            `num_frames`, (B,) int32.
        labels: multi-hot, (B, C) float32.
    """

    ids: list[str]
    inputs: dict[str, np.ndarray]
    labels: np.ndarray

    @classmethod
    def over(cls, memory: np.ndarray, size: int, level: Level, schema: Schema) -> Self:
        """A batch of `size` videos over memory, (`bytes_for`,) uint8; each is there when it has been `put`."""
        arrays, start = {}, 0
        for name, (shape, dtype) in _arrays(size, level, schema).items():
            length = math.prod(shape) * dtype.itemsize
            arrays[name] = memory[start : start + length].view(dtype).reshape(shape)
            start += _aligned(length)
        return cls([""] * size, arrays, arrays.pop(LABELS))

    def put(self, row: int, video: Video) -> None:
        """Make a video a row, padded with zeros."""
        self.ids[row], frames = video.id, video.frames
        for name, values in video.features.items():
            padded = self.inputs[name][row]
            padded[:frames] = values
            padded[frames:] = 0
        self.inputs[LENGTH][row] = frames
        self.labels[row] = 0
        self.labels[row, video.labels] = 1


LABELS = ""  # the name of no feature


def bytes_for(size: int, level: Level, schema: Schema) -> int:
    """The memory of a batch of `size` videos."""
    arrays = _arrays(size, level, schema).values()
    return sum(_aligned(math.prod(shape) * dtype.itemsize) for shape, dtype in arrays)


def _arrays(size: int, level: Level, schema: Schema) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Shape and type of each of a batch's arrays."""
    frames, stored = schema.frames(level), np.dtype(schema.dtype(level))
    features = {name: ((size, frames, width), stored) for name, width in schema.features.items()}
    return {
        **features,
        LENGTH: ((size,), np.dtype(np.int32)),
        LABELS: ((size, schema.classes), np.dtype(np.float32)),
    }


def _aligned(length: int) -> int:
    return -(-length // ALIGNED) * ALIGNED
