"""Which videos Fig. 1 shows."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from yt8m.records.videos import Video

CLASSES, VIDEOS_PER_CLASS = 8, 60


def single_label(videos: Iterable[Video], feature: str) -> tuple[np.ndarray, np.ndarray]:
    """Videos with one label, of the classes that have most of them.

    Returns:
        The feature's means, (n, size), and the classes, (n,); at most `CLASSES` classes of `VIDEOS_PER_CLASS` videos.
    """
    counts, means = Counter[int](), defaultdict[int, list[np.ndarray]](list)
    for video in videos:
        if len(video.labels) == 1:
            label = int(video.labels[0])
            counts[label] += 1
            if counts[label] <= VIDEOS_PER_CLASS:
                means[label].append(video.means()[feature])
    largest = sorted(counts, key=lambda label: (-counts[label], label))[:CLASSES]
    shown = [(mean, label) for label in largest for mean in means[label]]
    return np.array([mean for mean, _ in shown]), np.array([label for _, label in shown], np.int64)
