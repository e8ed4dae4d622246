"""Which videos Fig. 1 shows."""

from collections.abc import Iterable

import numpy as np

from yt8m.records.videos import Video

CLASSES, VIDEOS_PER_CLASS = 8, 60


def single_label(videos: Iterable[Video], feature: str) -> tuple[np.ndarray, np.ndarray]:
    """Videos with one label, of the classes that have most of them.

    Returns:
        The feature's means, (n, size), and the classes, (n,); at most `CLASSES` classes of `VIDEOS_PER_CLASS` videos.
    """
    by_class: dict[int, list[np.ndarray]] = {}
    for video in videos:
        if len(video.labels) == 1:
            by_class.setdefault(int(video.labels[0]), []).append(video.means()[feature])
    largest = sorted(by_class, key=lambda label: (-len(by_class[label]), label))[:CLASSES]
    shown = [(mean, label) for label in largest for mean in by_class[label][:VIDEOS_PER_CLASS]]
    return np.array([mean for mean, _ in shown]), np.array([label for _, label in shown], np.int64)
