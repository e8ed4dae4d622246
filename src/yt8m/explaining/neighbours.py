"""The training videos that a video is most like."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from yt8m.augmentation.neighbours import nearest
from yt8m.records.batches import Batch
from yt8m.records.videos import Video


class Near(NamedTuple):
    """A video that is near: 1 less the cosine of both's mean features, and its labels."""

    id: str
    distance: float
    labels: list[int]


def neighbours(video: Video, batches: Iterable[Batch], k: int) -> list[Near]:
    """The k videos nearest to a video, nearest first; not the video itself.

    All features count, side by side as models see them, and their direction alone: where lengths count too, as within
    a class in augmentation, neighbours share fewer labels.

    Memory holds a batch, and the k nearest of all before it.

    Args:
        batches: of video-level records.
    """
    own = directions({name: mean[None] for name, mean in video.means().items()})
    found: list[tuple[str, list[int]]] = []
    near = own[:0]
    for batch in batches:
        other = [row for row, id in enumerate(batch.ids) if id != video.id]
        x = np.concatenate([own, near, directions({name: batch.inputs[name][other, 0] for name in video.features})])
        rows = nearest(x, np.zeros(1, np.int64), np.arange(len(x)), k)[0]
        rows, near = rows - 1, x[rows]  # behind the video itself
        found = [found[row] if row < len(found) else _labelled(batch, other[row - len(found)]) for row in rows.tolist()]
    distances = (1 - near.astype(np.float64) @ own[0]).tolist()
    return [Near(id, distance, labels) for (id, labels), distance in zip(found, distances, strict=True)]


def _labelled(batch: Batch, row: int) -> tuple[str, list[int]]:
    return batch.ids[row], np.flatnonzero(batch.labels[row]).tolist()


def directions(means: Mapping[str, np.ndarray]) -> np.ndarray:
    """Features (n, size) side by side, each row of length 1, or 0 where it is 0; float32."""
    x = np.concatenate(list(means.values()), axis=1)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.finfo(np.float32).tiny)
