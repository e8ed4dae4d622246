"""The training videos that a video is most like."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from yt8m.augmentation.neighbours import nearest
from yt8m.records.batches import Batch
from yt8m.records.videos import Video


class Near(NamedTuple):
    """A video that is near: the L2 distance of the means of both's primary feature, and its labels."""

    id: str
    distance: float
    labels: list[int]


def neighbours(video: Video, batches: Iterator[Batch], feature: str, k: int) -> list[Near]:
    """The k videos nearest to a video, nearest first, by what augmentation takes neighbours by; not the video itself.

    Memory holds a batch, and the k nearest of all before it.

    Args:
        batches: of video-level records.
        feature: the primary one.
    """
    own, found, means = video.means()[feature], [], np.empty((0, video.features[feature].shape[1]), np.float32)
    for batch in batches:
        other = [row for row, id in enumerate(batch.ids) if id != video.id]
        x = np.concatenate([own[None], means, batch.inputs[feature][other, 0]])
        rows = nearest(x, np.zeros(1, np.int64), np.arange(len(x)), k)[0]
        labels = [np.flatnonzero(batch.labels[row]).tolist() for row in other]
        known = [*found, *((batch.ids[row], names) for row, names in zip(other, labels, strict=True))]
        found, means = [known[row - 1] for row in rows], x[rows]
    distances = np.linalg.norm(means.astype(np.float64) - own, axis=1).tolist()
    return [Near(id, distance, labels) for (id, labels), distance in zip(found, distances, strict=True)]
