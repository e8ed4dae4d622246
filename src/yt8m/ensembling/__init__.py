"""Ensembling schemes: one file each, found by its name.

A scheme's file has one function `fit(moments, seed) -> (models, classes) weights`; the ensemble's score is the weighted
sum of its members' scores (section 3.3). The paper learns the weights by the mean squared error to the labels on
the holdout. That loss is quadratic in the weights, so that second moments of scores and labels say all there is to say
of the data: `Moments` are gathered block by block, in memory that does not grow with the number of videos, and add up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from yt8m import metrics, registry
from yt8m.predictions import Predictions, Writer

BLOCK = 256  # videos made dense at once


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


def fit(scheme: str, moments: Moments, seed: int) -> np.ndarray:
    """The (models, classes) weights of a scheme.

    Raises:
        ValueError: where there is no scheme of that name.
    """
    registry.require("ensembling", scheme)
    weights: np.ndarray = import_module(f"{__name__}.{scheme}").fit(moments, seed)
    return weights


def blocks(members: Mapping[str, Predictions], classes: int) -> Iterator[tuple[slice, np.ndarray]]:
    """The (n, M, C) scores of aligned members, block by block, with the rows that they are of."""
    total = len(next(iter(members.values())).ids)
    for start in range(0, total, BLOCK):
        rows = slice(start, min(start + BLOCK, total))
        yield rows, np.stack([member.dense(rows, classes) for member in members.values()], axis=1)


def fold_moments(members: Mapping[str, Predictions], classes: int, fold_of: np.ndarray, folds: int) -> list[Moments]:
    """Moments of each fold of aligned members; `fold_of` says which fold a video is in, (N,) int."""
    first = next(iter(members.values()))
    size = len(members)
    gram, cross = np.zeros((folds, classes, size, size)), np.zeros((folds, classes, size))
    positives, videos = np.zeros((folds, classes)), np.bincount(fold_of, minlength=folds)
    for rows, scores in blocks(members, classes):
        hot = first.hot(rows, classes)
        for fold in np.unique(fold_of[rows]):
            inside = fold_of[rows] == fold
            s = scores[inside].transpose(2, 1, 0).astype(np.float64)  # (C, M, n)
            y = hot[inside].T.astype(np.float64)  # (C, n)
            gram[fold] += s @ s.transpose(0, 2, 1)
            cross[fold] += (s @ y[..., None])[..., 0]
            positives[fold] += y.sum(1)
    return [Moments(gram[f], cross[f], positives[f], int(videos[f])) for f in range(folds)]


def combine(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The ensemble's scores (n, C) from its members' (n, M, C) and the weights (M, C), clipped to [0, 1]."""
    return np.clip(np.einsum("nmc,mc->nc", scores, weights, optimize=True), 0, 1).astype(np.float32)


def folds_of(ids: Sequence[str], folds: int, seed: int) -> np.ndarray:
    """A fold for each video, (N,) int, drawn by `seed` over the sorted ids: the order of `ids` changes nothing."""
    order = np.argsort(ids)
    result = np.empty(len(ids), np.int64)
    result[order] = np.random.default_rng(seed).permutation(len(ids)) % folds
    return result


def cross_validated_gap(scheme: str, members: Mapping[str, Predictions], classes: int, folds: int, seed: int) -> float:
    """GAP@20 of scores that for each fold come from weights fitted on the others."""
    first = next(iter(members.values()))
    fold_of = folds_of([str(id) for id in first.ids], folds, seed)
    moments = fold_moments(members, classes, fold_of, folds)
    total = sum(moments[1:], moments[0])
    weights = np.stack([fit(scheme, total - part, seed) for part in moments])  # (folds, M, C)
    indices, values = [], []
    for rows, scores in blocks(members, classes):
        combined = np.empty((len(scores), classes), np.float32)
        for fold in np.unique(fold_of[rows]):
            inside = fold_of[rows] == fold
            combined[inside] = combine(scores[inside], weights[fold])
        top = metrics.top_k(combined, 20)
        indices.append(top[0])
        values.append(top[1])
    return metrics.gap(np.concatenate(indices), np.concatenate(values), first.labels)


def write_combined(members: Mapping[str, Predictions], weights: np.ndarray, out: Writer) -> None:
    """Append the ensemble's predictions of aligned members to an open store."""
    first = next(iter(members.values()))
    for rows, scores in blocks(members, weights.shape[1]):
        out.write([str(id) for id in first.ids[rows]], first.labels[rows], combine(scores, weights))
