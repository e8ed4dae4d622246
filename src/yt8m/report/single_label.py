"""Which videos Fig. 1 shows."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np

from yt8m.augmentation.synthesis import IDS
from yt8m.records.videos import Video

CLASSES, VIDEOS_PER_CLASS = 8, 40
MARKS = [mark for pattern in IDS.values() if (mark := pattern.format("", ""))]  # in synthetic videos' ids


class SingleLabel(NamedTuple):
    """Videos with one label.

    Attributes:
        features: a feature's means, (n, size).
        classes: (n,) int64.
        synthetic: whether augmentation has made them, (n,) bool.
    """

    features: np.ndarray
    classes: np.ndarray
    synthetic: np.ndarray

    @classmethod
    def of(cls, videos: Iterable[Video], feature: str) -> Self:
        """Of the `CLASSES` classes that have most of them `VIDEOS_PER_CLASS` originals and as many synthetic ones."""
        counts, kept = Counter[int](), defaultdict[tuple[int, bool], list[np.ndarray]](list)
        for video in videos:
            if len(video.labels) == 1:
                label, synthetic = int(video.labels[0]), any(mark in video.id for mark in MARKS)
                counts[label] += not synthetic
                means = kept[label, synthetic]
                if len(means) < VIDEOS_PER_CLASS:
                    means.append(video.means()[feature])
        largest = sorted(counts, key=lambda label: (-counts[label], label))[:CLASSES]
        shown = [(mean, label, made) for label in largest for made in (False, True) for mean in kept[label, made]]
        return cls(
            np.array([mean for mean, _, _ in shown]),
            np.array([label for _, label, _ in shown], np.int64),
            np.array([made for _, _, made in shown], bool),
        )
