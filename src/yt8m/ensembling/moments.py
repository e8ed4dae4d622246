"""Second moments of scores and labels.

The mean squared error is quadratic in the weights, so that moments say all there is to say of the data: they are
gathered block by block, in memory that does not grow with the number of videos, and add up.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from yt8m.ensembling.blocks import Block


@dataclass(frozen=True)
class Moments:
    """Second moments of N videos' scores s (M models, C classes) and labels y; they add up and subtract.

    Attributes:
        gram: sum of s s^T for each class, (C, M, M).
        cross: sum of s y for each class, (C, M).
        positives: sum of y, (C,).
        videos: N.
    """

    gram: np.ndarray
    cross: np.ndarray
    positives: np.ndarray
    videos: int

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.gram + other.gram,
            self.cross + other.cross,
            self.positives + other.positives,
            self.videos + other.videos,
        )

    def __sub__(self, other: "Moments") -> "Moments":
        return self + Moments(-other.gram, -other.cross, -other.positives, -other.videos)

    def loss(self, weights: np.ndarray) -> float:
        """Mean squared error of the (M, C) weights' scores to the labels."""
        w = weights.T  # (C, M)
        squares = np.einsum("cm,cmn,cn->", w, self.gram, w) - 2 * np.sum(w * self.cross) + self.positives.sum()
        return float(squares / (self.videos * len(self.positives)))


def fold_moments(found: Block, fold_of: np.ndarray, folds: int, classes: int) -> list[Moments]:
    """Moments of the videos of each fold; `fold_of` says which fold a video is in, (n,) int."""
    models, cells = found.scores.shape[-1], folds * classes

    def summed(values: np.ndarray) -> np.ndarray:
        return np.bincount(groups, values.ravel(), cells).reshape(folds, classes)

    groups = (fold_of[:, None] * classes + found.classes).ravel()
    scores = np.moveaxis(found.scores, -1, 0).astype(np.float64)
    gram, cross = np.empty((folds, classes, models, models)), np.empty((folds, classes, models))
    for a, b in combinations_with_replacement(range(models), 2):
        gram[..., a, b] = gram[..., b, a] = summed(scores[a] * scores[b])
    for a in range(models):
        cross[..., a] = summed(scores[a] * found.correct)
    of_labels = np.repeat(fold_of, found.labels.lengths) * classes + found.labels.values
    positives = np.bincount(of_labels, minlength=cells).reshape(folds, classes)
    videos = np.bincount(fold_of, minlength=folds)
    return [Moments(gram[f], cross[f], positives[f], int(videos[f])) for f in range(folds)]
